"""The ledger in memory, with the production codec on every event and row: what is read back was written and encoded.

A turn is in it whole or not at all, also when the controller dies in the middle or the disk fails. Beside the rows it
keeps a fold of the events read back, so that the two and the live state can be compared (I7).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from orchctl.adapters.ledger import bases, codec
from orchctl.core import events, evolve, views
from orchctl.core.folds import parts
from orchctl.core.ids import Key
from orchctl.core.state import State
from orchctl.testing.sim.faults import Killed, Swarm


class DiskError(Exception):
    """The ledger cannot be written: the controller ends, and begins again from what is there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    seq: int
    turn: int
    now: events.Now
    epoch: int
    type: str
    data: str


class Ledger:
    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self.entries: list[Entry] = []
        self.rows: dict[Key, str] = {}
        self.specs: dict[str, str] = {}
        self.counters = ""
        self.epoch = 0
        self.acknowledged = 0  # the last event somebody was told is recorded
        self.last: events.Now | None = None
        self._folded = State()
        self._folded_to = 0  # entries

    def append(
        self,
        epoch: int,
        batch: Sequence[events.Recorded],
        rows: Sequence[views.Row],
        removed: Sequence[Key],
        after: State,
    ) -> None:
        """The turn, durable on return. `epoch` is that of the writer."""
        swarm = self._swarm
        if swarm.strikes("kill-before-append", "ledger"):
            raise Killed("before a turn is recorded")
        if swarm.strikes("disk-full", "ledger") or swarm.strikes("disk-error", "ledger"):
            raise DiskError("the ledger cannot be written")
        torn = swarm.strikes("kill-in-append", "ledger")
        if not torn or swarm.strikes("kill-in-append-kept", "ledger") or after.turn % 2:
            self._write(epoch, batch, rows, removed, after)
        if torn:
            raise Killed("while a turn is recorded")
        if swarm.strikes("kill-after-append", "ledger"):
            raise Killed("after a turn is recorded")
        self.acknowledged = len(self.entries)

    def _write(
        self,
        epoch: int,
        batch: Sequence[events.Recorded],
        rows: Sequence[views.Row],
        removed: Sequence[Key],
        after: State,
    ) -> None:
        for one in batch:
            if isinstance(one.event, events.ObjectAdmitted):
                self.specs[one.event.spec_digest] = one.event.spec
            data = codec.encode(one.event)
            self.entries.append(Entry(one.seq, one.turn, one.now, epoch, type(one.event).__name__, data))
            self.last = one.now
        self.rows.update((row.key, codec.encode_object(row.object)) for row in rows)
        for key in removed:
            self.rows.pop(key, None)
        self.counters = codec.encode_counters(after)

    def state(self) -> State:
        """As the production ledger gives it at a start."""
        if not self.counters:
            return State()
        read = [codec.decode_object(text) for text in self.rows.values()]
        return bases.state_from(self.counters, read)

    def folded(self) -> State:
        """What the events read back come to."""
        for entry in self.entries[self._folded_to :]:
            event = codec.decode(entry.type, entry.data, self.specs)
            self._folded = evolve.evolve(self._folded, events.Recorded(entry.seq, entry.turn, entry.now, event))
        self._folded_to = len(self.entries)
        return self._folded

    # --- oracles ------------------------------------------------------------------------------------------------

    def i7_rows_equal_the_fold(self) -> str | None:
        return self._compared("I7: rows", self.state())

    def i7_live_state_equals_the_fold(self, live: State) -> str | None:
        return self._compared("I7: the live state", live)

    def _compared(self, what: str, found: State) -> str | None:
        try:
            return difference(what, found, "the fold of all events", self.folded())
        except parts.IllegalEvent as defect:
            return f"I7: the events read back do not follow from each other: {defect}"

    def i8_nothing_acknowledged_is_lost(self) -> str | None:
        if len(self.entries) < self.acknowledged:
            return f"I8: {self.acknowledged} events were acknowledged, {len(self.entries)} are there"
        return None

    def i8_no_gap(self, since: int = 0) -> str | None:
        for place in range(since, len(self.entries)):
            if self.entries[place].seq != place + 1:
                return f"I8: event {self.entries[place].seq} stands at place {place + 1}"
        return None

    def i13_epochs_only_grow(self, since: int = 0) -> str | None:
        for place in range(max(since, 1), len(self.entries)):
            if self.entries[place].epoch < self.entries[place - 1].epoch:
                return f"I13: event {place + 1} was written by a controller that another one had replaced"
        return None


def difference(what: str, one: State, other_name: str, other: State) -> str | None:
    """Names the first object that differs; the order of objects is of no meaning."""
    if dict(one.objects) == dict(other.objects) and dict(one.open) == dict(other.open) and _bare(one) == _bare(other):
        return None
    keys = [key for key in {**one.objects, **other.objects} if one.objects.get(key) != other.objects.get(key)]
    return f"{what} and {other_name} differ in {', '.join(keys[:3]) or 'the counters'}"


def _bare(state: State) -> State:
    return dataclasses.replace(state, objects={}, open={}, declared=dict.fromkeys(sorted(state.declared)))
