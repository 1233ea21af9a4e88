"""What may not be withdrawn until a person says so, as part of the state: it survives the controller that found it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from orchctl.core import events
from orchctl.core.folds import parts
from orchctl.core.state import BlockedPrune, State
from orchctl.kit import digest

# More than one look at the inbox takes up. Requests leave it once they are recorded, so an old one comes back only if
# it is put back by hand.
TOKENS_KEPT = 256
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
    return with_token(dataclasses.replace(state, blocked=confirmed), event.token)


def with_token(state: State, token: str) -> State:
    """A request that was taken up: it must not count again when its file is still there after a crash."""
    return dataclasses.replace(state, tokens=(*state.tokens, token)[-TOKENS_KEPT:])


def digest_of(keys: Iterable[str]) -> str:
    """The state is written whole with every turn, and these may be thousands: it only has to know them again."""
    return digest.sha256_hex("\n".join(sorted(keys)))
