"""Chance as a function of the seed and of what it is about, never of the order in which it is asked.

So leaving out one task, one person's act or one sort of fault changes nothing else: a failing seed can be shrunk, and
runs with and without one object can be compared. Nothing here may use `hash`, which differs from process to process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_SPAN = float(1 << 53)


class Chance:
    def __init__(self, seed: int) -> None:
        self._key = seed.to_bytes(8, "big", signed=True)

    def number(self, *about: object) -> int:
        """53 bits that belong to this seed and subject."""
        text = "\x1f".join(map(str, about)).encode()
        found = hashlib.blake2b(text, digest_size=7, key=self._key).digest()
        return int.from_bytes(found, "big") >> 3

    def share(self, *about: object) -> float:
        """At least 0 and below 1."""
        return self.number(*about) / _SPAN

    def happens(self, rate: float, *about: object) -> bool:
        return rate > 0.0 and self.share(*about) < rate

    def between(self, low: float, high: float, *about: object) -> float:
        return round(low + (high - low) * self.share(*about), 3)

    def whole(self, low: int, high: int, *about: object) -> int:
        """From `low` to `high`, both included."""
        return low + self.number(*about) % (high - low + 1)

    def one_of(self, of: Sequence[T], *about: object) -> T:
        return of[self.number(*about) % len(of)]

    def weighted(self, of: Sequence[tuple[T, int]], *about: object) -> T:
        left = self.number(*about) % sum(weight for _, weight in of)
        for value, weight in of:
            if left < weight:
                return value
            left -= weight
        raise AssertionError("the weights do not add up")
