"""A PATH of our own making: only the tools .setup/ensure uses, and stand-ins for the ones under test."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.tidy.sources import ROOT

TOOLS = ("sh", "cat", "cksum", "dirname", "flock", "grep", "mkdir", "mv", "rm", "sed", "tail")
PIP_LOG = "pip-calls"
# Speaks like a Python 3.12 whose venv module makes copies of it, and whose pip writes down what it is told.
PYTHON = """\
#!/bin/sh
here=$(dirname "$0")
case "$*" in
*ensurepip*) [ "{ensurepip}" = yes ] ;;
*"print("*) echo {version} ;;
*version_info*) [ {new} = yes ] ;;
*"-m venv "*)
    [ "{venv}" = yes ] || {{ mkdir -p "$3/bin"; exit 9; }}
    mkdir -p "$3/bin" && cat "$0" >"$3/bin/python" && chmod +x "$3/bin/python" && : >"$3/bin/has-pip" ;;
*"pip --version"*) [ -e "$here/has-pip" ] ;;
*"pip install"*)
    echo "$*" >>"{log}"
    [ ! -e "{log}.fail" ] || {{ echo "ERROR: no such index" >&2; exit 1; }}
    : >"$here/orchctl"; chmod +x "$here/orchctl" ;;
esac
"""


class FakeSystem:
    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.repo = folder / "repo"
        self.log = folder / PIP_LOG
        self.bin.mkdir()
        (self.repo / ".setup").mkdir(parents=True)
        shutil.copy(ROOT / ".setup/ensure", self.repo / ".setup/ensure")
        (self.repo / "pyproject.toml").write_text("[project]\n")
        for tool in (*TOOLS, "chmod"):
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)
        self.put("git", "#!/bin/sh\necho git version 2.39.5\n")
        self.put_python("python3")

    def put(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def put_python(self, name: str, version: str = "3.12", ensurepip: str = "yes", venv: str = "yes") -> None:
        new = "yes" if tuple(map(int, version.split("."))) >= (3, 11) else "no"
        told = {"version": version, "new": new, "ensurepip": ensurepip, "venv": venv, "log": self.log}
        self.put(name, PYTHON.format(**told))

    def remove(self, name: str) -> None:
        (self.bin / name).unlink()

    def ensure(self, mode: str = "run", **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", ".setup/ensure", mode],
            cwd=self.repo, env={"PATH": str(self.bin), "HOME": os.environ["HOME"], **env},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def installs(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []
