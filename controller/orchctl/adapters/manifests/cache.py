"""What manifests parsed to, by blob, so that a controller that starts again reads and parses only what changed.

Called by admission, from one thread at a time. It is only a cache: whatever is wrong with its file, the file is made
anew or done without, and nobody is told. Must never give what this very code would not have parsed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

import orchctl
from orchctl.adapters.manifests.problems import Loaded
from orchctl.core.ids import Oid

BUSY_S = 2.0
CHANGES_MAX = 1_000  # kept in memory until they are written in one transaction
_PACKAGE = Path(__file__).resolve().parents[2]
SOURCES = ("api", "kit", "adapters/manifests", "core/ids.py")  # all that a parse depends on
LIBRARIES = ("pydantic", "ruamel.yaml", "jinja2", "common-expression-language", "apscheduler", "tzdata")
_TABLE = """CREATE TABLE IF NOT EXISTS parsed(
  oid TEXT NOT NULL, version TEXT NOT NULL, sum INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (oid, version))"""
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Loaded)
_Found = TypeVar("_Found")


@functools.cache
def schema_version() -> str:
    """Names this code: its schemas, its rules and its wording, by their source. No number to forget to raise."""
    versions = [orchctl.__version__, *(_version_of(library) for library in LIBRARIES)]
    taken = hashlib.sha256(" ".join(versions).encode())
    for source in SOURCES:
        place = _PACKAGE / source
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            taken.update(f"\0{file.relative_to(_PACKAGE).as_posix()}\0".encode() + file.read_bytes())
    return taken.hexdigest()[:32]


def _version_of(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"


class ParseCache:
    def __init__(self, path: Path, version: str | None = None) -> None:
        self._path = path
        self._version = version or schema_version()
        self._fresh: dict[Oid, bytes] = {}
        self._db: sqlite3.Connection | None = None
        self._db = self._opened() or self._remade()

    def find(self, oid: Oid, path: str) -> Loaded | None:
        """What this blob parsed to, as if it had been read at this path."""
        row = self._tried(lambda db: db.execute(_FIND, (oid, self._version)).fetchone())
        if row is None or zlib.crc32(row[0], zlib.crc32(oid.encode())) != row[1]:
            return None
        try:
            found = _DECODER.decode(row[0])
        except msgspec.MsgspecError:
            return None
        return _placed(found, path)

    def keep(self, oid: Oid, loaded: Loaded) -> None:
        """Takes effect with the next `flush`: until then it would only be parsed again."""
        self._fresh[oid] = _ENCODER.encode(_placed(loaded, ""))
        if len(self._fresh) >= CHANGES_MAX:
            self.flush()

    def flush(self) -> None:
        fresh, self._fresh = self._fresh, {}
        rows = [(oid, self._version, zlib.crc32(data, zlib.crc32(oid.encode())), data) for oid, data in fresh.items()]
        if rows:
            self._tried(lambda db: _in_one(db, _KEEP, rows))

    def drop_all_but(self, oids: Iterable[Oid]) -> None:
        """Bounds the file by what git holds now; rows of other versions go too."""
        wanted = {str(oid) for oid in oids}
        held = self._tried(lambda db: db.execute("SELECT oid, version FROM parsed").fetchall()) or []
        gone = [row for row in held if row[1] != self._version or row[0] not in wanted]
        if gone:
            self._tried(lambda db: _in_one(db, _DROP, gone))

    def close(self) -> None:
        self.flush()
        if self._db is not None:
            self._db.close()
            self._db = None

    def _tried(self, work: Callable[[sqlite3.Connection], _Found]) -> _Found | None:
        """None when the file cannot be used; it is then made anew, for what comes after."""
        if self._db is None:
            return None
        try:
            return work(self._db)
        except (sqlite3.OperationalError, sqlite3.ProgrammingError):
            return None  # busy, full or closed meanwhile: the file itself may be whole
        except sqlite3.DatabaseError:
            self._db = self._remade()
            return None

    def _opened(self) -> sqlite3.Connection | None:
        db: sqlite3.Connection | None = None
        try:
            self._path.touch(0o600)
            # The controller opens it, its git thread uses it: one after the other, never both.
            db = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute(_TABLE)
            db.execute(_FIND, ("", "")).fetchone()
        except (OSError, sqlite3.Error):
            if db is not None:
                db.close()
            return None
        return db

    def _remade(self) -> sqlite3.Connection | None:
        if self._db is not None:
            self._db.close()
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()
        return self._opened()


def _in_one(db: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(statement, rows)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _placed(loaded: Loaded, path: str) -> Loaded:
    return Loaded(
        tuple(dataclasses.replace(document, path=path) for document in loaded.documents),
        tuple(dataclasses.replace(problem, path=path) for problem in loaded.problems),
    )


_FIND = "SELECT CAST(data AS BLOB), sum FROM parsed WHERE oid = ? AND version = ?"
_KEEP = "INSERT OR REPLACE INTO parsed(oid, version, sum, data) VALUES (?, ?, ?, ?)"
_DROP = "DELETE FROM parsed WHERE oid = ? AND version = ?"
