"""Which specs an object has had: when each was admitted, from which commit, what it changed, and what came of it.

Called by the history verb. A generation is a spec that differs; an object removed and written again begins at one.
"""

from __future__ import annotations

from orchctl.app.read import body
from orchctl.kit import durations, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchctl.app.read.rows import Reader, Record

SOURCE = "Source//control"
TITLES = ("GENERATION", "ADMITTED", "COMMIT", "FROM", "RESULT", "CHANGED")
OID_SHOWN = 12
CHANGES_SHOWN = 8
VALUE_CHARACTERS_MAX = 40


class Generation:
    """One spec of the object."""

    __slots__ = ("admitted", "changes", "commit", "number", "path", "result", "uid")

    def __init__(self, admitted: float, commit: str, data: body.Body) -> None:
        self.admitted = admitted
        self.commit = commit
        self.number = data.text("generation")
        self.path = f"{data.text('path')}:{data.text('line')}"
        self.uid = data.text("uid")
        self.changes: list[str] = []
        self.result = ""

    def cells(self, now: float) -> tuple[str, ...]:
        changed = ", ".join(self.changes[:CHANGES_SHOWN])
        more = len(self.changes) - CHANGES_SHOWN
        changed += f" and {more} more" if more > 0 else ""
        age = f"{durations.short_age(now - self.admitted)} ago"
        return (self.number, age, self.commit or "<none>", self.path, self.result or "<none>", changed or "<nothing>")


def generations(record: Record, reader: Reader) -> Iterator[Generation]:
    """Oldest first. A move of the file alone is no generation."""
    commit = ""
    current: Generation | None = None
    before: dict[str, object] = {}
    for story in reader.stories([SOURCE, record.key]):
        data = body.parse(story.data)
        if story.type == "RevisionObserved":
            commit = data.text("commit")[:OID_SHOWN]
        elif story.type == "ObjectAdmitted":
            is_known = current is not None and (current.number, current.uid) == (
                data.text("generation"),
                data.text("uid"),
            )
            if is_known:
                continue
            if current is not None:
                yield current
            spec = body.parse(reader.spec(data.text("spec_digest"))).fields
            is_new = current is None or current.uid != data.text("uid")
            current = Generation(story.at, commit, data)
            current.changes = ["(new)"] if is_new else list(differences(before, spec))
            before = spec
        elif story.type == "TaskEnded" and current is not None:
            current.result = data.text("outcome")
    if current is not None:
        yield current


def differences(before: object, after: object, path: str = "spec") -> Iterator[str]:
    """Each leaf that is not the same, as `path: old -> new`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from differences(before.get(name), after.get(name), f"{path}.{name}")
    elif before != after:
        yield f"{path}: {_shown(before)} -> {_shown(after)}"


def _shown(value: object) -> str:
    import json

    return "unset" if value is None else text.one_line(json.dumps(value, ensure_ascii=False), VALUE_CHARACTERS_MAX)
