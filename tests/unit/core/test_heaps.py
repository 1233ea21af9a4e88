"""The queue that waiting and waking are built on, against the plainest thing that does the same."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies

from orchctl.core.heaps import SPARE, Heap


@hypothesis.settings(deadline=None, database=None)
@hypothesis.given(
    strategies.lists(strategies.tuples(strategies.integers(0, 9), strategies.integers(-1, 20)), max_size=200)
)
def test_the_least_is_on_top_whatever_was_moved_or_taken_out(changes) -> None:
    heap: Heap[int] = Heap()
    plain: dict[int, tuple[int, int]] = {}
    for item, order in changes:
        if order < 0:
            heap.discard(item)
            plain.pop(item, None)
        else:
            heap.put(item, (order, item))
            plain[item] = (order, item)
        least = min(plain.values(), default=None)
        assert heap.top() == (None if least is None else (least, least[1]))
        assert (len(heap), sorted(heap)) == (len(plain), sorted(plain))
        assert len(heap._heap) <= 2 * len(plain) + SPARE + 1, "what means nothing any more is thrown away"
