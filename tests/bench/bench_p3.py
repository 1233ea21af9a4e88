"""P3: warm start with 10,000 objects; the floor reads and decodes the same rows by sqlite3 and msgspec alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from orchctl.adapters.ledger import store
from orchctl.core import views
from orchctl.core.ids import Key
from tests.bench import harness
from tests.unit.core import builders

COUNT = 10_000
ROUNDS = 5


def figures(folder: Path) -> Iterable[harness.Figure]:
    path = folder / "ledger.db"
    _fill(path)

    def ours() -> None:
        ledger = store.Ledger(path)
        assert len(ledger.state().objects) >= COUNT
        ledger.close()

    def floor() -> None:
        db = sqlite3.connect(path)
        decoder = msgspec.json.Decoder()
        assert len([decoder.decode(text) for (text,) in db.execute("SELECT state FROM objects")]) >= COUNT
        db.close()

    yield harness.compare("warm-start-10k", ours, floor, goal=2.0, runs=ROUNDS)


def _fill(path: Path) -> None:
    """Tasks that wait for a pipeline, so that none starts; recorded a turn per hundred."""
    bench = builders.bench()
    ledger = store.Ledger(path)
    first = [views.row(bench.machine.state, obj) for obj in bench.machine.state.objects.values()]
    ledger.append(bench.log, first, [], bench.machine.state)
    for number in range(0, COUNT, 100):
        tasks = [builders.task(f"t{n}", pipeline="none") for n in range(number, number + 100)]
        step = bench.machine.step(tasks, bench.now)
        rows = [views.row(bench.machine.state, bench.machine.state.objects[Key(key)]) for key in step.touched]
        ledger.append(step.recorded, rows, [], bench.machine.state)
    ledger.close()
