"""What is looked at before a ledger is written to: little enough for every start, and enough to notice what matters.

Its end against the anchor, the newest links of the chain, all objects and counters against the digest in the newest
event. Older events are looked at by `orchctl verify`, which takes as long as there is history.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Collection

from orchctl.adapters.ledger import anchor, chain
from orchctl.adapters.ledger.errors import Behind, Damaged

LINKS_CHECKED = 256  # of the newest events
RECOVER = "`orchctl recover` says what can be had back"
CONTENT = "seq, turn, at, t, epoch, kind, key, type, data, actor, cause, severity, reason, message, after"
_NEWEST = f"SELECT {CONTENT}, prev_hash, hash FROM events ORDER BY seq DESC LIMIT ?"  # noqa: S608
_AT = "SELECT hash FROM events WHERE seq = ?"


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Where the ledger ends, and what it says there of its objects (`after`)."""

    seq: int
    hash: bytes
    after: bytes | None


EMPTY = Head(0, chain.GENESIS, None)


def head(db: sqlite3.Connection, gaps: Collection[tuple[int, int]]) -> Head:
    """The end of the ledger, its newest links checked; `gaps` are known to be lost (`bases`)."""
    newest = db.execute(_NEWEST, (LINKS_CHECKED,)).fetchall()
    if not newest:
        return EMPTY
    following: tuple[object, ...] | None = None
    for row in newest:
        check_link(row)
        if following is not None and (following[0], following[-2]) != (row[0] + 1, row[-1]):
            missing = (row[0] + 1, int(str(following[0])) - 1)
            if missing not in gaps:
                raise Damaged(f"event {following[0]} does not follow event {row[0]}: {RECOVER}")
        following = row
    last = newest[0]
    if last[-3] is None:
        raise Damaged(f"the ledger ends in the middle of a turn, at event {last[0]}: {RECOVER}")
    return Head(last[0], last[-1], last[-3])


def check_link(row: tuple[object, ...]) -> None:
    """`row` is CONTENT, prev_hash, hash."""
    if not chain.holds(row):
        raise Damaged(f"event {row[0]} is not what was recorded: {RECOVER}")


def check_anchor(db: sqlite3.Connection, end: Head, epoch: int, mark: anchor.Mark) -> None:
    """A ledger may be ahead of its anchor, by what was committed when a controller was killed; never behind it."""
    missing = mark.seq - end.seq
    if missing > 0:
        raise behind(missing, mark.seq)
    at_mark = db.execute(_AT, (mark.seq,)).fetchone() if mark.seq else (chain.GENESIS,)
    if at_mark is None or at_mark[0] != mark.hash:
        raise Damaged(f"event {mark.seq} is another one than its anchor says: this is another history; {RECOVER}")
    if epoch < mark.epoch:
        raise Damaged(f"the ledger is of epoch {epoch}, its anchor of {mark.epoch}: it is an older copy; {RECOVER}")


def behind(missing: int, recorded: int) -> Behind:
    events = "1 event" if missing == 1 else f"{missing} events"
    return Behind(
        f"it is behind its anchor: {events} of {recorded} are missing (a lost WAL, or an older copy put back?); "
        f"put the right file back, or go on without them: `orchctl recover --accept-loss {missing}`"
    )


def check_objects(end: Head, sum_of_rows: int, counters: str | None) -> None:
    """The rows' own digests against what the newest event says of them all."""
    if end.after is None:
        if sum_of_rows or counters is not None:
            raise Damaged(f"the ledger has objects but no events: {RECOVER}")
    elif counters is None or chain.after_turn(sum_of_rows, counters) != end.after:
        raise Damaged(f"the objects are not those that event {end.seq} left: {RECOVER}")
