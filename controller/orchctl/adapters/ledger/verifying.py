"""The full check of a ledger: every link, every digest, and that folding the events gives the objects (LOG-3, LOG-7).

Read-only, and beside a running controller: events are only ever added, so they are read without holding anything; the
newest ones and the objects are then read together in one short transaction.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from orchctl.adapters.ledger import anchor, bases, chain, codec, opening, segments, specs, store
from orchctl.adapters.ledger.errors import LedgerError
from orchctl.core import evolve
from orchctl.core.folds.parts import IllegalEvent
from orchctl.core.ids import Key
from orchctl.core.state import State

PROBLEMS_MAX = 20  # the first ones are enough to know what to do
Row = tuple[object, ...]
_OBJECTS = """SELECT key, kind, namespace, name, uid, generation, seq, ready, summary, stage, agent, created_at, body,
because, state, shown_digest, row_digest FROM objects NOT INDEXED ORDER BY key"""


@dataclasses.dataclass(slots=True)
class Report:
    """What was looked at, and what was found wrong; no problems: all of it is what was written."""

    events: int = 0
    turns: int = 0
    objects: int = 0
    specs: int = 0
    epoch: int = 0
    lost: int = 0  # events that an earlier recovery could not have back
    problems: list[str] = dataclasses.field(default_factory=list)

    def add(self, problem: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)


def verify(path: Path) -> Report:
    report = Report()
    mark = _mark(path, report)
    if not path.exists():
        report.add(f"{path} is missing: {opening.RECOVER}")
        return report
    with contextlib.closing(read_only(path)) as db, _noted(report):
        store.check_schema(db)
        with _noted(report):
            for (said,) in db.execute(f"PRAGMA integrity_check({PROBLEMS_MAX})"):
                if said != "ok":
                    report.add(f"SQLite: {said}")
        _verify_content(db, segments.folder_of(path), mark, report)
    return report


def _verify_content(db: sqlite3.Connection, sealed: Path, mark: anchor.Mark | None, report: Report) -> None:
    events = _Events(db, sealed, report)
    with _noted(report):
        events.take_all()
    db.execute("BEGIN")
    with _noted(report):
        events.take_all()
        _verify_settings(db, report)
    with _noted(report):
        _verify_specs(db, report)
    with _noted(report):
        _verify_objects(db, events, report)
    if mark is not None:
        with _noted(report):
            opening.check_anchor(db, opening.Head(events.last, events.hash, None), report.epoch, mark)
    db.execute("ROLLBACK")


class _Events:
    """Goes through the events: checks each link, and folds as long as nothing is wrong."""

    def __init__(self, db: sqlite3.Connection, sealed: Path, report: Report) -> None:
        self._db = db
        self._folder = sealed
        self._report = report
        self.base, state = bases.read(db, store.meta(db, bases.NAME))
        self._gaps = dict(self.base.gaps)
        report.lost = sum(last - first + 1 for first, last in self.base.gaps)
        self.state: State | None = state
        self.last = 0
        self.hash = chain.GENESIS
        self.after: object = None
        self._turn: object = None
        self._specs = specs.Specs(db)

    def take_all(self) -> None:
        for row in store.rows_of(self._db, self._folder, self.last, lambda damaged: self._broken(str(damaged))):
            self._check(row)
            self._fold(row)

    def _check(self, row: Row) -> None:
        seq = row[0]
        assert isinstance(seq, int)
        if self._gaps.get(self.last + 1) == seq - 1:
            self.hash = row[-2]  # type: ignore[assignment]
        elif seq != self.last + 1:
            self._broken(f"events are missing: from {self.last + 1} to {seq - 1}{store.where(self._db, seq)}")
        elif row[-2] != self.hash:
            self._broken(f"event {seq} does not follow event {self.last}")
        if not chain.holds(row):
            self._broken(f"event {seq} is not what was recorded")
        self._report.events += 1
        self._report.turns += row[1] != self._turn
        self.last, self.hash, self.after, self._turn = seq, row[-1], row[-3], row[1]  # type: ignore[assignment]

    def _broken(self, problem: str) -> None:
        self._report.add(problem)
        self.state = None

    def _fold(self, row: Row) -> None:
        if self.state is None or self.last <= self.base.seq:
            return
        try:
            found = codec.recorded((*row[:4], row[7], row[8]), self._specs)
            self.state = evolve.evolve(self.state, found)
        except (LedgerError, IllegalEvent) as error:
            self._broken(f"event {self.last} cannot be folded: {error}")


def _verify_settings(db: sqlite3.Connection, report: Report) -> None:
    for (name,) in db.execute("SELECT name FROM meta").fetchall():
        store.meta(db, name)
    report.epoch = int(store.meta(db, "epoch") or "0")
    later = db.execute("SELECT count(*) FROM events WHERE epoch > ?", (report.epoch,)).fetchone()[0]
    if later:
        report.add(f"{later} events are of a later epoch than the ledger's, which is {report.epoch}")


def _verify_specs(db: sqlite3.Connection, report: Report) -> None:
    for wanted, spec in db.execute("SELECT digest, spec FROM specs"):
        report.specs += 1
        if not specs.is_spec(wanted, spec):
            report.add(f"the spec {str(wanted)[:12]} is not what was recorded")


def _verify_objects(db: sqlite3.Connection, events: _Events, report: Report) -> None:
    digests = []
    for row in db.execute(_OBJECTS):
        report.objects += 1
        shown, found = row[-2], row[-1]
        if chain.shown_digest(row[:-3]) != shown or chain.row_digest(shown, row[-3]) != found:
            report.add(f"the row of {row[0]} is not what was recorded")
        digests.append(found)
    after = events.after if isinstance(events.after, bytes) else None
    if events.last and after is None:
        report.add(f"the ledger ends in the middle of a turn, at event {events.last}")
    opening.check_objects(
        opening.Head(events.last, events.hash, after), chain.total(digests), store.meta(db, "counters")
    )
    if events.state is None:
        report.add("whether the objects are what the events led to cannot be said: not all events can be folded")
        return
    stored = store.state_of(db)
    for key in _differing(events.state, stored):
        report.add(f"the row of {key} is not what its events led to")
    if dataclasses.replace(events.state, objects={}, declared={}, open={}) != _counters_of(stored):
        report.add("the counters are not what the events led to")


def _differing(folded: State, stored: State) -> list[Key]:
    keys = dict.fromkeys([*folded.objects, *stored.objects])
    return [key for key in keys if folded.objects.get(key) != stored.objects.get(key)]


def _counters_of(state: State) -> State:
    return dataclasses.replace(state, objects={}, declared={}, open={})


def _mark(path: Path, report: Report) -> anchor.Mark | None:
    try:
        mark = anchor.read(path.with_name(anchor.NAME))
    except LedgerError as error:
        report.add(str(error))
        return None
    if mark is None:
        report.add(f"its anchor is missing: {opening.RECOVER}")
    return mark


@contextlib.contextmanager
def _noted(report: Report) -> Iterator[None]:
    """What stops one part of the check is a finding; the other parts are still looked at."""
    try:
        yield
    except LedgerError as error:
        report.add(str(error))
    except sqlite3.DatabaseError as error:
        report.add(f"it cannot be read: {error}")


def read_only(path: Path) -> sqlite3.Connection:
    quoted = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(f"file:{quoted}?mode=ro", uri=True, isolation_level=None, timeout=store.BUSY_S)
