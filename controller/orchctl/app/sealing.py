"""Has old events sealed now and then, in a thread of its own: no turn waits for it (LOG-9).

Asked with everything else that is new outside. That a segment was made is a fact; recording it removes the rows.
"""

from __future__ import annotations

import concurrent.futures
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from orchctl.adapters.ledger import sealing
from orchctl.adapters.ledger.errors import LedgerError
from orchctl.app.read import failures
from orchctl.core import events
from orchctl.core.state import State
from orchctl.kit import durations

RETAIN_S = 7 * 24 * 3600.0
LOOK_S = 60.0  # how often it is looked whether there is something to seal; at once while there is


def retain_s(said: str) -> float:
    """What a person said, in seconds."""
    try:
        return float(durations.duration_s(said))
    except ValueError as error:
        raise failures.CommandError(f"--retain {said}: {error}", failures.USAGE) from error


class _Facts(Protocol):
    def facts(self, state: State) -> list[events.Event]: ...


class Sealing:
    def __init__(
        self,
        others: _Facts,
        ledger: Path,
        retain_s: float,
        moment: Callable[[], events.Now],
        announce: Callable[[str], None],
    ) -> None:
        self._others = others
        self._ledger = ledger
        self._retain_s = retain_s
        self._moment = moment
        self._announce = announce
        self._pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="sealing")
        self._look: concurrent.futures.Future[events.LedgerSealed | None] | None = None
        self._due = 0.0
        self._told = 0  # the last event of the segment that was told of; the next one is made when this is recorded
        self._said = ""

    def facts(self, state: State) -> list[events.Event]:
        return [*self._sealed(), *self._others.facts(state)]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _sealed(self) -> list[events.Event]:
        now = self._moment()
        if self._look is None:
            if now.t >= self._due:
                self._look = self._pool.submit(sealing.seal, self._ledger, now.at - self._retain_s)
            return []
        if not self._look.done():
            return []
        look, self._look = self._look, None
        self._due = now.t + LOOK_S
        try:
            made = look.result()
        except (LedgerError, OSError, sqlite3.Error) as error:
            if str(error) != self._said:
                self._said = str(error)
                self._announce(f"warning: old events are not sealed: {error}")
            return []
        if made is None or made.last <= self._told:
            return []
        self._told, self._due, self._said = made.last, now.t, ""
        return [made]
