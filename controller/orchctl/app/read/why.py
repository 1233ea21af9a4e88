"""The answer of `orchctl why` (LOG-4): where an object is and by which rule, since when, what would change it.

The first line is the answer; the rest is proof. A task that waits for its sessions is followed into them, so one
question is enough. Called by the why verb, and by `run` and `quickstart` when something did not end well.
"""

from __future__ import annotations

from orchctl.app.read import blocked, body, resources
from orchctl.kit import durations, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchctl.app.read.body import Body
    from orchctl.app.read.rows import Reader, Record

SESSIONS_FOLLOWED = 10
EVIDENCE_SHOWN = 20
LINE_CHARACTERS_MAX = 400


def lines(record: Record, reader: Reader, now: float) -> Iterator[str]:
    status = body.of(record).at("status")
    yield from _answer(record, status, now)
    yield from _not_taken(status)
    yield from _kept(record, reader)
    for session in _open_sessions(status, record, reader):
        yield ""
        yield from _answer(session, body.of(session).at("status"), now)


def _answer(record: Record, status: Body, now: float) -> Iterator[str]:
    because = body.parse(record.because)
    yield f"{resources.label_of(record.key)} is {_state(record, status)}{_text(because, status)}"
    yield from _line("rule", because.text("rule"))
    since = because.time("since") or status.at("waiting").time("since")
    if since is not None:
        yield from _line("since", f"{body.clock(since)} ({durations.short_age(now - since)} ago)")
    evidence = list(dict.fromkeys([*because.words("evidence"), *status.words("problems")]))
    for number, item in enumerate(evidence[:EVIDENCE_SHOWN]):
        yield from _line("evidence" if number == 0 else "", item)
    unblock = because.text("unblock")
    if unblock or not body.is_terminal(status):
        yield from _line("unblock", unblock or "nothing: it goes on by itself")


def _not_taken(status: Body) -> Iterator[str]:
    """Why agents were passed over that would have come before the one that was chosen (SES-14)."""
    chosen = [row for row in status.each("resolved") if row.words("passedOver")]
    reasons = dict.fromkeys(reason for row in chosen for reason in row.words("passedOver"))
    for number, reason in enumerate(list(reasons)[:EVIDENCE_SHOWN]):
        yield from _line("not taken" if number == 0 else "", reason)


def _kept(record: Record, reader: Reader) -> Iterator[str]:
    """Its manifest is gone from git, and it may not leave unasked (GIT-5)."""
    held = blocked.blocked(reader)
    if held is None or held.confirmed or record.key not in held.keys:
        return
    said = held.message.partition(". ")[0]
    yield from _line("kept", f"GIT-5: found gone in {held.revision[: blocked.REVISION_SHOWN]}: {said}")
    if not held.may_be_confirmed:
        yield from _line("unblock", "bring its manifest back, or set `source.prune.enabled` of the Settings to true")
        return
    what = f"some of the {len(held.keys)} manifests" if len(held.keys) > 1 else "its manifest"
    yield from _line("unblock", f"`{held.command}`, or bring back {what}")


def _state(record: Record, status: Body) -> str:
    state = record.summary or status.text("state") or "in an unknown state"
    return text.one_line(state)


def _text(because: Body, status: Body) -> str:
    """The words of the rule; of the conditions when no rule has spoken yet."""
    words = because.text("text") or status.at("waiting").text("message")
    for type_ in ("Stalled", "Accepted", "Ready"):
        if not words:
            words = body.condition(status, type_).text("message")
    return f": {words}" if words else ""


def _open_sessions(status: Body, record: Record, reader: Reader) -> Iterator[Record]:
    followed = 0
    for name in reversed(status.words("sessions")):
        session = reader.find("Session", record.namespace, name)
        if session is None or body.is_terminal(body.of(session).at("status")):
            continue
        yield session
        followed += 1
        if followed == SESSIONS_FOLLOWED:
            return


def _line(label: str, value: str) -> Iterator[str]:
    if value:
        yield f"  {label:<9} {text.truncate(value, LINE_CHARACTERS_MAX)}"
