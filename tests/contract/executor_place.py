"""A place to run attempts in tests: an executor of either mode over fresh directories, and looks at the process table.

Oracles read /proc, not what the executor believes.
"""

from __future__ import annotations

import os
import pathlib
import select
import signal
import sys
import time
import uuid
from collections.abc import Callable

from orchctl.adapters.executors.local import LocalExecutor
from orchctl.core import ports
from orchctl.core.ids import AttemptId

DEADLINE_S = 20.0
PATH = os.environ.get("PATH", os.defpath)
PYTHON = (sys.executable, "-I", "-S", "-c")
WAIT_FOR_GO = """
import os, sys, time
def until(name):
    path = os.path.join(os.environ["WORK"], name)
    deadline = time.monotonic() + 60
    while not os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(0.005)
"""


def eventually(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in (b"Z", b"X")


def carrying(text: str) -> list[int]:
    """The processes whose environment or command line holds the text."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            held = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if text.encode() in held and alive(int(entry.name)):
            found.append(int(entry.name))
    return found


class Place:
    def __init__(self, root: pathlib.Path, warm: bool) -> None:
        self.root = root
        self.warm = warm
        self.token = uuid.uuid4().hex[:12]
        self.sessions = root / "sessions"
        self.work = root / "work"
        self.work.mkdir()
        self.executor = self.another()

    def another(self) -> LocalExecutor:
        return LocalExecutor(self.sessions, self.root / "run", warm=self.warm)

    def attempt(self, number: int = 1) -> AttemptId:
        return AttemptId(f"{self.token}.{number}")

    def spec(
        self, *argv: str, number: int = 1, stdin: str = "", secrets: tuple[str, ...] = (), limit: int = 1 << 24
    ) -> ports.AttemptSpec:
        env = (("PATH", PATH), ("WORK", str(self.work)))
        return ports.AttemptSpec(self.attempt(number), argv, str(self.work), env, stdin, secrets, limit)

    def python(self, program: str, **more: object) -> ports.AttemptSpec:
        return self.spec(*PYTHON, program, **more)  # type: ignore[arg-type]

    def start(self, spec: ports.AttemptSpec) -> ports.Observation:
        return self.executor.submit(spec)

    def finish(self, spec: ports.AttemptSpec) -> ports.Observation:
        self.executor.submit(spec)
        return self.ended(spec.attempt)

    def ended(self, attempt: AttemptId, executor: LocalExecutor | None = None) -> ports.Observation:
        executor = executor or self.executor
        handle = executor.exit_fd(attempt)
        if handle is not None:
            assert select.select([handle], [], [], DEADLINE_S)[0], "the attempt did not end in time"
            os.close(handle)
        observation = executor.observe(attempt)
        assert observation.phase.ended, observation
        return observation

    def output(self, number: int = 1) -> bytes:
        return (self.sessions / self.attempt(number) / "raw.log").read_bytes()

    def directory(self, number: int = 1) -> pathlib.Path:
        return self.sessions / self.attempt(number)

    def pids(self, name: str = "pids") -> list[int]:
        path = self.work / name
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    def clean_up(self) -> list[int]:
        """End what a failed test left; what is returned should not have been there."""
        self.executor.close()
        left = carrying(f"{self.token}.") + [pid for pid in self.pids() if alive(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left
