"""The ledger file: append a turn in one durable transaction, give the state back at a start.

One writer at a time, which the epoch of every write proves; whoever began earlier is refused. Readers use the same
file read-only and never block it (WAL). The file is made under a temporary name and renamed, so a half-made ledger is
never seen. What is wrong with a ledger is found before anything is written to it (`opening`), or never changed here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path

from orchctl.adapters.ledger import anchor, bases, chain, codec, opening, segments, specs
from orchctl.adapters.ledger.errors import Damaged, DiskFull, Fenced, LedgerError
from orchctl.adapters.ledger.reserve import NAME as RESERVE
from orchctl.adapters.ledger.reserve import Reserve
from orchctl.core import events, narrate, views
from orchctl.core.ids import Key, kind_of, name_of, namespace_of
from orchctl.core.state import State

SCHEMA_VERSION = "2"
PAGE_ROWS = 1_000
BUSY_S = 10.0
CONTROLLER = "controller"
SEALED = "sealed"  # the setting that says how far


@dataclasses.dataclass(frozen=True, slots=True)
class _Turn:
    """A turn as it is written: made before the file is locked, and the same when it has to be written again."""

    events: list[tuple[object, ...]]
    specs: list[tuple[str, str]]
    rows: list[tuple[object, ...]]
    removed: list[tuple[str]]
    counters: str
    head: opening.Head
    sealed: int  # the last event whose rows a segment has, where this turn says so
    sum: int
    digests: dict[str, bytes | None]


class Ledger:
    """The open ledger of one controller. Not thread-safe: one thread at a time uses it."""

    def __init__(self, path: Path, reserve: Reserve | None = None) -> None:
        self.path = path
        self.reserve = reserve or Reserve(path.with_name(RESERVE))
        self.epoch = 0
        self._failed = ""  # why nothing may be written any more
        with contextlib.ExitStack() as opened:
            self._anchor = anchor.AnchorFile(path.with_name(anchor.NAME))
            opened.callback(self._anchor.close)
            mark = self._anchor.mark
            if not path.exists():
                if mark is not None and mark.seq:
                    raise opening.behind(mark.seq, mark.seq)
                create(path)
            self._db = connect(path)
            opened.callback(self._db.close)
            with readable(path):
                self._open(mark)
            opened.pop_all()

    def _open(self, mark: anchor.Mark | None) -> None:
        check_schema(self._db)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._head = head(self._db)
        if mark is None:
            if self._head.seq:
                raise Damaged(f"{self._anchor.path} is missing: {opening.RECOVER}")
            mark = anchor.Mark(0, 0, chain.GENESIS)
            self._anchor.make(mark)
        opening.check_anchor(self._db, self._head, int(self.meta("epoch") or "0"), mark)
        self._digests: dict[str, bytes] = dict(self._db.execute("SELECT key, row_digest FROM objects"))
        self._sum = chain.total(self._digests.values())
        opening.check_objects(self._head, self._sum, self.meta("counters"))

    def meta(self, name: str) -> str | None:
        return meta(self._db, name)

    def set_meta(self, **values: str) -> None:
        rows = [meta_row(name, value) for name, value in values.items()]

        def work() -> None:
            self._check_epoch()
            self._db.executemany(SET_META, rows)

        self._commit(work)

    def begin_epoch(self) -> int:
        """A number of its own for each run of a controller. From here on, those that began before may not write."""
        begun = 0

        def work() -> None:
            nonlocal begun
            begun = int(self.meta("epoch") or "0") + 1
            self._db.execute(SET_META, meta_row("epoch", str(begun)))

        self._commit(work)
        self.epoch = begun
        self._anchor.write(anchor.Mark(begun, self._head.seq, self._head.hash))
        self.reserve.make()
        return begun

    def append(
        self,
        batch: Sequence[events.Recorded],
        rows: Sequence[views.Row],
        removed: Sequence[Key],
        after: State,
    ) -> None:
        """Record a turn: its events and what they make of the objects, all or nothing, durable on return."""
        assert batch, "rows change only with an event"
        assert batch[0].seq == self._head.seq + 1, f"event {batch[0].seq} after {self._head.seq}: no gaps"
        turn = self._prepared(batch, rows, removed, after)
        self._commit(lambda: self._write(turn))
        self._head, self._sum = turn.head, turn.sum
        for key, digest in turn.digests.items():
            if digest is None:
                self._digests.pop(key, None)
            else:
                self._digests[key] = digest
        self._anchor.write(anchor.Mark(self.epoch, turn.head.seq, turn.head.hash))

    def _commit(self, work: Callable[[], None]) -> None:
        """In one transaction; where the disk is full, once more with the space set aside (F10)."""
        if self._failed:
            raise LedgerError(self._failed)
        if self._try(work) or (self.reserve.release() and self._try(work)):
            return
        self._failed = f"the disk of {self.path} is full: nothing is begun any more; make room and start again"
        raise DiskFull(self._failed)

    def _try(self, work: Callable[[], None]) -> bool:
        """False when there was no space, and nothing of it is in the file."""
        try:
            with transaction(self._db):
                work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                return False
            # After a failed sync nobody knows what is on the disk, and asking again may say "fine" (F11).
            self._failed = f"{self.path} cannot be written: {error}"
            raise LedgerError(self._failed) from error
        return True

    def _prepared(
        self, batch: Sequence[events.Recorded], rows: Sequence[views.Row], removed: Sequence[Key], after: State
    ) -> _Turn:
        written = [object_row(row) for row in rows]
        digests: dict[str, bytes | None] = {str(key): None for key in removed}
        digests.update({str(row.key): digest_in(done) for row, done in zip(rows, written, strict=True)})
        sum_of_rows = self._sum
        for key, digest in digests.items():
            sum_of_rows = chain.replaced(sum_of_rows, self._digests.get(key), digest)
        counters = codec.encode_counters(after)
        found, head = event_rows(batch, self._head, self.epoch, chain.after_turn(sum_of_rows, counters))
        specs = [(e.spec_digest, e.spec) for e in (one.event for one in batch) if isinstance(e, events.ObjectAdmitted)]
        gone: list[tuple[str]] = [(key,) for key in removed]
        sealed = max((e.last for e in (one.event for one in batch) if isinstance(e, events.LedgerSealed)), default=0)
        return _Turn(found, specs, written, gone, counters, head, sealed, sum_of_rows, digests)

    def _write(self, turn: _Turn) -> None:
        self._check_epoch()
        self._db.executemany(INSERT_SPEC, turn.specs)
        self._db.executemany(INSERT_EVENT, turn.events)
        self._db.executemany("DELETE FROM objects WHERE key = ?", turn.removed)
        self._db.executemany(UPSERT_OBJECT, turn.rows)
        self._db.execute(SET_META, meta_row("counters", turn.counters))
        if turn.sealed:
            self._db.execute("DELETE FROM events WHERE seq <= ?", (turn.sealed,))
            self._db.execute(SET_META, meta_row(SEALED, str(turn.sealed)))

    def _check_epoch(self) -> None:
        """Within the transaction, so that nobody can begin an epoch between this look and the commit."""
        found = int(self.meta("epoch") or "0")
        if found != self.epoch:
            self._failed = f"another controller (epoch {found}) owns {self.path}: this one (epoch {self.epoch}) stops"
            raise Fenced(self._failed)

    def read(self) -> Iterator[events.Recorded]:
        """Every event in order."""
        return recorded(self._db, self.path)

    def state(self) -> State:
        """The state as the last turn left it, from the objects table: equal to the fold of all events (LOG-3)."""
        with readable(self.path):
            return state_of(self._db)

    def last_moment(self) -> events.Now | None:
        row = self._db.execute("SELECT at, t FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        return None if row is None else events.Now(at=row[0], t=row[1])

    def rows(self) -> dict[str, bytes]:
        """Digest by key of the read model, to be compared with what the events fold to."""
        return dict(self._db.execute("SELECT key, row_digest FROM objects"))

    def close(self) -> None:
        self._db.close()
        self._anchor.close()


def recorded(db: sqlite3.Connection, path: Path) -> Iterator[events.Recorded]:
    """Every event in order, the sealed ones first: none is left out unsaid but those that are known to be lost."""
    found, gaps, last = specs.Specs(db), dict(bases.described(meta(db, bases.NAME)).gaps), 0
    for row in rows_of(db, segments.folder_of(path), last, _refused):
        seq = int(str(row[0]))
        if seq != last + 1 and gaps.get(last + 1) != seq - 1:
            raise Damaged(f"events are missing: from {last + 1} to {seq - 1}{where(db, seq)}: {opening.RECOVER}")
        yield codec.recorded((*row[:4], row[7], row[8]), found)
        last = seq


def rows_of(
    db: sqlite3.Connection, folder: Path, last: int, damaged: Callable[[Damaged], None]
) -> Iterator[segments.Row]:
    """The rows of events behind `last`, from segments and table, a page at a time: nothing is held meanwhile.

    A controller may seal what is not read yet: rows that are gone from the table are looked for in the segments.
    """
    while True:
        page = db.execute(PAGE, (last,)).fetchall()
        if not page or page[0][0] != last + 1:
            through = sealed_to(db)
            if through > last:
                yield from segments.rows(folder, last, through, damaged)
                last = through
                continue
        if not page:
            return
        yield from page
        last = page[-1][0]


def sealed_to(db: sqlite3.Connection) -> int:
    """The last event that is in a segment and no longer in the table."""
    return int(meta(db, SEALED) or "0")


def where(db: sqlite3.Connection, seq: int) -> str:
    """What to add to the news that the events before `seq` are missing."""
    return f" (a file of {segments.FOLDER}/ had them)" if seq <= sealed_to(db) + 1 else ""


def _refused(error: Damaged) -> None:
    raise error


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=BUSY_S, check_same_thread=False)


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Whatever SQLite, or a value that should be there, says against reading: one sentence about the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{path} is not a ledger that can be read: {error}; {opening.RECOVER}") from error
    except LedgerError as error:
        raise type(error)(f"{path}: {error}") from error


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK when anything was raised."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:  # SQLite itself has ended it after some errors, such as a full disk
            db.execute("ROLLBACK")


def meta(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value, digest FROM meta WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    if row[1] != chain.meta_digest(name, row[0]):
        raise Damaged(f"the setting {name} is not what was recorded: {opening.RECOVER}")
    return str(row[0])


def head(db: sqlite3.Connection) -> opening.Head:
    return opening.head(db, bases.described(meta(db, bases.NAME)).gaps)


def check_schema(db: sqlite3.Connection) -> None:
    """Before all else: what other columns there are depends on it."""
    row = db.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    if row is None or row[0] != SCHEMA_VERSION:
        found = "no schema version" if row is None else f"schema version {row[0]}"
        raise LedgerError(f"{found}; this release reads version {SCHEMA_VERSION}")


def meta_row(name: str, value: str) -> tuple[str, str, bytes]:
    return (name, value, chain.meta_digest(name, value))


def state_of(db: sqlite3.Connection) -> State:
    """The objects and counters of an open ledger, each row checked against its digest."""
    counters = meta(db, "counters")
    if counters is None:
        return State()
    found = []
    for key, text, shown, digest in db.execute(_STATES):
        if chain.row_digest(shown, text) != digest:
            raise Damaged(f"the row of {key} is not what was recorded: {opening.RECOVER}")
        obj = codec.decode_object(text)
        if obj.key != key:
            raise Damaged(f"the row of {key} is that of {obj.key}: {opening.RECOVER}")
        found.append(obj)
    return bases.state_from(counters, found)


def event_rows(
    batch: Sequence[events.Recorded], before: opening.Head, epoch: int, after: bytes
) -> tuple[list[tuple[object, ...]], opening.Head]:
    """The rows of a turn, each bound to the one before it, and the head they lead to."""
    digest, rows = before.hash, []
    for recorded in batch:
        event, now = recorded.event, recorded.now
        line = narrate.narrate(event)
        shown = (line.severity, line.reason, line.message) if line is not None else (None, None, None)
        place = (recorded.seq, recorded.turn, float(now.at), float(now.t), epoch)
        what = (kind_of(event.key), str(event.key), type(event).__name__, codec.encode(event))
        content = (*place, *what, CONTROLLER, None, *shown, after if recorded is batch[-1] else None)
        before_hash, digest = digest, chain.link(digest, content)
        rows.append((*content, before_hash, digest))
    return rows, opening.Head(batch[-1].seq, digest, after)


def object_row(row: views.Row) -> tuple[object, ...]:
    """All columns, the row's digest last."""
    identity = (str(row.key), kind_of(row.key), namespace_of(row.key), name_of(row.key))
    counters = (row.uid, row.generation, row.seq)
    looks = (row.ready, row.summary, row.stage, row.agent, float(row.created_at), row.body, row.because)
    columns = (*identity, *counters, *looks)
    shown, state = chain.shown_digest(columns), codec.encode_object(row.object)
    return (*columns, state, shown, chain.row_digest(shown, state))


def digest_in(object_columns: tuple[object, ...]) -> bytes:
    found = object_columns[-1]
    assert isinstance(found, bytes)
    return found


def row_digest(row: views.Row) -> bytes:
    return digest_in(object_row(row))


def create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    db = sqlite3.connect(temporary, isolation_level=None)
    db.executescript(resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8"))
    db.executemany(SET_META, [meta_row("schema_version", SCHEMA_VERSION)])
    db.close()
    temporary.chmod(0o600)
    os.replace(temporary, path)


INSERT_EVENT = f"""INSERT INTO events({opening.CONTENT}, prev_hash, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""  # noqa: S608
UPSERT_OBJECT = """INSERT OR REPLACE INTO objects(key, kind, namespace, name, uid, generation, seq, ready, summary,
stage, agent, created_at, body, because, state, shown_digest, row_digest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
INSERT_SPEC = "INSERT OR IGNORE INTO specs(digest, spec) VALUES (?, ?)"
SET_META = "INSERT OR REPLACE INTO meta(name, value, digest) VALUES (?, ?, ?)"
PAGE = f"SELECT {opening.CONTENT}, prev_hash, hash FROM events WHERE seq > ? ORDER BY seq LIMIT {PAGE_ROWS}"  # noqa: S608
_STATES = "SELECT key, state, shown_digest, row_digest FROM objects ORDER BY created_at, key"

__all__ = ["Ledger", "LedgerError", "row_digest"]
