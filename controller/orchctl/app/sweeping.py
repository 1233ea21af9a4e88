"""Removes what earlier controllers left beside the records of attempts: texts handed to agents that have ended.

Called once at each start, with both locks held, so nothing of this kind is being written. Goes by what is there and
what the state names, never by ages or by who made it: a crash in the midst leaves the rest for the next start. Logs and
outcomes are not its business.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from orchctl.core import ports
from orchctl.core.folds.parts import attempts_of
from orchctl.core.ids import AttemptId
from orchctl.core.state import State

VALUES = ".values"  # where templates put what is too long for a prompt; no attempt can be called that
TEXTS = (".prompt", ".message")  # files beside an attempt's folder, written anew whenever it is started
_VALUE = re.compile(r"[0-9a-f]{32}\.txt")


def sweep(state: State, sessions: Path, executor: ports.Executor) -> None:
    """Never stops a start: what cannot be removed now is tried again at the next."""
    live = set(_live(state))
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(sessions)):
            attempt, suffix = os.path.splitext(entry.name)
            if suffix in TEXTS and attempt not in live and not _runs(executor, AttemptId(attempt)):
                _remove(entry.path)
    _sweep_values(state, sessions / VALUES)


def _live(state: State) -> Iterator[AttemptId]:
    """The attempts that have not ended, and those an action that is still open may yet start."""
    for obj in state.objects.values():
        yield from (attempt.id for attempt in attempts_of(obj) if attempt.ended is None)
        if obj.open is not None and hasattr(obj.open.do, "attempt"):
            yield obj.open.do.attempt


def _runs(executor: ports.Executor, attempt: AttemptId) -> bool:
    """Whether it runs without being in the state, as of a ledger that was put back; if that cannot be told, it does."""
    try:
        handle = executor.exit_fd(attempt)
    except (ports.WorldError, OSError):
        return True
    if handle is None:
        return False
    os.close(handle)
    return True


def _sweep_values(state: State, folder: Path) -> None:
    """A value stays as long as any object names its file: a prompt that was rendered is used again as it is."""
    with contextlib.suppress(OSError):
        found = [entry for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
        named = {name for obj in state.objects.values() for name in _VALUE.findall(repr(obj))} if found else set()
        for entry in found:
            if entry.name not in named:  # a half-written one is never named
                _remove(entry.path)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
