"""Who may go ahead now: over all objects at once, because limits are nobody's own business.

Told of every event, so that what is in use and who waits for it are always known. A refusal is a `Because` with the
numbers and what would end it; the refused one waits where that is, and is asked again when it is its turn (TASK-7,
TASK-8, TASK-11). All of it follows from the state and the proposals: nothing here is a fact of its own.
"""

from __future__ import annotations

from orchctl.core.because import Because
from orchctl.core.capacity import Capacity
from orchctl.core.claims import Wants
from orchctl.core.ids import Key
from orchctl.core.state import Object, State
from orchctl.core.waiting import Waiter, Waiting


class Admitting:
    def __init__(self, state: State) -> None:
        self.capacity = Capacity()
        self._waiting = Waiting(self.capacity)
        for obj in state.objects.values():
            self.capacity.moved(None, obj)
        self.capacity.observed(state.memory, state.pressed)

    def moved(self, before: Object | None, after: Object | None) -> None:
        """An event has made this of an object."""
        obj = after or before
        if obj is not None:
            self._waiting.moved(obj.key, self.capacity.moved(before, after))

    def observed(self, state: State) -> None:
        """An event has changed what the machine has left."""
        self._waiting.moved(Key(""), self.capacity.observed(state.memory, state.pressed))

    def keep(self, obj: Object, wants: Wants) -> Because | None:
        """Whether one that holds slots may add what it lacks to them: None, or why it has to wait without any."""
        held = obj.task.slots if obj.task is not None else ()
        lacking = self.capacity.lacking(wants.slots, own=held)
        return self.capacity.refusal(lacking) if lacking is not None else None

    def enter(self, obj: Object, wants: Wants) -> None:
        self._waiting.enter(Waiter(obj.key, wants, obj.created.t))

    def leave(self, key: Key) -> Wants | None:
        """What it waited for, if it did."""
        return self._waiting.leave(key)

    def first(self) -> Key | None:
        """Whose turn it is, as long as there is room for anyone. To be let go by `leave`."""
        return self._waiting.first()

    def is_waiting(self, key: Key) -> bool:
        return key in self._waiting

    def passed(self) -> list[Key]:
        """Those that would have been next and were refused since this was last asked."""
        found, self._waiting.passed = list(self._waiting.passed), {}
        return found

    def refusal(self, obj: Object) -> Because:
        return self._waiting.refusal(obj.key, obj.because)
