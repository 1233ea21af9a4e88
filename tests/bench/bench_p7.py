"""P7: recording turns durably, and checking what was recorded; the floor is what sqlite3 alone takes for the same rows.

Figures of events are per event, so that they can be compared whatever the length of the history: 10 µs an event is ten
seconds for a million. The last figure is of a disk whose sync takes 20 ms: how late the loop is, worst hundredth.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import statistics
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from orchctl.adapters.ledger import opening, store, verifying
from orchctl.core import events
from orchctl.core.ids import SOURCE, Oid
from orchctl.core.state import State
from tests.bench import harness
from tests.contract import damaged_ledgers
from tests.unit.app import test_driver
from tests.unit.core import builders

EVENTS = 10_000
SCANNED = 200_000
TASKS = 200
LAG_TASKS = 40
ROUNDS = 3
PER_EVENT_S = 10e-6
SYNC_S = 0.02
BEAT_S = 0.002
COLUMNS = ", ".join("?" * 17)


def figures(folder: Path) -> Iterable[harness.Figure]:
    for batch, per_s in ((10, 10_000), (1_000, 50_000)):
        yield _appending(folder, batch, EVENTS / per_s)
    yield _linking(folder / "long" / "ledger.db")
    yield _folding(folder / "lives" / "ledger.db")
    yield _lag()


def _turns(count: int, batch: int) -> Iterator[list[events.Recorded]]:
    """Turns of events of ordinary size that write no object."""
    now = events.Now(at=1_800_000_000.0, t=1.0)
    fact = events.RevisionObserved(
        SOURCE, ref="refs/heads/main", commit=Oid("c" * 40), tree=Oid("t" * 40), roots=("manifests",)
    )
    for turn, first in enumerate(range(1, count + 1, batch), start=1):
        yield [events.Recorded(seq, turn, now, fact) for seq in range(first, min(first + batch, count + 1))]


def _record(path: Path, count: int, batch: int) -> None:
    ledger = store.Ledger(path)
    ledger.begin_epoch()
    revision = None
    for turn in _turns(count, batch):
        fact = turn[-1].event
        assert isinstance(fact, events.RevisionObserved)
        revision = damaged_ledgers.revision(fact)
        ledger.append(turn, [], [], State(seq=turn[-1].seq, turn=turn[-1].turn, revision=revision))
    ledger.close()


def _appending(folder: Path, batch: int, goal_s: float) -> harness.Figure:
    numbers = itertools.count()

    def ours() -> None:
        _record(folder / f"ours-{batch}-{next(numbers)}" / "ledger.db", EVENTS, batch)

    def floor() -> None:
        path = folder / f"floor-{batch}-{next(numbers)}.db"
        store.create(path)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            for turn in _turns(EVENTS, batch):
                rows, _ = store.event_rows(turn, opening.EMPTY, 1, b"")
                db.execute("BEGIN IMMEDIATE")
                db.executemany(f"INSERT INTO events VALUES ({COLUMNS})", rows)
                db.execute("COMMIT")

    return harness.compare(f"append-10k-by-{batch}", ours, floor, goal=goal_s, runs=ROUNDS, absolute=True)


def _linking(path: Path) -> harness.Figure:
    """Events that cost next to nothing to fold: reading, decoding, links and SQLite's own check."""
    _record(path, SCANNED, 1_000)
    return _per_event("verify-links", path)


def _folding(path: Path) -> harness.Figure:
    """The lives of tasks, as they are recorded."""
    ledger = store.Ledger(path)
    ledger.begin_epoch()
    damaged_ledgers.write(ledger, TASKS)
    ledger.close()
    return _per_event("verify-and-fold", path)


def _per_event(name: str, path: Path) -> harness.Figure:
    count = verifying.verify(path).events

    def ours() -> None:
        assert verifying.verify(path).problems == []

    def floor() -> None:
        with contextlib.closing(sqlite3.connect(path)) as db:
            for _ in db.execute("SELECT * FROM events"):
                pass

    whole = harness.compare(name, ours, floor, goal=PER_EVENT_S, runs=ROUNDS, absolute=True)
    return harness.Figure(name, whole.value_s / count, whole.floor_s / count, PER_EVENT_S, absolute=True)


def _lag() -> harness.Figure:
    """Ours: the loop while each turn takes 20 ms to be written; the floor: the same with a disk that takes nothing."""
    value_s, floor_s = (statistics.quantiles(_lags(sync_s), n=100)[98] for sync_s in (SYNC_S, 0.0))
    return harness.Figure("loop-late-p99-with-20ms-sync", value_s, floor_s, goal=SYNC_S, absolute=True)


def _lags(sync_s: float) -> list[float]:
    tasks = [builders.task(f"t{n}") for n in range(LAG_TASKS)]
    stage = test_driver.Stage([*builders.catalogue(), builders.project(None, limits={"sessions": LAG_TASKS}), *tasks])
    plain, lags = stage.ledger.append, list[float]()

    def slow(*turn: object) -> None:
        threading.Event().wait(sync_s)
        plain(*turn)  # type: ignore[arg-type]

    def beat(due: float) -> None:
        assert stage.driver is not None
        loop = stage.driver._loop
        lags.append(loop.time() - due)
        loop.call_at(loop.time() + BEAT_S, beat, loop.time() + BEAT_S)

    def shown(lines: list[str]) -> None:
        assert stage.driver is not None
        if not lags:
            beat(stage.driver._loop.time())

    stage.ledger.append, stage.shown = slow, shown  # type: ignore[method-assign, assignment]
    stage.run()
    return lags
