"""The text of `orchctl describe`: all that is known of one object, for people, section by section.

Called by the describe verb with a record and its last events; asks nothing and writes nothing itself.
"""

from __future__ import annotations

from orchctl.app.read import body, resources, tables, yamltext
from orchctl.kit import durations, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchctl.app.read.body import Body
    from orchctl.app.read.rows import Event, Record

LABEL_WIDTH = 13
EVENTS_SHOWN = 10
ATTEMPTS_SHOWN = 50
PROBLEMS_SHOWN = 50
MESSAGE_CHARACTERS_MAX = 160
SOURCE = "orchctl.dev/source"


def lines(record: Record, events: Sequence[Event], now: float) -> Iterator[str]:
    served = body.of(record)
    status = served.at("status")
    yield from _head(record, served, now)
    yield from _waiting(status, now)
    yield from _problems(status)
    yield from _spec(served)
    yield from _stages(status, now)
    yield from _gates(status)
    yield from _attempts(status)
    yield from _conditions(status, now)
    yield from _resolved(status)
    yield from _events(events, now)


def _head(record: Record, served: Body, now: float) -> Iterator[str]:
    metadata, status = served.at("metadata"), served.at("status")
    yield _field("Name", record.name)
    if record.namespace:
        yield _field("Namespace", record.namespace)
    yield _field("Kind", record.kind)
    yield from _known("Labels", _pairs(metadata.at("labels")))
    yield from _known("Source", metadata.at("annotations").text(SOURCE))
    yield _field("Created", f"{body.clock(record.created_at)} ({durations.short_age(now - record.created_at)} ago)")
    yield from _known("Generation", _generation(metadata, status))
    yield from _known("Status", record.summary)
    yield from _known("Stage", _stage(status))
    for label, name in STATUS_FIELDS:
        yield from _known(label, status.text(name))
    yield from _known("Sessions", ", ".join(status.words("sessions")))
    yield from _known("Took", _took(status, now))


STATUS_FIELDS = (
    ("State", "state"),
    ("Agent", "agent"),
    ("Task", "task"),
    ("Worktree", "worktree"),
    ("Path", "path"),
    ("Version", "version"),
    ("Since", "since"),
    ("Branch", "branch"),
    ("Base", "base"),
    ("Head", "head"),
    ("Merged", "merged"),
)


def _generation(metadata: Body, status: Body) -> str:
    generation, seen = metadata.text("generation"), status.text("observedGeneration")
    return generation if not seen or seen == generation else f"{generation} (settled: {seen})"


def _stage(status: Body) -> str:
    stage, attempt, cycle = status.text("stage"), status.text("attempt"), status.text("cycle")
    numbers = [f"{word} {number}" for word, number in (("attempt", attempt), ("cycle", cycle)) if number]
    return f"{stage} ({', '.join(numbers)})" if stage and numbers else stage


def _took(status: Body, now: float) -> str:
    started, ended = status.time("startedAt"), status.time("endedAt")
    if started is None:
        return ""
    return durations.short_age(ended - started) if ended is not None else f"{durations.short_age(now - started)} so far"


def _waiting(status: Body, now: float) -> Iterator[str]:
    waiting = status.at("waiting")
    if not waiting.text("reason"):
        return
    since = waiting.time("since")
    age = f" (for {durations.short_age(now - since)})" if since is not None else ""
    yield _field("Waiting", f"{waiting.text('reason')}: {waiting.text('message')}{age}")


def _problems(status: Body) -> Iterator[str]:
    problems = status.words("problems")
    if problems:
        yield "Problems:"
        yield from (f"  {problem}" for problem in problems[:PROBLEMS_SHOWN])


def _spec(served: Body) -> Iterator[str]:
    spec = served.at("spec")
    if spec:
        yield "Spec:"
        yield from yamltext.lines(spec.fields, "  ")


def _stages(status: Body, now: float) -> Iterator[str]:
    rows = [
        (stage.text("name"), stage.text("state"), _took(stage, now) or "-", _message(stage))
        for stage in status.each("stages")
    ]
    yield from _section("Stages", ("NAME", "STATE", "TOOK", "MESSAGE"), rows)


def _gates(status: Body) -> Iterator[str]:
    rows = [
        (
            gate.text("stage"),
            gate.text("name"),
            gate.text("state"),
            gate.text("exitCode") or "-",
            gate.text("attempt") or "-",
            _message(gate),
        )
        for gate in status.each("gates")
    ]
    yield from _section("Gates", ("STAGE", "NAME", "STATE", "EXIT", "ATTEMPT", "MESSAGE"), rows)


def _attempts(status: Body) -> Iterator[str]:
    rows = [
        (
            attempt.text("id"),
            attempt.text("purpose"),
            attempt.text("phase"),
            attempt.text("exitCode") or "-",
            attempt.text("outputBytes") or "0",
        )
        for attempt in status.each("attempts")[-ATTEMPTS_SHOWN:]
    ]
    yield from _section("Attempts", ("ID", "PURPOSE", "PHASE", "EXIT", "OUTPUT"), rows)


def _conditions(status: Body, now: float) -> Iterator[str]:
    rows = []
    for row in status.each("conditions"):
        changed = row.time("lastTransitionTime")
        age = durations.short_age(now - changed) if changed is not None else "-"
        rows.append((row.text("type"), row.text("status"), row.text("reason"), age, _message(row)))
    yield from _section("Conditions", ("TYPE", "STATUS", "REASON", "AGE", "MESSAGE"), rows)


def _resolved(status: Body) -> Iterator[str]:
    rows = [(row.text("field"), row.text("name"), row.text("source")) for row in status.each("resolved")]
    yield from _section("Resolved", ("FIELD", "NAME", "FROM"), rows)


def _events(events: Sequence[Event], now: float) -> Iterator[str]:
    rows = event_rows(events, now)
    if not rows:
        yield _field("Events", tables.NONE)
        return
    yield from _section("Events", ("LAST SEEN", "TYPE", "REASON", "MESSAGE"), [(*row[:3], row[4]) for row in rows])


def event_rows(events: Sequence[Event], now: float) -> list[tuple[str, str, str, str, str]]:
    """Last seen, type, reason, object, message."""
    return [
        (
            durations.short_age(now - event.at),
            text.one_line(event.severity),
            text.one_line(event.reason),
            text.one_line(resources.label_of(event.key)),
            text.one_line(event.message, MESSAGE_CHARACTERS_MAX),
        )
        for event in events
    ]


def _section(title: str, titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield f"{title}:"
        yield from tables.aligned([titles, *rows], "  ")


def _message(row: Body) -> str:
    return text.truncate(row.text("message"), MESSAGE_CHARACTERS_MAX)


def _pairs(mapping: Body) -> str:
    return ", ".join(f"{text.one_line(name)}={mapping.text(name)}" for name in sorted(mapping.fields))


def _known(label: str, value: str) -> Iterator[str]:
    if value:
        yield _field(label, value)


def _field(label: str, value: str) -> str:
    return f"{label + ':':<{LABEL_WIDTH}}{text.one_line(value, 400)}"
