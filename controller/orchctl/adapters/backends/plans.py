"""The words backends and their callers share: what to launch, how, and what an end meant.

Used by every backend and by the action runner, which turns a plan into an attempt. Pure values.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Protocol

TAIL_BYTES = 8192  # how much of the output's end a backend is shown
MESSAGE_CHARS_MAX = 200
INHERITED = ("LANG", "TERM", "TZ")  # besides LC_*: what makes output readable, nothing that names or proves anybody


@dataclasses.dataclass(frozen=True, slots=True)
class LaunchRequest:
    agent: str
    command: tuple[str, ...]
    prompt: str
    prompt_file: str  # where the prompt was written, for agents that want a file
    env: tuple[tuple[str, str], ...]
    attempt_number: int
    worktree: str
    model: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class LaunchPlan:
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    stdin: str


class Reason(enum.StrEnum):
    COMPLETED = "Completed"
    EXITED_NON_ZERO = "ExitedNonZero"
    SIGNALLED = "Signalled"
    NOT_FOUND = "NotFound"
    NOT_EXECUTABLE = "NotExecutable"
    ASKED_HUMAN = "AskedHuman"
    SCRIPT_ERROR = "ScriptError"
    UNKNOWN = "Unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    ok: bool
    reason: str
    message: str


class Backend(Protocol):
    """What a backend module has to offer."""

    def launch(self, request: LaunchRequest) -> LaunchPlan: ...

    def classify(self, exit_code: int | None, signal: int | None, tail: bytes) -> Outcome: ...


class LaunchError(Exception):
    """The request cannot be turned into a launch; the message says what to change."""


def base_env(
    home: str, path: str, extra: tuple[tuple[str, str], ...], inherited: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """The whole environment of an attempt (SES-10): an allow-list of `inherited`, then what was given on purpose.

    HOME is the user's own unless the caller says otherwise: the login of most agents lives there.
    """
    kept = {name: value for name, value in inherited.items() if name in INHERITED or name.startswith("LC_")}
    return tuple(sorted({**kept, "HOME": home, "PATH": path, **dict(extra)}.items()))


def with_env(env: tuple[tuple[str, str], ...], **more: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({**dict(env), **more}.items()))


def attempt_env(request: LaunchRequest) -> tuple[tuple[str, str], ...]:
    """The environment of an agent's run: what was given, and what the run is."""
    model = {"ORCH_MODEL": request.model} if request.model else {}
    return with_env(request.env, ORCH_ATTEMPT_NUMBER=str(request.attempt_number), **model)


def last_line(tail: bytes) -> str:
    """The last line a person can read; escape sequences and control characters do not get through."""
    text = tail[-TAIL_BYTES:].decode("utf-8", "replace")
    lines = ("".join(c for c in line if c.isprintable()).strip() for line in reversed(text.splitlines()))
    return next((line for line in lines if line), "")[:MESSAGE_CHARS_MAX]


def classify_exit(exit_code: int | None, signal: int | None, tail: bytes) -> Outcome:
    """What an end means for any program, as a shell would see it."""
    said = last_line(tail)
    after = f": {said}" if said else ""
    match exit_code, signal:
        case 0, _:
            return Outcome(True, Reason.COMPLETED, "completed")
        case _, int():
            return Outcome(False, Reason.SIGNALLED, f"ended by signal {signal}{after}")
        case None, None:
            return Outcome(False, Reason.UNKNOWN, "how it ended is not known")
        case 127, _:
            return Outcome(False, Reason.NOT_FOUND, f"the program was not found{after}")
        case 126, _:
            return Outcome(False, Reason.NOT_EXECUTABLE, f"the program could not be executed{after}")
        case _:
            return Outcome(False, Reason.EXITED_NON_ZERO, f"exited with {exit_code}{after}")
