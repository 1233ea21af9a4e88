"""Reads fields of a served object's JSON without trusting its shape.

The ledger is ours, but a reader must show an object of an older or newer controller as far as it goes, so a field
that is missing or of another type reads as empty. Called by describe, why, logs and progress.
"""

from __future__ import annotations

import json

from orchctl.kit import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchctl.app.read.rows import Record

ENDED_STATES = ("Exited", "Lost", "Cancelled", "Succeeded", "Failed")


class Body:
    """One mapping of an object's JSON."""

    __slots__ = ("fields",)

    def __init__(self, fields: dict[str, object]) -> None:
        self.fields = fields

    def at(self, name: str) -> Body:
        value = self.fields.get(name)
        return Body(value) if isinstance(value, dict) else Body({})

    def each(self, name: str) -> list[Body]:
        value = self.fields.get(name)
        return [Body(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def words(self, name: str) -> list[str]:
        value = self.fields.get(name)
        return [text.one_line(str(item)) for item in value] if isinstance(value, list) else []

    def text(self, name: str) -> str:
        """The field on one line, safe to show; empty when it is not there."""
        value = self.fields.get(name)
        return "" if value is None or isinstance(value, (dict, list)) else text.one_line(str(value))

    def time(self, name: str) -> float | None:
        return instant(self.fields.get(name))

    def __bool__(self) -> bool:
        return bool(self.fields)


def of(record: Record) -> Body:
    value = json.loads(record.body)
    return Body(value if isinstance(value, dict) else {})


def parse(document: str) -> Body:
    value = json.loads(document) if document else {}
    return Body(value if isinstance(value, dict) else {})


def condition(status: Body, type_: str) -> Body:
    for row in status.each("conditions"):
        if row.text("type") == type_:
            return row
    return Body({})


def is_terminal(status: Body) -> bool:
    """Nothing more will happen by itself: it succeeded, failed for good, was refused or has exited."""
    if status.text("state") in ENDED_STATES:
        return True
    if condition(status, "Stalled").text("status") == "True":
        return True
    return condition(status, "Succeeded").text("status") in ("True", "False")


def has_succeeded(status: Body) -> bool:
    return condition(status, "Succeeded").text("status") == "True"


def instant(value: object) -> float | None:
    """Seconds since the epoch of a number or an RFC 3339 time."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if not isinstance(value, str) or not value:
        return None
    import datetime

    try:
        return datetime.datetime.fromisoformat(value).timestamp()
    except ValueError:
        return None


def clock(at: float | None) -> str:
    """RFC 3339 in UTC, whole seconds."""
    if at is None:
        return "<unknown>"
    import datetime

    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
