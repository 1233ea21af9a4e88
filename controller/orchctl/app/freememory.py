"""Tells the machine when free memory falls below what Settings want, and when it is well above that again.

Asked with everything else that is new outside. Only a crossing is a fact: how much is free changes all the time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol

from orchctl.core import events
from orchctl.core.capacity import MEMORY
from orchctl.core.plan import ALL_SESSIONS
from orchctl.core.state import State
from orchctl.kit import durations

ABOVE_PERCENT = 10  # so much more has to be free before it is no longer short: an end alone must not start the next


class _Facts(Protocol):
    def facts(self, state: State) -> list[events.Event]: ...


class MemoryWatch:
    def __init__(self, others: _Facts, free_bytes: Callable[[], int | None]) -> None:
        self._others = others
        self._free_bytes = free_bytes

    def facts(self, state: State) -> list[events.Event]:
        seen = crossing(state, self._free_bytes())
        return [*([seen] if seen is not None else []), *self._others.facts(state)]


def crossing(state: State, free: int | None) -> events.MemoryObserved | None:
    wanted = _wanted(state)
    short = state.memory
    if wanted is None or free is None:
        if short is None:
            return None
        return events.MemoryObserved(MEMORY, free=free or 0, wanted=0, short=False)
    if short is None:
        return events.MemoryObserved(MEMORY, free=free, wanted=wanted, short=True) if free < wanted else None
    if free * 100 >= wanted * (100 + ABOVE_PERCENT):
        return events.MemoryObserved(MEMORY, free=free, wanted=wanted, short=False)
    if short.wanted != wanted:
        return events.MemoryObserved(MEMORY, free=free, wanted=wanted, short=True)
    return None


def _wanted(state: State) -> int | None:
    settings = state.objects.get(ALL_SESSIONS)
    if settings is None or settings.desired is None:
        return None
    size = json.loads(settings.desired.spec).get("minFreeMemory")
    return durations.size_bytes(size) if size else None
