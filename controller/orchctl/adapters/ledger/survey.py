"""What can still be read of a damaged ledger, and how far it can be trusted: the first half of a recovery.

Works on a copy, changes nothing. In the best case every event is there and the objects are folded anew. Where events
are lost but the objects fit the newest event, the objects are gone on from. Else it ends with the last whole turn
before the damage.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from orchctl.adapters.ledger import anchor, bases, chain, codec, opening, segments, specs, store
from orchctl.adapters.ledger.errors import LedgerError
from orchctl.core import evolve
from orchctl.core.folds.parts import IllegalEvent
from orchctl.core.state import State

NAMED_MAX = 1_000  # of the lost events
_ONE = f"SELECT {opening.CONTENT}, prev_hash, hash FROM events WHERE seq = ?"  # noqa: S608
Row = tuple[object, ...]


@dataclasses.dataclass(slots=True)
class Survey:
    """`end` is the last event to go on from, `kept` the numbers of those that can be had; `state` is what is at `end`.

    `lost` are the first and last numbers of what was recorded and is not kept.
    """

    end: opening.Head
    kept: list[int]
    state: State
    base: bases.Base
    base_state: State
    turn_t: float
    lost: list[tuple[int, int]]
    names: list[str]
    specs: dict[str, str]

    @property
    def lost_count(self) -> int:
        return sum(last - first + 1 for first, last in self.lost)


def nothing(mark: anchor.Mark | None) -> Survey:
    """Of a file that is gone, or in which SQLite finds no table."""
    lost = [(1, mark.seq)] if mark is not None and mark.seq else []
    return Survey(opening.EMPTY, [], State(), bases.Base(), State(), 0.0, lost, [], {})


def survey(db: sqlite3.Connection, sealed: Path, mark: anchor.Mark | None) -> Survey:
    """`sealed` is the folder of the segments."""
    found = _Folding(db)
    newest: Row | None = None
    sound: list[int] = []
    for row in readable_rows(db, sealed, mark):
        if chain.holds(row):
            found.take(row)
            sound.append(int(str(row[0])))
            newest = row
    newest_seq = sound[-1] if sound else 0
    recorded = max(newest_seq, mark.seq if mark is not None else 0)
    if found.end.seq < recorded:
        trusted = _trusted(db, newest, mark) if newest_seq == recorded else None
        if trusted is not None and newest is not None:
            return _from_objects(found, trusted, newest, sound)
    kept = [seq for seq in sound if seq <= found.end.seq]
    lost = [(found.end.seq + 1, recorded)] if found.end.seq < recorded else []
    names = _named(db, lost)
    if mark is not None and not lost and _hash_at(db, mark.seq) != mark.hash:
        lost = [(mark.seq, mark.seq)]
        names = [f"event {mark.seq}: it was another one; this is the ledger of another history"]
    return Survey(found.end, kept, found.state, found.base, found.base_state, found.t, lost, names, dict(found.specs))


class _Folding:
    """Follows the chain from its beginning and folds, until something is in the way; stands at the end of a turn."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.base, self.base_state = bases.Base(), State()
        with contextlib.suppress(LedgerError, sqlite3.DatabaseError):
            self.base, self.base_state = bases.read(db, store.meta(db, bases.NAME))
        self.specs = _Specs(db)
        self.end, self.state, self.t = opening.EMPTY, self.base_state, 0.0
        self._gaps = dict(self.base.gaps)
        self._next = self.base_state
        self._last, self._hash = 0, chain.GENESIS
        self._stopped = False

    def take(self, row: Row) -> None:
        seq = int(str(row[0]))
        crosses = self._gaps.get(self._last + 1) == seq - 1
        follows = crosses or (seq == self._last + 1 and row[-2] == self._hash)
        if self._stopped or not follows:
            self._stopped = True
            return
        if seq > self.base.seq:
            try:
                self._next = evolve.evolve(self._next, codec.recorded((*row[:4], row[7], row[8]), self.specs))
            except (LedgerError, IllegalEvent, sqlite3.DatabaseError):
                self._stopped = True
                return
        self._last, self._hash = seq, _bytes(row[-1])
        if row[-3] is not None and seq >= self.base.seq:
            self.end = opening.Head(seq, self._hash, _bytes(row[-3]))
            self.state, self.t = self._next, float(str(row[3]))


class _Specs(specs.Specs):
    """A spec is known by its digest, so it may also be taken from an object that has it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self._of_objects: dict[str, str] | None = None

    def __missing__(self, wanted: str) -> str:
        with contextlib.suppress(LedgerError, sqlite3.DatabaseError):
            return super().__missing__(wanted)
        if self._of_objects is None:
            self._of_objects = _specs_of_objects(self._db)
        if wanted not in self._of_objects:
            raise LedgerError(f"the spec {wanted[:12]} is lost")
        self[wanted] = self._of_objects[wanted]
        return self[wanted]


def _specs_of_objects(db: sqlite3.Connection) -> dict[str, str]:
    found = {}
    with contextlib.suppress(sqlite3.DatabaseError):
        for text, shown, digest in db.execute("SELECT state, shown_digest, row_digest FROM objects NOT INDEXED"):
            desired = codec.decode_object(text).desired if chain.row_digest(shown, text) == digest else None
            if desired is not None and specs.is_spec(desired.spec_digest, desired.spec):
                found[desired.spec_digest] = desired.spec
    return found


def readable_rows(db: sqlite3.Connection, sealed: Path, mark: anchor.Mark | None) -> Iterator[Row]:
    """What is sealed, then what the table has: a page at a time; where one cannot be read, one event at a time."""
    last = 0
    for row in segments.rows(sealed, 0, _sealed_to(db), lambda _: None):
        yield row
        last = int(str(row[0]))
    end = mark.seq if mark is not None else 0
    with contextlib.suppress(sqlite3.DatabaseError):
        end = max(end, min(db.execute("SELECT max(seq) FROM events").fetchone()[0] or 0, end + store.PAGE_ROWS**2))
    while True:
        try:
            page = db.execute(store.PAGE, (last,)).fetchall()
        except sqlite3.DatabaseError:
            yield from _one_by_one(db, last + 1, last + store.PAGE_ROWS)
            last += store.PAGE_ROWS
            if last >= end:
                return
            continue
        if not page:
            return
        yield from page
        last = page[-1][0]


def _sealed_to(db: sqlite3.Connection) -> int:
    """As the setting says; where it is lost, what the table no longer has."""
    with contextlib.suppress(sqlite3.DatabaseError, LedgerError):
        through = store.sealed_to(db)
        if through:
            return through
    with contextlib.suppress(sqlite3.DatabaseError):
        oldest = db.execute("SELECT min(seq) FROM events").fetchone()[0]
        return int(oldest) - 1 if oldest is not None else sys.maxsize
    return sys.maxsize


def _one_by_one(db: sqlite3.Connection, first: int, last: int) -> Iterator[Row]:
    for seq in range(first, last + 1):
        with contextlib.suppress(sqlite3.DatabaseError):
            yield from db.execute(_ONE, (seq,)).fetchall()


def _trusted(db: sqlite3.Connection, newest: Row | None, mark: anchor.Mark | None) -> State | None:
    """The objects, if every one of them is what the newest event says they were."""
    if newest is None or newest[-3] is None:
        return None
    head = opening.Head(int(str(newest[0])), _bytes(newest[-1]), _bytes(newest[-3]))
    if mark is not None and mark.seq == head.seq and mark.hash != head.hash:
        return None
    try:
        sum_of_rows = chain.total(digest for (digest,) in db.execute("SELECT row_digest FROM objects NOT INDEXED"))
        opening.check_objects(head, sum_of_rows, store.meta(db, "counters"))
        return store.state_of(db)
    except (LedgerError, sqlite3.DatabaseError):
        return None


def _from_objects(found: _Folding, state: State, newest: Row, sound: list[int]) -> Survey:
    head = opening.Head(sound[-1], _bytes(newest[-1]), _bytes(newest[-3]))
    gaps = _gaps(sound)
    counters = codec.encode_counters(state)
    base = bases.Base(head.seq, tuple(gaps), counters, bases.digest_of(counters, bases.rows_of(state)))
    known = set(found.base.gaps)
    lost = [gap for gap in gaps if gap not in known]
    names = [f"{run_of(first, last)}: what followed from it is kept" for first, last in lost]
    return Survey(head, sound, state, base, state, float(str(newest[3])), lost, names, dict(found.specs))


def run_of(first: int, last: int) -> str:
    return f"event {first}" if first == last else f"events {first} to {last}"


def _gaps(sound: list[int]) -> list[tuple[int, int]]:
    """The first and last of each run of numbers that are not there."""
    pairs = zip([0, *sound], sound, strict=False)
    return [(before + 1, after - 1) for before, after in pairs if after > before + 1]


def _hash_at(db: sqlite3.Connection, seq: int) -> object:
    row = db.execute("SELECT hash FROM events WHERE seq = ?", (seq,)).fetchone() if seq else (chain.GENESIS,)
    return row[0] if row is not None else None


def _named(db: sqlite3.Connection, lost: list[tuple[int, int]]) -> list[str]:
    """What can be said of each lost event; it may be readable, though it cannot be folded."""
    names = []
    for first, last in lost:
        for seq in range(first, min(last, first + NAMED_MAX) + 1):
            rows = list(_one_by_one(db, seq, seq))
            said = " ".join(str(rows[0][i]) for i in (7, 6, 13) if rows[0][i] is not None) if rows else "unreadable"
            names.append(f"event {seq}: {said}")
    return names


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes), "the link it is part of holds"
    return value
