"""Those who were refused, kept where the thing they were refused for is: what is freed wakes only those behind it.

Tasks that want the same slots wait in one lane, and in a lane those with the same `touches` in one group: whoever is
first in it stands for all of them, for what keeps the first keeps the others. A lane stands at the one slot it was
refused last, a group behind the one task that holds its paths. So one decision costs the logarithm of how many wait,
and nobody is asked in vain (architecture.md, admit; TASK-11).
"""

from __future__ import annotations

import dataclasses

from orchctl.core.because import Because
from orchctl.core.capacity import DISK, MEMORY, Capacity, Moved
from orchctl.core.claims import Wants
from orchctl.core.heaps import Heap
from orchctl.core.ids import Key, name_of

READY = Key("")  # the place of lanes that nothing is known to be in the way of
PATHS_NAMED_MAX = 5

Rank = tuple[bool, int, int]
Slots = tuple[Key, ...]
Touches = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Waiter:
    key: Key
    wants: Wants
    age: float  # controller time at which the object came into being

    @property
    def rank(self) -> Rank:
        """Asked for by a person, then finish before start, then priority."""
        return (not self.wants.requested, -self.wants.stage, -self.wants.priority)

    @property
    def order(self) -> tuple[Rank, float, Key]:
        return (self.rank, self.age, self.key)


class _Lane:
    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.groups: dict[Touches, Heap[Key]] = {}
        self.heads: Heap[Touches] = Heap()  # the groups behind nobody, by their first
        self.behind: dict[Touches, Key] = {}  # the others, and who holds their paths
        self.place = READY

    @property
    def project(self) -> Key:
        return self.slots[1]


class Waiting:
    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._waiters: dict[Key, Waiter] = {}
        self._lanes: dict[Slots, _Lane] = {}
        self._places: dict[Key, Heap[Slots]] = {READY: Heap()}
        self._freed: dict[Key, None] = {}  # places at which lanes stand and that may have room now
        self._of_project: dict[Key, dict[Slots, None]] = {}
        self._behind: dict[Key, dict[tuple[Slots, Touches], None]] = {}  # who holds paths -> who wants them
        self.passed: dict[Key, None] = {}  # the first of those that were refused since somebody took this up

    def __contains__(self, key: Key) -> bool:
        return key in self._waiters

    # --- coming and going ---------------------------------------------------------------------------------------

    def enter(self, waiter: Waiter) -> None:
        if self._waiters.get(waiter.key) == waiter:
            return
        self.leave(waiter.key)
        slots, touches = waiter.wants.slots, waiter.wants.touches
        lane = self._lanes.get(slots)
        if lane is None:
            lane = self._lanes[slots] = _Lane(slots)
            self._of_project.setdefault(lane.project, {})[slots] = None
        self._waiters[waiter.key] = waiter
        lane.groups.setdefault(touches, Heap()).put(waiter.key, waiter.order)
        self._settle_group(lane, touches)

    def leave(self, key: Key) -> Wants | None:
        waiter = self._waiters.pop(key, None)
        self.passed.pop(key, None)
        if waiter is None:
            return None
        lane = self._lanes[waiter.wants.slots]
        lane.groups[waiter.wants.touches].discard(key)
        self._settle_group(lane, waiter.wants.touches)
        return waiter.wants

    def _settle_group(self, lane: _Lane, touches: Touches) -> None:
        first = lane.groups[touches].top()
        if first is None:
            del lane.groups[touches]
            lane.heads.discard(touches)
            holder = lane.behind.pop(touches, None)
            if holder is not None:
                self._no_longer_behind(holder, (lane.slots, touches))
        elif touches not in lane.behind:
            lane.heads.put(touches, first[0])
        self._settle_lane(lane)

    def _settle_lane(self, lane: _Lane) -> None:
        """Put the lane where it stands in the order of its first; one with nobody to go on stands nowhere."""
        first = lane.heads.top()
        if first is not None:
            (rank, age, key), _ = first
            share = self._capacity.used.get(lane.project, 0)
            self._places[lane.place].put(lane.slots, (rank, share, age, key))
            return
        self._places[lane.place].discard(lane.slots)
        lane.place = READY
        if not lane.groups:
            del self._lanes[lane.slots]
            del self._of_project[lane.project][lane.slots]

    def _no_longer_behind(self, holder: Key, group: tuple[Slots, Touches]) -> None:
        groups = self._behind[holder]
        del groups[group]
        if not groups:
            del self._behind[holder]

    # --- what changes around them -------------------------------------------------------------------------------

    def moved(self, key: Key, moved: Moved) -> None:
        for slot in moved.freed:
            if self._places.get(slot):
                self._freed[slot] = None
        for slot in moved.used:
            for slots in self._of_project.get(slot, ()):
                self._settle_lane(self._lanes[slots])
        if moved.unlocked:
            for slots, touches in self._behind.pop(key, ()):
                lane = self._lanes[slots]
                del lane.behind[touches]
                self._settle_group(lane, touches)

    # --- whose turn it is ---------------------------------------------------------------------------------------

    def first(self) -> Key | None:
        """Who may go ahead now, before all others. They wait until they `leave`."""
        while True:
            lane = self._first_lane()
            if lane is None:
                return None
            found = lane.heads.top()
            assert found is not None, "a lane that stands somewhere has a first"
            touches = found[1]
            key: Key = found[0][2]
            lacking = self._capacity.lacking(lane.slots)
            if lacking is not None:
                self._stand_at(lane, lacking)
                self.passed[key] = None
                continue
            holder = self._capacity.locks.conflict(_name(lane.project), touches)
            if holder is None:
                return key
            lane.heads.discard(touches)
            lane.behind[touches] = holder
            self._behind.setdefault(holder, {})[lane.slots, touches] = None
            self.passed[key] = None
            self._settle_lane(lane)

    def _first_lane(self) -> _Lane | None:
        best = self._places[READY].top()
        for place in list(self._freed):
            found = self._places[place].top()
            if found is None or not self._capacity.has_room(place):
                del self._freed[place]
            elif best is None or found[0] < best[0]:
                best = found
        return self._lanes[best[1]] if best is not None else None

    def _stand_at(self, lane: _Lane, place: Key) -> None:
        if lane.place != place:
            self._places[lane.place].discard(lane.slots)
            lane.place = place
            self._places.setdefault(place, Heap())
        self._settle_lane(lane)

    # --- why it waits -------------------------------------------------------------------------------------------

    def refusal(self, key: Key, said: Because | None) -> Because:
        """Why this one waits: what it was told already, as long as that is still so."""
        wants = self._waiters[key].wants
        if said is not None and self._is_still_so(said, wants):
            return said
        holder = self._lanes[wants.slots].behind.get(wants.touches)
        if holder is not None:
            return _locked(holder, wants)
        lacking = self._capacity.lacking(wants.slots)
        assert lacking is not None, "who lacks nothing goes ahead"
        return self._capacity.refusal(lacking)

    def _is_still_so(self, said: Because, wants: Wants) -> bool:
        named = Key(said.evidence[0]) if said.evidence else READY
        if said.waiting == "FileLock":
            return self._capacity.locks.conflict(_name(wants.slots[1]), wants.touches) == named
        is_limit = named in wants.slots or named in (MEMORY, DISK)
        return said.waiting in ("Capacity", "DiskPressure") and is_limit and not self._capacity.has_room(named)


def _locked(holder: Key, wants: Wants) -> Because:
    named = ", ".join(wants.touches[:PATHS_NAMED_MAX])
    return Because(
        "TASK-8",
        f"task {name_of(holder)} works on files that overlap with its own `touches`: {named}",
        evidence=(str(holder),),
        unblock=f"it starts when task {name_of(holder)} has ended; tasks with other `touches` do not wait for it",
        waiting="FileLock",
    )


def _name(project: Key) -> str:
    """As a plan names its project."""
    return project.split("/", 1)[1]
