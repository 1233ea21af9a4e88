"""Virtual time: what is to happen, in order. Nothing ever waits; the clock goes to the next entry.

Two entries of the same moment come in an order that the seed chooses, so every interleaving is somebody's.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from orchctl.testing.sim.chance import Chance

Act = Callable[[], None]


class Agenda:
    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._heap: list[tuple[float, int, int, str, Act]] = []
        self._count = 0
        self.now = 0.0  # seconds since the simulation began

    def at(self, when: float, what: str, act: Act) -> None:
        self._count += 1
        tie = self._chance.number("tie", what, self._count)
        heapq.heappush(self._heap, (max(when, self.now), tie, self._count, what, act))

    def after(self, seconds: float, what: str, act: Act) -> None:
        self.at(self.now + seconds, what, act)

    def next(self, until: float) -> tuple[str, Act] | None:
        """The next entry, with the clock set to it; None when there is none before `until`, where the clock then is."""
        if not self._heap or self._heap[0][0] > until:
            self.now = max(self.now, until)
            return None
        self.now, _, _, what, act = heapq.heappop(self._heap)
        return what, act
