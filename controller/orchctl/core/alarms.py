"""When to look at which object again by the clock on the wall, which may be set forward and back.

Kept by the runtime beside the wake-ups in controller time. An alarm is compared with the wall clock of each turn, never
turned into a duration: so a clock that is set neither loses one nor lets one ring early (TIME-2).
"""

from __future__ import annotations

import heapq

from orchctl.core.ids import Key

PASSED_OVER_MAX = 64


class Alarms:
    """At most one alarm a key. What was set anew or dropped is passed over when it comes up in the heap."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []

    def set(self, key: Key, due: float) -> None:
        if self._due.get(key) != due:
            self._due[key] = due
            heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._due) + PASSED_OVER_MAX:
            self._heap = [(at, each) for each, at in self._due.items()]
            heapq.heapify(self._heap)

    def drop(self, key: Key) -> None:
        self._due.pop(key, None)

    @property
    def next(self) -> float | None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def ringing(self, at: float) -> list[Key]:
        """The keys whose time has come; they are not to ring again."""
        found = []
        while (due := self.next) is not None and due <= at:
            key = heapq.heappop(self._heap)[1]
            del self._due[key]
            found.append(key)
        return found
