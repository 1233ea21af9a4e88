"""What may not be withdrawn until a person says so, as part of the state: it survives the controller that found it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from orchctl.core import events
from orchctl.core.folds import parts
from orchctl.core.state import BlockedPrune, State
from orchctl.kit import digest

TOKENS_KEPT = 64  # requests leave the inbox once they are recorded, so an old one comes back only if put back by hand
Pruning = events.PruneBlocked | events.PruneConfirmed | events.PruneLifted


def pruning(state: State, event: Pruning) -> State:
    match event:
        case events.PruneBlocked():
            found = BlockedPrune(event.revision, digest_of(event.keys), event.message, event.reason)
            return dataclasses.replace(state, blocked=found)
        case events.PruneLifted():
            return dataclasses.replace(state, blocked=None)
    if state.blocked is None:
        raise parts.IllegalEvent("a confirmation of nothing")
    confirmed = dataclasses.replace(state.blocked, confirmed=True)
    return dataclasses.replace(state, blocked=confirmed, tokens=(*state.tokens, event.token)[-TOKENS_KEPT:])


def digest_of(keys: Iterable[str]) -> str:
    """The state is written whole with every turn, and these may be thousands: it only has to know them again."""
    return digest.sha256_hex("\n".join(sorted(keys)))
