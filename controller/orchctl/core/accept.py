"""Which facts still mean something: late exits, doubled outcomes and other ghosts are counted, never folded (LOG-8)."""

from __future__ import annotations

import dataclasses

from orchctl.core import events, judgements, lifecycle, requests
from orchctl.core.folds import agents
from orchctl.core.folds.parts import attempts_of
from orchctl.core.ids import Key
from orchctl.core.state import State


@dataclasses.dataclass(frozen=True, slots=True)
class Stale:
    key: Key
    reason: str


def accept(state: State, fact: events.Event) -> events.Event | Stale:
    """The fact itself when it fits what the state knows, else why not."""
    match fact:
        case events.Outcome():
            if state.open.get(fact.action) != fact.key:
                return Stale(fact.key, f"{type(fact).__name__} for an action that is not open")
        case events.AttemptEnded():
            obj = state.objects.get(fact.key)
            attempts = attempts_of(obj) if obj is not None else ()
            attempt = next((one for one in attempts if one.id == fact.attempt), None)
            if attempt is None or attempt.ended is not None:
                return Stale(fact.key, f"the end of attempt {fact.attempt} is unknown here or known already")
        case events.DiskPressed() | events.DiskEased():
            if isinstance(fact, events.DiskPressed) == bool(state.pressed):
                return Stale(fact.key, "known already")
        case events.TargetCleaned():
            obj = state.objects.get(fact.key)
            if obj is None or obj.task is None or not obj.task.dirty:
                return Stale(fact.key, "nothing waits for a clean target")
        case events.ObjectWithdrawn() | judgements.PrincipalFound():
            if fact.key not in state.objects:
                return Stale(fact.key, "not an object here")
        case lifecycle.Request():
            reason = requests.refusal(state, fact)
            if reason:
                return Stale(fact.key, reason)
        case events.AgentProbed() | events.AccountProbed():
            reason = _old_news(state, fact)
            if reason:
                return Stale(fact.key, reason)
        case events.PruneConfirmed():
            reason = unconfirmable(state, fact)
            if reason:
                return Stale(fact.key, reason)
        case _:
            pass
    return fact


def _old_news(state: State, fact: events.AgentProbed | events.AccountProbed) -> str:
    obj = state.objects.get(fact.key)
    if obj is None or obj.desired is None or obj.desired.spec_digest != fact.spec_digest:
        return f"{fact.key} was edited or removed while it was looked at"
    known = obj.program if isinstance(fact, events.AgentProbed) else obj.keyring
    return "this is known already" if agents.says(known, fact) else ""


def unconfirmable(state: State, fact: events.PruneConfirmed) -> str:
    """Why this confirmation changes nothing, or nothing. It counts for just what was blocked at its commit."""
    blocked = state.blocked
    if fact.token in state.tokens:
        return "it was taken up already"
    if blocked is None:
        return "nothing is kept from being withdrawn"
    if blocked.reason == "Disabled":
        return "`source.prune.enabled` of the Settings is false"
    if blocked.revision != fact.revision:
        return f"what is blocked now was found gone in {blocked.revision[:12]}, not in {fact.revision[:12]}"
    return "it is confirmed already" if blocked.confirmed else ""
