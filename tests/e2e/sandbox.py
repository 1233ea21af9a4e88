"""A user's machine in a folder: a home, state and runtime folders, a project with a failing check, and `orchctl`."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

MARKER = b"ORCHCTL_ATTEMPT="
CONTROLLER_S = 60.0
DEADLINE_S = 30.0
POLL_S = 0.05

Found = TypeVar("Found")

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
FIX = "replace greet.sh goodbye hello"


def task(*script: str, name: str = "fix", extra: str = "") -> str:
    text = TASK % "\n".join(f"    {line}" for line in script) + extra
    return text.replace("metadata: {name: fix}", f"metadata: {{name: {name}}}")


def until(holds: Callable[[], Found], what: str, deadline_s: float = DEADLINE_S) -> Found:
    """Polls until `holds` gives something true."""
    deadline = time.monotonic() + deadline_s
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_s:.0f} s: {what}")
        time.sleep(POLL_S)
    return found


class Sandbox:
    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.repo = root / "repo"
        self.state_home = root / "state"
        self.runtime_home = root / "run"
        self.extra_env: dict[str, str] = {}
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
        return kept | folders | self.extra_env

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
    def controller(self, *args: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
        """A controller that serves when the block begins, and is asked to end after it."""
        with (self.root / "controller.log").open("ab") as log:
            argv = [sys.executable, "-m", "orchctl", "controller", *args]
            child = subprocess.Popen(
                argv, cwd=self.repo, env=self.env | env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        try:
            until(lambda: child.poll() is not None or self._served_by(child.pid), "the controller serves")
            assert child.poll() is None, self.log
            yield child
        finally:
            if child.poll() is None:
                child.terminate()
            child.wait(20)

    def _served_by(self, pid: int) -> bool:
        lease = next((self.state_home / "orchctl").glob("*/lease.lock"), None)
        return lease is not None and f'"pid": {pid},' in lease.read_text() and self.select("SELECT 1 FROM events") != []

    @property
    def log(self) -> str:
        return (self.root / "controller.log").read_text()

    def select(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger, read beside a running controller."""
        path = next((self.state_home / "orchctl").glob("*/ledger.db"), None)
        if path is None:
            return []
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
            try:
                return db.execute(query, values).fetchall()
            except sqlite3.OperationalError:
                return []  # its tables are being made

    def seen(self, kind: str, name: str) -> dict[str, Any]:
        """The served object, or {} when there is none (anymore)."""
        rows = self.select("SELECT body FROM objects WHERE key = ?", f"{kind}/default/{name}")
        found: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
        return found

    def summary(self, name: str, kind: str = "Task") -> str:
        found = self.seen(kind, name)
        return str(found["status"]["summary"]) if found else ""

    def seen_condition(self, kind: str, name: str, of_type: str) -> dict[str, Any]:
        conditions = self.seen(kind, name).get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == of_type), {})

    def until_summary(self, name: str, *wanted: str, deadline_s: float = DEADLINE_S) -> None:
        what = f"{name} is {' or '.join(wanted)}"
        try:
            until(lambda: self.summary(name) in wanted, what, deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.seen('Task', name).get('status')}") from None

    def status_file(self, kind: str, name: str) -> pathlib.Path:
        return self.repo / ".orchctl/status" / kind / "default" / f"{name}.yaml"

    def program(self, name: str, *lines: str) -> pathlib.Path:
        """A shell program in a folder that is first on PATH; returns the folder."""
        folder = self.root / "bin"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("\n".join(["#!/bin/sh", *lines, ""]))
        (folder / name).chmod(0o755)
        self.extra_env["PATH"] = f"{folder}:{os.environ['PATH']}"
        return folder

    def hub(self, project: str = "shop") -> pathlib.Path:
        return self.state / "hubs/default" / f"{project}.git"

    def kept(self, path: str) -> list[str]:
        """What the refs of the hub hold at this path."""
        refs = self.git("for-each-ref", "--format=%(refname)", "refs/orch", cwd=self.hub()).split()
        return [self.git("show", f"{ref}:{path}", cwd=self.hub(), check=False) for ref in refs]

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


def agents(root: pathlib.Path) -> list[str]:
    """Processes of attempts of this sandbox, without the controllers and what serves them."""
    return [found for found in marked_processes(root) if "scripted_agent" in found or "/bin/" in found.split()[1]]
