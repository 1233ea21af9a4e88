"""A user's machine in a folder: a home, state and runtime folders, a project with a failing check, and `orchctl`."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

MARKER = b"ORCHCTL_ATTEMPT="
CONTROLLER_S = 60.0

PROJECT = """\
apiVersion: orchctl.dev/v1alpha1
kind: Project
metadata: {name: shop}
spec:
  checks: [{name: unit, run: "sh greet.sh | grep -q hello"}]
"""

TASK = """\
apiVersion: orchctl.dev/v1alpha1
kind: Task
metadata: {name: fix}
spec:
  prompt: |
    Make the greeting say hello.
    ```script
%s
    ```
"""


def task(*script: str, extra: str = "") -> str:
    return TASK % "\n".join(f"    {line}" for line in script) + extra


class Sandbox:
    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.repo = root / "repo"
        self.state_home = root / "state"
        self.runtime_home = root / "run"
        for folder in (self.repo, root / "home", self.runtime_home):
            folder.mkdir(parents=True)
        (root / "gitconfig").write_text(
            "[user]\nname = Ann\nemail = ann@example.com\n[init]\ndefaultBranch = main\n[commit]\ngpgsign = false\n"
        )
        self.git("init", "-q")
        self.write("greet.sh", "echo goodbye\n")
        self.write("manifests/project.yaml", PROJECT)

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
        folders = {
            "HOME": str(self.root / "home"),
            "XDG_STATE_HOME": str(self.state_home),
            "XDG_RUNTIME_DIR": str(self.runtime_home),
            "GIT_CONFIG_GLOBAL": str(self.root / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        return kept | folders

    @property
    def state(self) -> pathlib.Path:
        (found,) = (self.state_home / "orchctl").iterdir()
        return found

    def write(self, path: str, text: str) -> None:
        file = self.repo / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def git(self, *args: str, cwd: pathlib.Path | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.repo, env=self.env, capture_output=True, text=True, timeout=30, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(args)}: {done.stderr}")
        return done.stdout.strip()

    def commit(self, message: str = "Change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def python(self, *args: str, timeout_s: float = CONTROLLER_S) -> subprocess.CompletedProcess[str]:
        """A python of ours with these arguments, run to its end."""
        return subprocess.run(
            [sys.executable, *args],
            cwd=self.repo,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def orchctl(self, *args: str, code: int | None = 0, timeout_s: float = CONTROLLER_S) -> str:
        done = self.python("-m", "orchctl", *args, timeout_s=timeout_s)
        if code is not None and done.returncode != code:
            raise AssertionError(f"orchctl {' '.join(args)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def until_idle(self) -> str:
        return self.orchctl("controller", "--until-idle")

    @contextlib.contextmanager
    def controller(self) -> Iterator[subprocess.Popen[bytes]]:
        """A controller that runs while the block does, and is then asked to end."""
        with (self.root / "controller.log").open("ab") as log:
            argv = [sys.executable, "-m", "orchctl", "controller"]
            child = subprocess.Popen(
                argv, cwd=self.repo, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        try:
            yield child
        finally:
            child.terminate()
            child.wait(20)

    def object(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.orchctl("get", kind, name, "-o", "json"))
        return found

    def condition(self, kind: str, name: str, of_type: str) -> dict[str, Any]:
        conditions = self.object(kind, name)["status"]["conditions"]
        return next((one for one in conditions if one["type"] == of_type), {})


def marked_processes(root: pathlib.Path) -> list[str]:
    """Processes that an attempt of this sandbox started, or that serve it: told by environment or command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environ, line = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except OSError:
            continue
        here = str(root).encode()
        if (MARKER in environ and here in environ) or here in line:
            found.append(f"{entry.name}: {line.replace(bytes(1), b' ').decode(errors='replace')}")
    return found
