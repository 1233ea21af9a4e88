"""Ledgers to be damaged: lives of several tasks, the files as they lie on the disk, and what they hold, row by row."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from orchctl.adapters.ledger import store, verifying
from orchctl.core import events, runtime, views
from orchctl.core.state import Revision, State
from orchctl.testing import worlds
from tests.unit.core import builders

FILES = ("ledger.db", "ledger.db-wal", "anchor")
EVERYTHING = (
    "SELECT * FROM events ORDER BY seq",
    "SELECT * FROM objects NOT INDEXED ORDER BY rowid",
    "SELECT * FROM specs NOT INDEXED ORDER BY rowid",
    "SELECT * FROM meta NOT INDEXED ORDER BY rowid",
    "SELECT * FROM base_objects NOT INDEXED ORDER BY rowid",
)
Content = list[list[tuple[object, ...]]]


def write(ledger: store.Ledger, tasks: int, first: int = 0, state: State | None = None) -> State:
    """The lives of some tasks, recorded turn by turn as a controller does it."""
    machine = runtime.Runtime(state or State())
    world = worlds.World()
    moment = events.Now(at=1_800_000_000.0 + first, t=float(first))
    pending: list[events.Event] = [] if first else [*builders.catalogue(), builders.project()]
    for number in range(first, first + tasks):
        pending.append(builders.task(f"t{number}", prompt=f"Do number {number}."))
        while pending:
            step = machine.step(pending, moment)
            if step.recorded:
                found = [machine.state.objects.get(key) for key in step.touched]
                rows = [views.row(machine.state, obj) for obj in found if obj is not None]
                gone = [key for key in step.touched if key not in machine.state.objects]
                ledger.append(step.recorded, rows, gone, machine.state)
            pending = [fact for action in step.actions for fact in world.execute(action)]
    return machine.state


def made(folder: Path, tasks: int = 6) -> Path:
    """A ledger that was closed, then gone on with, and is left as a kill leaves it: with a WAL."""
    path = folder / "live" / "ledger.db"
    ledger = store.Ledger(path)
    ledger.begin_epoch()
    state = write(ledger, tasks // 2)
    ledger.close()
    ledger = store.Ledger(path)
    ledger.begin_epoch()
    write(ledger, tasks - tasks // 2, tasks // 2, state)
    copy(path.parent, folder / "killed")
    ledger.close()
    return folder / "killed" / "ledger.db"


def copy(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    return target / "ledger.db"


def content(path: Path) -> Content | None:
    """All rows of all tables as they are stored; None: they cannot be read."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        try:
            return [db.execute(query).fetchall() for query in EVERYTHING]
        except sqlite3.DatabaseError:
            return None


def told(path: Path) -> list[str]:
    """What the full check says."""
    return verifying.verify(path).problems


def start(path: Path) -> None:
    """What the start of a controller looks at."""
    ledger = store.Ledger(path)
    try:
        ledger.state()
    finally:
        ledger.close()


def flip(path: Path, chance: random.Random) -> str:
    """One bit of one of the files, each byte of it as likely as any other."""
    file = path.with_name(chance.choices(FILES, weights=(8, 3, 1))[0])
    data = bytearray(file.read_bytes())
    place = chance.randrange(len(data))
    data[place] ^= 1 << chance.randrange(8)
    file.write_bytes(data)
    return f"{file.name} byte {place}"


def sql(*statements: str) -> Callable[[Path], None]:
    """Somebody who knows SQL, but not what holds a ledger together."""

    def damage(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            for statement in statements:
                assert db.execute(statement).rowcount, statement

    return damage


def revision(fact: events.RevisionObserved) -> Revision:
    return Revision(ref=fact.ref, commit=fact.commit, tree=fact.tree, roots=fact.roots)
