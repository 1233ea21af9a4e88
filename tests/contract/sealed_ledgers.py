"""Ledgers to be sealed in small segments: shared by the tests of what sealing keeps and of how it goes on."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from orchctl.adapters.ledger import history, sealing, segments, store
from orchctl.core import events, replay

LATER = 1_900_000_000.0  # everything was recorded long before
EACH = 60
KEPT = 40


@contextlib.contextmanager
def opened(path: Path) -> Iterator[store.Ledger]:
    ledger = store.Ledger(path)
    try:
        yield ledger
    finally:
        ledger.close()


def record(ledger: store.Ledger, fact: events.Event) -> None:
    """A turn that changes no object."""
    state = ledger.state()
    now = events.Now(at=1_800_000_500.0, t=500.0)
    recorded = events.Recorded(state.seq + 1, state.turn + 1, now, fact)
    ledger.append([recorded], [], [], replay.fold(state, [recorded]))


def seal_all(path: Path) -> int:
    """How many segments it took."""
    count = 0
    with opened(path) as ledger:
        ledger.begin_epoch()
        while (made := sealing.seal(path, LATER, events_each=EACH)) is not None:
            record(ledger, made)
            count += 1
    return count


def log(path: Path) -> list[events.Recorded]:
    with history.history(path) as found:
        return list(found.events)


def live(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [seq for (seq,) in db.execute("SELECT seq FROM events ORDER BY seq")]


def files(path: Path) -> list[Path]:
    return [found.path for found in segments.listed(segments.folder_of(path))]
