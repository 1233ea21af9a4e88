"""Looks for the program of an agent where the agent would look, and asks the known ones for their version (SES-14).

Called from threads of the controller. A program is asked once: again only when its file has changed, or when it did
not say. It is asked in a home of its own, with none of the user's settings or keys, and it cannot leave anything
running. Whatever it does, an answer comes within a few seconds.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

import orchctl
from orchctl.core.agents import PROGRAMS, Sought
from orchctl.core.state import Program
from orchctl.kit import text

ASK_S = 6.0
ASK_MARGIN_S = 6.0  # for the interpreter of the asking program, and for ending what the program left
ANSWER_BYTES_MAX = 4096
VERSION_CHARACTERS_MAX = 60
ASKED_WITH = ("--version",)
ASKED = frozenset(PROGRAMS.values())  # others are not run to see what they say
QUIET = {"CI": "1", "NO_COLOR": "1", "TERM": "dumb", "LANG": "C.UTF-8"}
_VERSION = re.compile(r"\bv?([0-9]+\.[0-9]+[0-9A-Za-z.+-]*)")


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    path: str
    version: str
    mark: str
    problem: str


class Programs:
    """Remembers what it was told, so that a program is not asked twice by one controller."""

    def __init__(self, environ: Mapping[str, str], python: str, home: Path) -> None:
        self._path = environ.get("PATH", os.defpath)
        self._python = python
        self._home = home
        self._lock = threading.Lock()
        self._said: dict[tuple[str, str], str] = {}  # by path and mark

    def look(self, sought: Sought, before: Program | None) -> Found:
        """What is there now; `before` is what the ledger says was there.

        A program that has just come is not asked: that it is there is news first, and work need not wait for more.
        """
        given = dict(sought.env)
        path, problem = locate(sought.program, given.get("PATH", self._path))
        if problem:
            return Found("", "", "", problem)
        mark = _mark(path)
        if before is None or (before.path, before.mark) != (path, mark) or Path(path).name not in ASKED:
            return Found(path, "", mark, "")
        if before.version:
            return Found(path, before.version, mark, "")
        with self._lock:
            known = self._said.get((path, mark))
        version = self._ask(path, given) if known is None else known
        with self._lock:
            self._said[path, mark] = version
        return Found(path, version, mark, "")

    def _ask(self, path: str, given: Mapping[str, str]) -> str:
        """The version it calls itself, or nothing: then it is started without anybody knowing it."""
        asking = Path(next(iter(orchctl.__path__))) / "shim" / "asking.py"
        argv = [self._python, "-I", "-S", str(asking), str(ASK_S), str(ANSWER_BYTES_MAX), path, *ASKED_WITH]
        environment = {"PATH": self._path, **given, **QUIET, "HOME": str(self._home)}
        try:
            self._home.mkdir(mode=0o700, exist_ok=True)
            done = subprocess.run(
                argv,
                env=environment,
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=ASK_S + ASK_MARGIN_S,
                check=False,
                start_new_session=True,
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        return version_in(done.stdout) if done.returncode == 0 else ""


def locate(program: str, search: str) -> tuple[str, str]:
    """Its absolute path, or why there is none. A relative folder is left out: in each checkout it means another."""
    if program.startswith("/"):
        return (program, "") if _can_run(program) else ("", _no_program(program, os.path.exists(program)))
    folders = [folder for folder in search.split(os.pathsep) if folder.startswith("/")]
    candidates = [os.path.join(folder, program) for folder in folders]
    for path in candidates:
        if _can_run(path):
            return path, ""
    lame = next((path for path in candidates if os.path.isfile(path)), "")
    return "", _no_program(lame, True) if lame else f"there is no `{program}` on PATH"


def _no_program(path: str, exists: bool) -> str:
    return f"{path} cannot be executed" if exists else f"there is no program {path}"


def _can_run(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _mark(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return ""  # it has just gone: the next look says so
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def version_in(answer: bytes) -> str:
    """The first thing in it that looks like a version."""
    shown = text.sanitise(answer.decode("utf-8", "replace"))
    match = _VERSION.search(shown)
    return text.one_line(match[1], VERSION_CHARACTERS_MAX) if match else ""
