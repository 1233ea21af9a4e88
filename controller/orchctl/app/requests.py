"""Requests of people on their way through the inbox: the verb writes one, the controller makes it a fact.

The file goes only when the fact is in the ledger, or when it means nothing any more: a crash in between leaves it, and
its token in the ledger keeps it from counting twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from orchctl.adapters.host import inbox as inboxes
from orchctl.app import asking
from orchctl.app.read import failures, locate
from orchctl.core import accept, events, ports
from orchctl.core import requests as core_requests
from orchctl.core.ids import SOURCE, Oid
from orchctl.core.state import State

CONFIRM_PRUNE = "ConfirmPrune"


class _Admission(Protocol):
    def facts(self, state: State) -> list[events.Event]: ...


class Intake:
    """Everything the loop asks for when it looks around: the requests of people, and what git says."""

    def __init__(self, inbox: inboxes.Inbox, admitted: _Admission, announce: Callable[[str], None]) -> None:
        self._inbox = inbox
        self._admitted = admitted
        self._announce = announce

    def facts(self, state: State) -> list[events.Event]:
        found: list[events.Event] = []
        for request in self._inbox.waiting():
            fact, reason = _judged(request, state)
            if fact is not None:
                found.append(fact)
                continue
            self._inbox.remove(request.token)
            if request.token not in state.tokens:
                self._announce(f"warning: request {request.token} changes nothing: {reason}")
        return found + self._admitted.facts(state)


def _judged(request: inboxes.Request, state: State) -> tuple[events.Event | None, str]:
    """What is to be recorded of it, a refusal among that; or why nothing is."""
    confirmation = _fact(request)
    if confirmation is not None:
        reason = accept.unconfirmable(state, confirmation)
        return (None, reason) if reason else (confirmation, "")
    asked = asking.fact_of(request)
    if asked is None:
        return None, "it is no request of this release"
    reason = core_requests.refusal(state, asked)
    if not reason:
        return asked, ""
    refused = asking.refused(asked, reason)
    return (None, reason) if core_requests.refusal(state, refused) else (refused, "")


def _fact(request: inboxes.Request) -> events.PruneConfirmed | None:
    revision = request.content.get("revision")
    if request.content.get("verb") != CONFIRM_PRUNE or not isinstance(revision, str) or len(revision) > 64:
        return None
    actor = f"claimed:{request.uid}"
    return events.PruneConfirmed(SOURCE, revision=Oid(revision), token=request.token, actor=actor)


def confirm_prune(place: locate.Place, revision: str) -> str:
    """Leaves the confirmation in the inbox; its token."""
    state_dir = place.state_dir
    assert state_dir is not None, "somebody has read the ledger in it"
    try:
        return inboxes.Inbox(Path(state_dir)).submit({"verb": CONFIRM_PRUNE, "revision": revision})
    except ports.PermanentError as error:
        raise failures.CommandError(str(error)) from error
