"""The ledger file: append a batch in one durable transaction, read everything back at start.

One writer, opened only by the controller that holds the lease. Readers use the same file read-only and never block
it (WAL). The file is made under a temporary name and renamed, so a half-made ledger is never seen.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from orchctl.adapters.ledger import codec
from orchctl.adapters.ledger.errors import LedgerError
from orchctl.core import events, narrate, views
from orchctl.core.ids import Key, kind_of, name_of, namespace_of
from orchctl.core.state import WORK_KINDS, State

SCHEMA_VERSION = "1"
PAGE_ROWS = 1_000
CONTROLLER = "controller"


class Ledger:
    """The open ledger of one controller. Not thread-safe: the loop owns it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            _create(path)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10.0, check_same_thread=False)
        try:
            found = self.meta("schema_version")
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise LedgerError(f"{path} is not a ledger that can be read: {error}") from error
        if found != SCHEMA_VERSION:
            self._db.close()
            raise LedgerError(f"{path} has schema version {found}; this release reads version {SCHEMA_VERSION}")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self.epoch = 0

    def meta(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, **values: str) -> None:
        with self._transaction():
            self._db.executemany(_SET_META, list(values.items()))

    def begin_epoch(self) -> int:
        """A number of its own for each run of a controller, so that its records can be told from all others."""
        self.epoch = int(self.meta("epoch") or "0") + 1
        self.set_meta(epoch=str(self.epoch))
        return self.epoch

    def append(
        self,
        batch: Sequence[events.Recorded],
        rows: Sequence[views.Row],
        removed: Sequence[Key],
        after: State,
    ) -> None:
        """Record a turn: its events and what they make of the objects, all or nothing, durable on return."""
        if batch:
            last = self._db.execute("SELECT max(seq) FROM events").fetchone()[0] or 0
            assert batch[0].seq == last + 1, f"event {batch[0].seq} after {last}: the ledger has no gaps"
        with self._transaction():
            for recorded in batch:
                self._append_one(recorded)
            self._db.executemany("DELETE FROM objects WHERE key = ?", [(key,) for key in removed])
            self._db.executemany(_UPSERT, [_object_row(row) for row in rows])
            self._db.execute(_SET_META, ("counters", codec.encode_counters(after)))

    def _append_one(self, recorded: events.Recorded) -> None:
        event, now = recorded.event, recorded.now
        if isinstance(event, events.ObjectAdmitted):
            spec = (event.spec_digest, event.spec)
            self._db.execute("INSERT OR IGNORE INTO specs(digest, spec) VALUES (?, ?)", spec)
        line = narrate.narrate(event)
        shown = (line.severity, line.reason, line.message) if line is not None else (None, None, None)
        place = (recorded.seq, recorded.turn, now.at, now.t, self.epoch)
        what = (kind_of(event.key), event.key, type(event).__name__, codec.encode(event))
        self._db.execute(_INSERT_EVENT, (*place, *what, CONTROLLER, None, *shown))

    def read(self) -> Iterator[events.Recorded]:
        """Every event in order, a page at a time: no read transaction is held while the caller works."""
        specs: dict[str, str] = dict(self._db.execute("SELECT digest, spec FROM specs"))
        last = 0
        while page := self._db.execute(_PAGE, (last, PAGE_ROWS)).fetchall():
            for seq, turn, at, t, type_name, data in page:
                event = codec.decode(type_name, data, specs)
                yield events.Recorded(seq=seq, turn=turn, now=events.Now(at=at, t=t), event=event)
            last = page[-1][0]

    def state(self) -> State:
        """The state as the last turn left it, from the objects table: equal to the fold of all events (LOG-3)."""
        counters = self.meta("counters")
        if counters is None:
            return State()
        stored = self._db.execute("SELECT state FROM objects ORDER BY created_at, key")
        objects = {obj.key: obj for (text,) in stored for obj in [codec.decode_object(text)]}
        under_way = {obj.open.key: obj.key for obj in objects.values() if obj.open is not None}
        declared = {key: None for key in objects if kind_of(key) not in WORK_KINDS}
        kept = codec.decode_counters(counters)
        return dataclasses.replace(kept, objects=objects, open=under_way, declared=declared)

    def last_moment(self) -> events.Now | None:
        row = self._db.execute("SELECT at, t FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        return None if row is None else events.Now(at=row[0], t=row[1])

    def rows(self) -> dict[str, str]:
        """Digest by key of the read model, to be compared with what the events fold to."""
        return dict(self._db.execute("SELECT key, row_digest FROM objects"))

    def close(self) -> None:
        self._db.close()

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK when anything was raised."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:  # SQLite itself has ended it after some errors, such as a full disk
                self._db.execute("ROLLBACK")


def row_digest(row: views.Row) -> str:
    return hashlib.sha256(f"{row.key}\x1f{row.seq}\x1f{row.body}\x1f{row.because}".encode()).hexdigest()[:16]


def _object_row(row: views.Row) -> tuple[object, ...]:
    identity = (row.key, kind_of(row.key), namespace_of(row.key), name_of(row.key))
    counters = (row.uid, row.generation, row.seq)
    shown = (row.ready, row.summary, row.stage, row.agent, row.created_at)
    return (*identity, *counters, *shown, row.body, row.because, row_digest(row), codec.encode_object(row.object))


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    db = sqlite3.connect(temporary, isolation_level=None)
    db.executescript(resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8"))
    db.execute("INSERT INTO meta(name, value) VALUES ('schema_version', ?)", (SCHEMA_VERSION,))
    db.close()
    temporary.chmod(0o600)
    os.replace(temporary, path)


_INSERT_EVENT = """INSERT INTO events(seq, turn, at, t, epoch, kind, key, type, data, actor, cause,
severity, reason, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPSERT = """INSERT OR REPLACE INTO objects(key, kind, namespace, name, uid, generation, seq, ready, summary, stage,
agent, created_at, body, because, row_digest, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_SET_META = "INSERT OR REPLACE INTO meta(name, value) VALUES (?, ?)"
_PAGE = "SELECT seq, turn, at, t, type, data FROM events WHERE seq > ? ORDER BY seq LIMIT ?"

__all__ = ["Ledger", "LedgerError", "row_digest"]
