"""A priority queue whose entries may be moved and taken out: the least is found in O(log n) of all changes so far.

Nothing is searched for in the heap: an entry that was moved or taken out stays there until it comes to the top, and is
dropped then. So an order must be total: two different items never have the same one.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=Hashable)
SPARE = 64  # entries that mean nothing any more, allowed beside as many as there are live ones


class Heap(Generic[T]):
    __slots__ = ("_heap", "_orders")

    def __init__(self) -> None:
        self._heap: list[tuple[Any, T]] = []
        self._orders: dict[T, Any] = {}

    def put(self, item: T, order: Any) -> None:
        """Enter it, or move it to another order."""
        if self._orders.get(item) == order:
            return
        self._orders[item] = order
        heapq.heappush(self._heap, (order, item))
        if len(self._heap) > 2 * len(self._orders) + SPARE:
            self._heap = [(order, item) for item, order in self._orders.items()]
            heapq.heapify(self._heap)

    def discard(self, item: T) -> None:
        self._orders.pop(item, None)

    def top(self) -> tuple[Any, T] | None:
        """The least order and its item, or None when nothing is there."""
        while self._heap:
            order, item = self._heap[0]
            if self._orders.get(item) == order:
                return order, item
            heapq.heappop(self._heap)
        return None

    def __contains__(self, item: T) -> bool:
        return item in self._orders

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._orders))
