"""What people ask of one object, from the words of a command to a file in the inbox, and from there to a fact.

Called by the verbs that ask, and by the intake of the controller. What is in a file was written by anybody who may
write there: every value is bounded before it becomes a fact, and whether it can be done is judged by the core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from orchctl.adapters.host import inbox as inboxes
from orchctl.app.read import failures, locate
from orchctl.core import lifecycle, ports, questions
from orchctl.core.ids import Key

TEXT_CHARACTERS_MAX = 500
WALL_S_MAX = 253_402_300_799.0  # the end of the year 9999: no time behind it can be shown

Content = Mapping[str, object]


class _Unfit(Exception):
    """A value that no verb of this release writes."""


def fact_of(request: inboxes.Request) -> lifecycle.Request | None:
    """The fact a request file asks for; None when this release would not have written it."""
    make = _MAKERS.get(str(request.content.get("verb")))
    if make is None:
        return None
    try:
        key = Key(_text(request.content, "key"))
        if key.count("/") != 2:
            return None
        return make(key, request.token, f"claimed:{request.uid}", request.content)
    except _Unfit:
        return None


def refused(fact: lifecycle.Request, reason: str) -> lifecycle.RequestRefused:
    verb = type(fact).__name__.removesuffix("Requested")
    return lifecycle.RequestRefused(fact.key, token=fact.token, actor=fact.actor, verb=verb, reason=reason)


def submit(place: locate.Place, verb: str, key: str, **values: object) -> str:
    """Leaves the request in the inbox; its token."""
    state_dir = place.state_dir
    assert state_dir is not None, "somebody has read the ledger in it"
    content = {"verb": verb, "key": key, **values}
    try:
        return inboxes.Inbox(Path(state_dir)).submit(content)
    except ports.PermanentError as error:
        raise failures.CommandError(str(error)) from error


def _suspend(key: Key, token: str, actor: str, content: Content) -> lifecycle.Request:
    until = content.get("until")
    if until is not None and (isinstance(until, bool) or not isinstance(until, int | float)):
        raise _Unfit
    if until is not None and not 0 <= until <= WALL_S_MAX:
        raise _Unfit
    ends = float(until) if until is not None else None
    return lifecycle.SuspendRequested(key, token=token, actor=actor, reason=_text(content, "reason"), until=ends)


def _resume(key: Key, token: str, actor: str, content: Content) -> lifecycle.Request:
    return lifecycle.ResumeRequested(key, token=token, actor=actor)


def _cancel(key: Key, token: str, actor: str, content: Content) -> lifecycle.Request:
    mode, reason = _text(content, "mode"), _text(content, "reason")
    return lifecycle.CancelRequested(key, token=token, actor=actor, mode=mode, reason=reason)


def _retry(key: Key, token: str, actor: str, content: Content) -> lifecycle.Request:
    return lifecycle.RetryRequested(key, token=token, actor=actor, from_stage=_text(content, "fromStage"))


def _answer(key: Key, token: str, actor: str, content: Content) -> lifecycle.Request:
    option, text = _text(content, "option"), _text(content, "text")
    return questions.AnswerRequested(key, token=token, actor=actor, option=option, text=text)


def _text(content: Content, name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX:
        raise _Unfit
    return value


_MAKERS: dict[str, Callable[[Key, str, str, Content], lifecycle.Request]] = {
    "Suspend": _suspend,
    "Resume": _resume,
    "Cancel": _cancel,
    "Retry": _retry,
    "Answer": _answer,
}
