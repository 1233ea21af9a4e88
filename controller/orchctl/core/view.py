"""What one decision may read, and a record of what it did read.

`propose` sees other objects only through a `View`. The keys it asked for are the reverse index: when one of them
changes, the reader is decided again. No index is kept by hand, so none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchctl.core.ids import Key, kind_of
from orchctl.core.state import WORK_KINDS, Object, State


class View:
    """Read access to a state, recording keys. Reading a whole kind is recorded as the kind's name."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.read: dict[Key, None] = {}  # a dict, not a set: the order of reads must not depend on hashing

    def get(self, key: Key) -> Object | None:
        self.read[key] = None
        return self._state.objects.get(key)

    def all_of(self, kind: str) -> Iterator[Object]:
        self.read[Key(kind)] = None
        assert kind not in WORK_KINDS, "a decision that walks all work would cost more the more there is"
        for key in self._state.declared:
            if kind_of(key) == kind:
                yield self._state.objects[key]

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders of the control repo that manifests are read from now. Asked only when an effect is made."""
        return self._state.revision.roots if self._state.revision is not None else ()

    def members(self, group: Key) -> tuple[Key, ...]:
        """The Tasks of a merge group, in order. Who asks is decided again when one joins it."""
        self.read[group] = None
        return self._state.groups.get(group, ())
