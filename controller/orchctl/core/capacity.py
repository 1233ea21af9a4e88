"""How much of everything limited is in use: counters kept with each event, never counted anew but to check them.

What is limited is named by the key of the object that limits it: Settings for all sessions together, else a Project,
Agent, Role or Account (TASK-7). A task says itself in the state which slots it holds; this only adds up.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable

from orchctl.core.because import Because
from orchctl.core.ids import Key, kind_of, name_of, namespace_of
from orchctl.core.locks import Locks
from orchctl.core.plan import ALL_SESSIONS
from orchctl.core.state import MemoryShort, Object, TaskState

SESSIONS_MAX = 8  # at once, over all projects, where Settings say nothing
PROJECT_SESSIONS_MAX = 4  # at once, of a project that sets no limit
MEMORY = Key("Host//memory")
DISK = Key("Host//disk")
LIMITING = frozenset({"Settings", "Project", "Agent", "Role", "Account"})
SPECS_CACHED_MAX = 1024
GIB = 1 << 30


@dataclasses.dataclass(frozen=True, slots=True)
class Moved:
    """What one event has changed for those who wait."""

    freed: tuple[Key, ...] = ()  # has room now, or more of it
    used: tuple[Key, ...] = ()  # is used more or less than before
    unlocked: bool = False  # the object let go of its paths


_NOTHING = Moved()


class Capacity:
    def __init__(self) -> None:
        self.used: dict[Key, int] = {}
        self.locks = Locks()
        self._limits: dict[Key, int] = {}
        self._memory: MemoryShort | None = None
        self._pressed = ""  # what is said of a disk that is full

    def moved(self, before: Object | None, after: Object | None) -> Moved:
        """Take up what an event made of one object."""
        old, new = _task_of(before), _task_of(after)
        obj = after or before
        assert obj is not None
        freed: list[Key] = []
        used: list[Key] = []
        if kind_of(obj.key) in LIMITING:
            freed += self._limited(obj.key, after)
        held, holds = old.slots if old is not None else (), new.slots if new is not None else ()
        if held != holds:
            given, taken = [one for one in held if one not in holds], [one for one in holds if one not in held]
            for slot in given:
                self._use(slot, -1)
            for slot in taken:
                self._use(slot, 1)
            used = given + taken
            freed += given
        return self._locked(obj.key, old, new, Moved(tuple(freed), tuple(used)) if freed or used else _NOTHING)

    def _locked(self, key: Key, old: TaskState | None, new: TaskState | None, moved: Moved) -> Moved:
        held, holds = _touches(old), _touches(new)
        if held == holds:
            return moved
        if old is not None and held:
            self.locks.release(old.plan.project, key, held)
        if new is not None and holds:
            self.locks.take(new.plan.project, key, holds)
        return dataclasses.replace(moved, unlocked=bool(held))

    def observed(self, memory: MemoryShort | None, pressed: str) -> Moved:
        """Take up what the machine has left for anybody."""
        freed = [] if memory is not None or self._memory is None else [MEMORY]
        freed += [] if pressed or not self._pressed else [DISK]
        self._memory, self._pressed = memory, pressed
        return Moved(freed=tuple(freed)) if freed else _NOTHING

    def _use(self, slot: Key, by: int) -> None:
        count = self.used.get(slot, 0) + by
        assert count >= 0, f"{slot} is given back more often than it was taken"
        self.used[slot] = count
        if not count:
            del self.used[slot]

    def _limited(self, key: Key, obj: Object | None) -> list[Key]:
        limit = _limit_in(obj.desired.spec) if obj is not None and obj.desired is not None else None
        if self._limits.get(key) == limit:
            return []
        if limit is None:
            self._limits.pop(key, None)
        else:
            self._limits[key] = limit
        return [key]

    def limit(self, slot: Key) -> int | None:
        default = SESSIONS_MAX if slot == ALL_SESSIONS else PROJECT_SESSIONS_MAX if kind_of(slot) == "Project" else None
        return self._limits.get(slot, default)

    def has_room(self, slot: Key) -> bool:
        if slot in (MEMORY, DISK):
            return self._memory is None if slot == MEMORY else not self._pressed
        limit = self.limit(slot)
        return limit is None or self.used.get(slot, 0) < limit

    def lacking(self, slots: Iterable[Key], own: tuple[Key, ...] = ()) -> Key | None:
        """The first of these there is no room in; one's own slots may be kept."""
        if self._memory is not None or self._pressed:
            return DISK if self._pressed else MEMORY
        return next((slot for slot in slots if slot not in own and not self.has_room(slot)), None)

    def refusal(self, slot: Key) -> Because:
        if slot in (MEMORY, DISK):
            return self._short_of_memory() if slot == MEMORY else self._short_of_disk()
        used, limit = self.used.get(slot, 0), self.limit(slot)
        kind, name = kind_of(slot), name_of(slot)
        if namespace_of(slot):
            name = f"{namespace_of(slot)}/{name}"
        what = "all projects" if slot == ALL_SESSIONS else f"{kind.lower()} {name}"
        return Because(
            "TASK-7",
            f"{used} of {limit} sessions of {what} are in use",
            evidence=(str(slot),),
            unblock=f"it starts when one ends; raise `spec.limits.sessions` of {kind} {name} for more",
            waiting="Capacity",
        )

    def _short_of_memory(self) -> Because:
        assert self._memory is not None
        free, wanted = (f"{amount / GIB:.1f} GiB" for amount in (self._memory.free, self._memory.wanted))
        return Because(
            "TASK-7",
            f"{free} of memory are free, and nothing is started with less than {wanted}",
            evidence=(str(MEMORY),),
            unblock="it starts when memory is free again; lower `spec.minFreeMemory` of Settings default for less",
            waiting="Capacity",
        )

    def _short_of_disk(self) -> Because:
        text, unblock = f"nothing new is begun: {self._pressed}", "make room on that disk: it goes on by itself"
        return Because("TASK-7", text, evidence=(str(DISK),), unblock=unblock, waiting="DiskPressure")

    def is_recount_of(self, objects: Iterable[Object]) -> bool:
        """Whether counting everything anew gives the same: what the counters are checked with."""
        fresh = Capacity()
        for obj in objects:
            fresh.moved(None, obj)
        return (fresh.used, fresh._limits, fresh.locks) == (self.used, self._limits, self.locks)


def _task_of(obj: Object | None) -> TaskState | None:
    return obj.task if obj is not None else None


def _touches(task: TaskState | None) -> tuple[str, ...]:
    """The paths a task keeps for itself, from its start to its end, also while it waits for a person.

    One that is to go on after its end has to get them again first.
    """
    return task.plan.touches if task is not None and task.ended is None and task.retry is None else ()


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def _limit_in(spec: str) -> int | None:
    limit = (json.loads(spec).get("limits") or {}).get("sessions")
    return int(limit) if limit is not None else None
