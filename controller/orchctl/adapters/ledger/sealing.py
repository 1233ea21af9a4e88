"""Sealing: the oldest events become a segment file, whose rows the ledger then lets go of (LOG-9).

Here the file is made, from a connection of its own that only reads. What is left to do is an event, `LedgerSealed`:
the transaction that records it removes the rows. Killed in between, both are there, and the next look makes the same
file again. Only whole segments are made, ending with a turn, of events that are old enough; the newest ones stay.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from orchctl.adapters.ledger import bases, chain, opening, segments, store, verifying
from orchctl.adapters.ledger.errors import Damaged
from orchctl.core import events
from orchctl.core.ids import SOURCE

SEGMENT_EVENTS = 5_000  # so many, and those up to the end of their turn
KEPT_EVENTS = 1_000  # the newest ones are never sealed: a start looks at their links, its anchor stands among them


def seal(path: Path, cutoff: float, *, events_each: int | None = None) -> events.LedgerSealed | None:
    """Make the next segment of events that were recorded before `cutoff`; None: there are not enough of them."""
    with contextlib.closing(verifying.read_only(path)) as db, store.readable(path):
        through = store.sealed_to(db)
        rows = _due(db, through, cutoff, events_each or SEGMENT_EVENTS)
    if not rows:
        return None
    made = segments.write(segments.folder_of(path), rows, through)
    return events.LedgerSealed(
        SOURCE, first=made.first, last=made.last, hash=made.hash, digest=made.digest, state=made.state
    )


def _due(db: sqlite3.Connection, through: int, cutoff: float, events_each: int) -> list[segments.Row]:
    newest = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0] - KEPT_EVENTS
    if newest - through < events_each:
        return []
    gaps = dict(bases.described(store.meta(db, bases.NAME)).gaps)
    found: list[segments.Row] = []
    last = through
    while page := db.execute(store.PAGE, (last,)).fetchall():
        for row in page:
            if row[0] != last + 1:
                if gaps.get(last + 1) != row[0] - 1:
                    raise Damaged(f"events are missing: from {last + 1} to {row[0] - 1}: {opening.RECOVER}")
                if found:
                    return found  # a segment has no gap: what is lost lies between two of them
            if row[2] > cutoff or row[0] > newest:
                return []
            if not chain.holds(row) or (found and row[-2] != found[-1][-1]):
                raise Damaged(f"event {row[0]} is not what was recorded: {opening.RECOVER}")
            found.append(row)
            last = row[0]
            if len(found) >= events_each and row[-3] is not None:
                return found
    return []
