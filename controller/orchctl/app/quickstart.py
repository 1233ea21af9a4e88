"""The little project of `orchctl quickstart`: a real bug, a real failing test, and a task that gets it fixed.

Everything is made in a folder of its own and stays there, so that people can go on from it. The task is done by the
`script` agent, which follows the script in its prompt: no model, no network.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from orchctl.app import authoring, committing
from orchctl.app.read import failures, locate, yamltext

TASK = "fix-total"
BUG = "return sum(prices) - discount * len(prices)"
FIX = "return sum(prices) - discount"
TEST_TIMEOUT_S = 60
TELLING = ("FAIL", "ERROR", "AssertionError", "OK", "Ran")  # how the lines of unittest worth showing begin
GIT_TIMEOUT_S = 60
REAL_AGENTS = ("claude", "codex", "opencode", "gemini")

SHOP = f'''"""A very small shop."""


def total(prices: list[int], discount: int = 0) -> int:
    """What a customer pays: the discount is taken off once."""
    {BUG}
'''
TEST = """import unittest

import shop


class TotalTest(unittest.TestCase):
    def test_discount_is_taken_off_once(self) -> None:
        self.assertEqual(shop.total([10, 20, 30], discount=5), 55)


if __name__ == "__main__":
    unittest.main()
"""
PROMPT = f"""\
total() in shop.py takes the discount off once for every price. It must be taken off once.

```script
say Reading shop.py
replace shop.py '{BUG}' '{FIX}'
say The discount is now taken off once
```
"""


class Sample:
    """The project's folder and what can be asked of it."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._environ = {name: value for name, value in environ.items() if name not in committing.LOCATION_VARIABLES}

    @property
    def place(self) -> locate.Place:
        return locate.locate(str(self.folder), self._environ)

    @property
    def test_command(self) -> list[str]:
        """`python -m unittest` by the Python that runs us, whatever it is called; -B leaves no cache behind."""
        return [sys.executable, "-B", "-m", "unittest", "-q"]

    def make(self) -> None:
        """The project under git, one commit on main."""
        if self.folder.exists() and any(self.folder.iterdir()):
            raise failures.CommandError(f"{self.folder} is not empty: name another folder", failures.USAGE)
        for path, content in self._files().items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(content, encoding="utf-8")
        self._git("init", "-q")
        self._git("symbolic-ref", "HEAD", "refs/heads/main")
        if not self._has_identity():
            self._git("config", "user.name", "Quickstart")
            self._git("config", "user.email", "quickstart@localhost")
        self._git("add", "-A")
        self._git("-c", "commit.gpgsign=false", "commit", "-q", "--no-verify", "-m", "Add a shop with a bug")

    def commit_task(self) -> str:
        """Returns the commit that asks for the fix."""
        wish = authoring.TaskWish(PROMPT, name=TASK, agents=("script",), pipeline="quickfix")
        return authoring.commit_task(self.place, wish, None)[1].commit

    def test(self) -> tuple[bool, list[str]]:
        """Whether its test passes now, and the lines that say so."""
        try:
            done = subprocess.run(
                self.test_command, cwd=self.folder, env=self._environ, capture_output=True, timeout=TEST_TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            return False, [f"the test did not end within {TEST_TIMEOUT_S} s"]
        output = done.stderr.decode("utf-8", "replace").splitlines()
        return done.returncode == 0, [line for line in output if line.startswith(TELLING)]

    def last_commit(self) -> str:
        return self._git("log", "-1", "--stat", "--format=%h %an: %s", "main").rstrip()

    def _files(self) -> dict[str, str]:
        project = {
            "apiVersion": "orchctl.dev/v1alpha1",
            "kind": "Project",
            "metadata": {"name": "shop"},
            "spec": {"checks": [{"name": "unit", "run": shlex.join(self.test_command), "timeout": "1m"}]},
        }
        return {
            "shop.py": SHOP,
            "test_shop.py": TEST,
            ".gitignore": "__pycache__/\n",
            authoring.PROJECT_FILE: yamltext.dump(project),
        }

    def _has_identity(self) -> bool:
        done = subprocess.run(
            ["git", "var", "GIT_COMMITTER_IDENT"],
            cwd=self.folder,
            env=self._environ | {"LC_ALL": "C"},
            capture_output=True,
            timeout=GIT_TIMEOUT_S,
        )
        return done.returncode == 0 and bool(self._git("config", "--default", "", "--get", "user.email").strip())

    def _git(self, *words: str) -> str:
        try:
            done = subprocess.run(
                ["git", *words], cwd=self.folder, env=self._environ, capture_output=True, timeout=GIT_TIMEOUT_S
            )
        except FileNotFoundError:
            raise failures.CommandError("git is not installed or not on PATH") from None
        if done.returncode != 0:
            reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise failures.CommandError(f"git {words[0]} failed: {reason[-1] if reason else 'no reason'}")
        return done.stdout.decode("utf-8", "replace")


def real_agents(environ: Mapping[str, str]) -> list[str]:
    """Coding agents that are installed here and that a task can name."""
    path = environ.get("PATH", os.defpath)
    return [name for name in REAL_AGENTS if shutil.which(name, path=path)]


def command(environ: Mapping[str, str]) -> str:
    """How to call this very orchctl from another folder."""
    on_path = shutil.which("orchctl", path=environ.get("PATH", os.defpath))
    beside = Path(sys.executable).with_name("orchctl")
    if on_path:
        return "orchctl"
    return shlex.quote(str(beside)) if beside.exists() else f"{shlex.quote(sys.executable)} -m orchctl"
