"""A mapping that is changed at the cost of the change, while every earlier version of it stays what it was.

The state is a value that each event replaces, and there may be a hundred thousand objects in it: copying them per event
would make every event cost as much as all of them. Here the newest version owns an ordinary dict, and each version
before it knows only in what it differs from the next one. So the newest is read at the speed of a dict and in the order
things came in, which is the same in every process; an old one costs a look at what has changed since.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

STEPS_MAX = 64  # of looking through later changes; an old version that is read beyond that gets a dict of its own


class _Absent:
    """What the next version has and this one has not."""


_ABSENT = _Absent()


class Versioned(Mapping[K, V], Generic[K, V]):
    """Reads like any mapping. `put` and `without` answer the next version and leave this one as it is."""

    __slots__ = ("_before", "_key", "_latest", "_next")

    def __init__(self, given: Mapping[K, V] | None = None) -> None:
        self._own(dict(given) if given is not None else {})

    def _own(self, values: dict[K, V]) -> None:
        self._latest: dict[K, V] | None = values
        self._next: Versioned[K, V] | None = None
        self._key: K | None = None
        self._before: V | _Absent = _ABSENT

    def put(self, key: K, value: V) -> Versioned[K, V]:
        values = self._values()
        before = values.get(key, _ABSENT)
        values[key] = value
        return self._give_to_next(values, key, before)

    def without(self, key: K) -> Versioned[K, V]:
        values = self._values()
        before = values.pop(key, _ABSENT)
        return self if isinstance(before, _Absent) else self._give_to_next(values, key, before)

    def _give_to_next(self, values: dict[K, V], key: K, before: V | _Absent) -> Versioned[K, V]:
        after: Versioned[K, V] = Versioned.__new__(Versioned)
        after._own(values)
        self._latest, self._next, self._key, self._before = None, after, key, before
        return after

    def _values(self) -> dict[K, V]:
        """All of this version as a dict. An old version gets one of its own, and no longer depends on later ones."""
        if self._latest is not None:
            return self._latest
        changes: list[tuple[K, V | _Absent]] = []
        at: Versioned[K, V] = self
        while at._latest is None:
            changes.append((at._key, at._before))  # type: ignore[arg-type]
            assert at._next is not None
            at = at._next
        values = dict(at._latest)
        for key, before in reversed(changes):
            if isinstance(before, _Absent):
                del values[key]
            else:
                values[key] = before
        self._own(values)
        return values

    def __getitem__(self, key: K) -> V:
        at: Versioned[K, V] = self
        for _ in range(STEPS_MAX):
            if at._latest is not None:
                return at._latest[key]
            if at._key == key:
                if isinstance(at._before, _Absent):
                    raise KeyError(key)
                return at._before
            assert at._next is not None
            at = at._next
        return self._values()[key]

    def __len__(self) -> int:
        return len(self._values())

    # What is walked through is what was there when the walk began, whatever is recorded meanwhile.

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._values()))

    def values(self) -> ValuesView[V]:
        return _Values(self)

    def items(self) -> ItemsView[K, V]:
        return _Items(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Versioned):
            return self._values() == other._values()
        return self._values() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Versioned({self._values()!r})"


class _Values(ValuesView[V]):
    _mapping: Versioned[object, V]

    def __iter__(self) -> Iterator[V]:
        return iter(list(self._mapping._values().values()))


class _Items(ItemsView[K, V]):
    _mapping: Versioned[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return iter(list(self._mapping._values().items()))


def of(given: Mapping[K, V]) -> Versioned[K, V]:
    """The mapping itself, or a first version made from a plain one."""
    return given if isinstance(given, Versioned) else Versioned(given)
