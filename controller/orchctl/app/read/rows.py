"""Reads the controller's ledger: objects and events, read-only, in pages.

Called by every read command and by `run` while it follows a task. It holds no transaction across output or waiting
(a page is fetched whole), never writes, and checks the schema version before anything else.
"""

from __future__ import annotations

import sqlite3

from orchctl.app.read import failures, sealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCHEMA_VERSION = "2"
PAGE_ROWS = 1000
BUSY_S = 2.0

PAGE_OF_OBJECTS = """
SELECT namespace, name, {columns} FROM objects
WHERE kind = :kind AND (:namespace IS NULL OR namespace = :namespace) AND (namespace, name) > (:after_ns, :after_name)
ORDER BY namespace, name LIMIT :limit
"""
ONE_OBJECT = "SELECT namespace, name, {columns} FROM objects WHERE key = :key"
NAMES_OF_KIND = "SELECT name FROM objects WHERE kind = :kind AND namespace = :namespace ORDER BY name LIMIT :limit"
PAGE_OF_EVENTS = """
SELECT seq, at, severity, reason, key, message FROM events
WHERE seq > :after AND reason IS NOT NULL AND reason != ''
  AND (:severity IS NULL OR severity = :severity) AND (:key IS NULL OR key = :key)
  AND (:namespace IS NULL OR key LIKE '%/' || :namespace || '/%')
ORDER BY seq LIMIT :limit
"""
LAST_EVENTS = """
SELECT * FROM (
  SELECT seq, at, severity, reason, key, message FROM events
  WHERE key = :key AND reason IS NOT NULL AND reason != '' ORDER BY seq DESC LIMIT :limit
) ORDER BY seq
"""
FULL_COLUMNS = "kind, key, seq, ready, summary, stage, agent, created_at, body, because"


class Event:
    """One thing that happened, as people read it."""

    __slots__ = ("at", "key", "message", "reason", "seq", "severity")

    def __init__(self, row: Sequence[object]) -> None:
        seq, at, severity, reason, key, message = row
        self.seq = int(str(seq))
        self.at = float(str(at))
        self.severity = str(severity or "Normal")
        self.reason = str(reason)
        self.key = str(key)
        self.message = str(message or "")


class Story:
    """One event as the machine recorded it, for those who follow what rests on what."""

    __slots__ = ("at", "data", "key", "message", "reason", "seq", "type")

    def __init__(self, row: Sequence[object]) -> None:
        seq, at, key, type_, data, reason, message = row
        self.seq = int(str(seq))
        self.at = float(str(at))
        self.key = str(key)
        self.type = str(type_)
        self.data = str(data or "{}")
        self.reason = str(reason or "")
        self.message = str(message or "")


PAGE_OF_STORIES = """
SELECT seq, at, key, type, data, reason, message FROM events
WHERE key IN (SELECT value FROM json_each(:keys)) AND seq > :after ORDER BY seq LIMIT :limit
"""
STORIES_OF_TYPE = """
SELECT seq, at, key, type, data, reason, message FROM events
WHERE key >= :prefix AND key < :prefix || '~' AND type IN (SELECT value FROM json_each(:types))
ORDER BY key, seq LIMIT :limit
"""
ONE_SPEC = "SELECT spec FROM specs WHERE digest = :digest"
LAST_DATA = "SELECT data FROM events WHERE key = :key AND type = :type ORDER BY seq DESC LIMIT 1"


class Record:
    """One object as the ledger has it; `body` and `because` are JSON text."""

    __slots__ = ("because", "body", "created_at", "key", "kind", "name", "namespace", "seq", "summary")

    def __init__(self, row: Sequence[object]) -> None:
        namespace, name, kind, key, seq, _ready, summary, _stage, _agent, created_at, body, because = row
        self.namespace = str(namespace)
        self.name = str(name)
        self.kind = str(kind)
        self.key = str(key)
        self.seq = int(str(seq or 0))
        self.summary = str(summary or "")
        self.created_at = float(str(created_at or 0))
        self.body = str(body or "{}")
        self.because = str(because or "")


class Reader:
    """An open read-only ledger. Use as a context manager."""

    def __init__(self, path: str) -> None:
        self._path = path
        quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        try:
            self._connection = sqlite3.connect(
                f"file:{quoted}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            version = self.meta("schema_version")
        except sqlite3.Error as error:
            raise failures.CommandError(f"the ledger {path} cannot be read: {error}") from error
        if version != SCHEMA_VERSION:
            self.close()
            raise failures.CommandError(
                f"the ledger {path} has schema {version or 'none'}, this orchctl reads {SCHEMA_VERSION}:"
                " use the orchctl of the controller that wrote it"
            )

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def meta(self, name: str) -> str | None:
        rows = self._fetch("SELECT value FROM meta WHERE name = :name", {"name": name})
        return str(rows[0][0]) if rows else None

    def head(self) -> int:
        """The newest event's number: it changes exactly when something happened."""
        return int(str(self._fetch("SELECT coalesce(max(seq), 0) FROM events", {})[0][0]))

    def sealed_to(self) -> int:
        """The last event that is in a segment file and no longer in the table."""
        return int(self.meta("sealed") or "0")

    def find(self, kind: str, namespace: str, name: str) -> Record | None:
        rows = self._fetch(ONE_OBJECT.format(columns=FULL_COLUMNS), {"key": f"{kind}/{namespace}/{name}"})
        return Record(rows[0]) if rows else None

    def objects(self, kind: str, namespace: str | None) -> Iterator[Record]:
        for row in self.select(kind, namespace, FULL_COLUMNS):
            yield Record(row)

    def select(self, kind: str, namespace: str | None, columns: str) -> Iterator[Sequence[object]]:
        """(namespace, name, *columns) of every object of the kind, ordered; `columns` are SQL of ours."""
        after_ns, after_name = "", ""
        query = PAGE_OF_OBJECTS.format(columns=columns)
        while True:
            page = self._fetch(
                query,
                {
                    "kind": kind,
                    "namespace": namespace,
                    "after_ns": after_ns,
                    "after_name": after_name,
                    "limit": PAGE_ROWS,
                },
            )
            yield from page
            if len(page) < PAGE_ROWS:
                return
            after_ns, after_name = str(page[-1][0]), str(page[-1][1])

    def select_one(self, key: str, columns: str) -> Sequence[object] | None:
        rows = self._fetch(ONE_OBJECT.format(columns=columns), {"key": key})
        return rows[0] if rows else None

    def names(self, kind: str, namespace: str) -> list[str]:
        rows = self._fetch(NAMES_OF_KIND, {"kind": kind, "namespace": namespace, "limit": PAGE_ROWS})
        return [str(row[0]) for row in rows]

    def events(
        self, after: int = 0, *, key: str | None = None, namespace: str | None = None, severity: str | None = None
    ) -> Iterator[Event]:
        """Those that are not sealed. Who goes on from a place before them is told, as something would be left out."""
        if 0 < after < self.sealed_to():
            said = f"events up to {self.sealed_to()} are sealed, so nobody can go on after {after}: begin anew"
            raise failures.CommandError(said, failures.NOT_FOUND)
        while True:
            page = self._fetch(
                PAGE_OF_EVENTS,
                {"after": after, "key": key, "namespace": namespace, "severity": severity, "limit": PAGE_ROWS},
            )
            for row in page:
                yield Event(row)
            if len(page) < PAGE_ROWS:
                return
            after = int(str(page[-1][0]))

    def last_events(self, key: str, limit: int) -> list[Event]:
        return [Event(row) for row in self._fetch(LAST_EVENTS, {"key": key, "limit": limit})]

    def stories(self, keys: Sequence[str]) -> Iterator[Story]:
        """Every event of these objects, oldest first."""
        import json

        after = 0
        while True:
            through = self.sealed_to()
            if through > after:
                for old in sealed.stories(self._path, after, through, keys):
                    yield Story(old)
                after = through
            page = self._fetch(PAGE_OF_STORIES, {"keys": json.dumps(keys), "after": after, "limit": PAGE_ROWS})
            if self.sealed_to() > after:
                continue  # sealed meanwhile: what this page lacks is in a file
            for row in page:
                yield Story(row)
            if len(page) < PAGE_ROWS:
                return
            after = int(str(page[-1][0]))

    def stories_of_type(self, prefix: str, types: Sequence[str]) -> list[Story]:
        """Events of these types, of the objects whose keys begin so."""
        import json

        asked = {"prefix": prefix, "types": json.dumps(types), "limit": PAGE_ROWS}
        later = self._fetch(STORIES_OF_TYPE, asked)  # first: what is sealed meanwhile is then in both
        found = [*sealed.stories_of_type(self._path, self.sealed_to(), prefix, types), *later]
        return [Story(row) for row in {row[0]: row for row in found}.values()]

    def spec(self, digest: str) -> str:
        """The spec of that digest, as JSON; empty when it is unknown."""
        rows = self._fetch(ONE_SPEC, {"digest": digest})
        return str(rows[0][0]) if rows else ""

    def last_data(self, key: str, type_: str) -> str:
        """What the newest event of a type says of an object, as JSON; empty when there is none."""
        rows = self._fetch(LAST_DATA, {"key": key, "type": type_})
        return str(rows[0][0]) if rows else sealed.last_data(self._path, self.sealed_to(), key, type_)

    def _fetch(self, query: str, parameters: dict[str, object]) -> list[tuple[object, ...]]:
        try:
            return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise failures.CommandError(f"the ledger cannot be read: {error}") from error
