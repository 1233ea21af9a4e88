"""Whether the disk of the ledger has room, as a fact: part of what the loop asks for when it looks around.

The ledger itself gives up the space that was set aside when a commit finds none (F10). That it is gone is what is
noticed here, at the next look; that it could be set aside again is what ends the pressure.
"""

from __future__ import annotations

from typing import Protocol

from orchctl.core import events
from orchctl.core.ids import SOURCE
from orchctl.core.state import State


class _Facts(Protocol):
    def facts(self, state: State) -> list[events.Event]: ...


class _Reserve(Protocol):
    def make(self) -> bool: ...


class DiskWatch:
    """Everything the loop asks for, and before it what there is to say of the disk."""

    def __init__(self, reserve: _Reserve, disk: str, facts: _Facts) -> None:
        self._reserve = reserve
        self._disk = disk
        self._facts = facts

    def facts(self, state: State) -> list[events.Event]:
        has_room = self._reserve.make()
        if has_room == bool(state.pressed):
            said = f"the disk of {self._disk} is nearly full"
            change = events.DiskEased(SOURCE) if has_room else events.DiskPressed(SOURCE, message=said)
            return [change, *self._facts.facts(state)]
        return self._facts.facts(state)
