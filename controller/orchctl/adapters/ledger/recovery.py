"""`orchctl recover`: a new ledger from what can be read of a damaged one. The damaged files are kept, never changed.

The new file is made beside the old one and checked in full. Then the old files are moved to a folder of their own and
the new one takes the place. Killed at any point, either the old ledger is in place as it was, or none is: then no
controller starts, and the next recovery finishes what this one began. A `LedgerRecovered` in the chain tells of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import sqlite3
from pathlib import Path

from orchctl.adapters.ledger import anchor, bases, chain, codec, segments, store, survey, verifying
from orchctl.adapters.ledger.errors import LedgerError
from orchctl.adapters.ledger.specs import is_spec
from orchctl.core import events, evolve, views
from orchctl.core.ids import SOURCE

DAMAGED = "damaged"  # the folder that keeps what was found
SETTINGS = ("control_repo", "ref", "clock")
NAMES_SHOWN = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    events: int
    objects: int
    lost: int
    names: tuple[str, ...]  # of what is lost
    folder: Path | None  # None: nothing was wrong


def recover(path: Path, accept_loss: int, at: float) -> Outcome:
    """`at` is the wall time of the `LedgerRecovered`. The caller holds the lease."""
    made, work = path.with_name(f"{path.name}.recovered"), path.with_name("recovering")
    shutil.rmtree(work, ignore_errors=True)
    mark = _mark(path)
    if made.exists() and _mark_of(made) == mark:
        return _put_in_place(path, made)  # a recovery before this one was killed while it did that
    made.unlink(missing_ok=True)
    if path.exists():
        report = verifying.verify(path)
        if not report.problems:
            return Outcome(report.events, report.objects, 0, (), None)
    elif mark is None or not mark.seq:
        raise LedgerError(f"there is no ledger at {path}")
    work.mkdir(mode=0o700)
    sealed = segments.folder_of(path)
    try:
        _make(path, work, _Wanted(made, sealed, _free_folder(path.with_name(DAMAGED)), accept_loss, at), mark)
    finally:
        shutil.rmtree(work)
    return _put_in_place(path, made)


@dataclasses.dataclass(frozen=True, slots=True)
class _Wanted:
    made: Path
    sealed: Path  # the folder of the segments
    folder: Path
    accept_loss: int
    at: float


def _mark(path: Path) -> anchor.Mark | None:
    try:
        return anchor.read(path.with_name(anchor.NAME))
    except LedgerError:
        return None


def _free_folder(parent: Path) -> Path:
    """Not made yet: a recovery that is refused leaves nothing behind."""
    taken = [int(entry.name) for entry in parent.glob("[0-9]*")]
    return parent / str(max(taken, default=0) + 1)


def _make(path: Path, work: Path, wanted: _Wanted, mark: anchor.Mark | None) -> None:
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{path}{suffix}", f"{work / path.name}{suffix}")
    with contextlib.closing(store.connect(work / path.name)) as source:
        found = _surveyed(source, wanted.sealed, mark)
        if found.lost_count > wanted.accept_loss:
            raise LedgerError(_refusal(found))
        target = work / "made" / path.name
        store.create(target)
        with contextlib.closing(store.connect(target)) as db, store.transaction(db):
            _fill(db, source, found, _settings(source, found, mark), wanted)
    anchor.make(target.with_name(anchor.NAME), _mark_of(target))
    problems = verifying.verify(target).problems
    if problems:
        raise LedgerError(f"what could be read does not make a ledger: {problems[0]}; nothing was changed")
    (work / "lost.txt").write_text("".join(f"{name}\n" for name in found.names), encoding="utf-8")
    wanted.folder.parent.mkdir(mode=0o700, exist_ok=True)
    wanted.folder.mkdir(mode=0o700)
    os.replace(work / "lost.txt", wanted.folder / "lost.txt")
    os.replace(target, wanted.made)


def _surveyed(source: sqlite3.Connection, sealed: Path, mark: anchor.Mark | None) -> survey.Survey:
    try:
        store.check_schema(source)
    except sqlite3.DatabaseError:
        with contextlib.suppress(sqlite3.DatabaseError):
            source.execute("SELECT 1 FROM events LIMIT 1")
            return survey.survey(source, sealed, mark)
        return survey.nothing(mark)
    return survey.survey(source, sealed, mark)


def _refusal(found: survey.Survey) -> str:
    count = found.lost_count
    shown = "; ".join(found.names[:NAMES_SHOWN])
    more = f"; and {count - NAMES_SHOWN} more" if count > NAMES_SHOWN else ""
    events_word = "1 event is" if count == 1 else f"{count} events are"
    return (
        f"{events_word} lost and nothing was changed ({shown or 'none of them can be named'}{more}): "
        f"`orchctl recover --accept-loss {count}` goes on without"
    )


def _settings(source: sqlite3.Connection, found: survey.Survey, mark: anchor.Mark | None) -> dict[str, str]:
    """Those that can be read; what is not there is found out again at the next start."""
    kept = {}
    for name in (*SETTINGS, "epoch"):
        with contextlib.suppress(sqlite3.DatabaseError, LedgerError):
            value = store.meta(source, name)
            if value is not None:
                kept[name] = value
    known = [int(kept.get("epoch", "0")), mark.epoch if mark is not None else 0]
    with contextlib.suppress(sqlite3.DatabaseError, IndexError):
        known += [int(source.execute("SELECT epoch FROM events WHERE seq = ?", (found.kept[-1],)).fetchone()[0])]
    kept["epoch"] = str(max(known) + 1)
    if found.base.seq:
        kept[bases.NAME] = bases.describe(found.base)
    return kept


def _fill(
    db: sqlite3.Connection, source: sqlite3.Connection, found: survey.Survey, settings: dict[str, str], wanted: _Wanted
) -> None:
    _copy_events(db, source, found, wanted.sealed)
    _copy_specs(db, source, found)
    if found.base.seq:
        db.executemany("INSERT INTO base_objects(key, state) VALUES (?, ?)", bases.rows_of(found.base_state))
    told = events.LedgerRecovered(SOURCE, lost=found.lost_count, folder=str(wanted.folder), base=found.base.digest)
    now = events.Now(at=wanted.at, t=found.turn_t)
    recorded = events.Recorded(found.end.seq + 1, found.state.turn + 1, now, told)
    state = evolve.evolve(found.state, recorded)
    rows = [store.object_row(views.row(state, obj)) for obj in state.objects.values()]
    counters = codec.encode_counters(state)
    after = chain.after_turn(chain.total(map(store.digest_in, rows)), counters)
    made, _ = store.event_rows([recorded], found.end, int(settings["epoch"]), after)
    db.executemany(store.INSERT_EVENT, made)
    db.executemany(store.UPSERT_OBJECT, rows)
    pairs = {**settings, "counters": counters}
    db.executemany(store.SET_META, [store.meta_row(name, value) for name, value in pairs.items()])


def _copy_events(db: sqlite3.Connection, source: sqlite3.Connection, found: survey.Survey, sealed: Path) -> None:
    """Sealed ones too: the new ledger has them in its table, until they are sealed again."""
    kept = set(found.kept)
    for row in survey.readable_rows(source, sealed, None):
        if row[0] in kept:
            db.execute(store.INSERT_EVENT, row)


def _copy_specs(db: sqlite3.Connection, source: sqlite3.Connection, found: survey.Survey) -> None:
    specs = dict(found.specs)
    with contextlib.suppress(sqlite3.DatabaseError):
        for wanted, spec in source.execute("SELECT digest, spec FROM specs NOT INDEXED"):
            if is_spec(wanted, spec):
                specs[wanted] = spec
    db.executemany(store.INSERT_SPEC, specs.items())


def _mark_of(made: Path) -> anchor.Mark:
    with contextlib.closing(store.connect(made)) as db:
        head = store.head(db)
        return anchor.Mark(int(store.meta(db, "epoch") or "0"), head.seq, head.hash)


def _put_in_place(path: Path, made: Path) -> Outcome:
    """Only moving files, so that it may be done again from any point.

    The anchor goes first: from then on no controller takes the old file for the ledger, nor none for a beginning.
    """
    folder = max(path.with_name(DAMAGED).glob("[0-9]*"), key=lambda entry: int(entry.name))
    beside, mark = path.with_name(anchor.NAME), _mark_of(made)
    if beside.exists() and not (folder / anchor.NAME).exists():
        shutil.copyfile(beside, folder / anchor.NAME)
    anchor.make(beside, mark)
    for name in (path.name, f"{path.name}-wal"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(path.with_name(name), folder / name)
    if not (folder / segments.FOLDER).exists():
        with contextlib.suppress(FileNotFoundError):
            os.rename(segments.folder_of(path), folder / segments.FOLDER)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    os.replace(made, path)
    anchor.sync(path.parent)
    names = tuple((folder / "lost.txt").read_text(encoding="utf-8").splitlines())
    with contextlib.closing(store.connect(path)) as db:
        count = db.execute("SELECT count(*) FROM events").fetchone()[0]
        objects = db.execute("SELECT count(*) FROM objects").fetchone()[0]
        data = db.execute("SELECT data FROM events WHERE seq = ?", (mark.seq,)).fetchone()[0]
    told = codec.decode("LedgerRecovered", data, {})
    assert isinstance(told, events.LedgerRecovered)
    return Outcome(count, objects, told.lost, names, folder)
