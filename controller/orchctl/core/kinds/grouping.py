"""Tasks of one merge group: none lands before all could, then each in turn by name (MRG-1).

A member could land when it stands before its merge with every gate letting it go, by the same judgement that it makes
itself. What has landed is not taken back: when one of them cannot land any more after others have, the rest say so and
wait.
"""

from __future__ import annotations

from orchctl.core import groups
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.folds import parts
from orchctl.core.ids import Key, name_of
from orchctl.core.kinds import depending, rounds, suspending
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object
from orchctl.core.view import View

WELL = ("Merged", "Succeeded")
WALKED_MAX = 200  # tasks that are asked whom they wait for; a longer way back is only not told in words


def hold(view: View, obj: Object, now: Now) -> Proposal | None:
    """What keeps this one from landing, or None when it is its turn."""
    group = groups.group_of(obj)
    if group is None:
        return None
    found = [view.get(key) for key in view.members(group) if key != obj.key]
    others = [one for one in found if one is not None and not one.withdrawn and not _has_landed(one)]
    for other in others:
        blocked = _blocked(view, other, obj)
        if blocked:
            assert other.desired is not None
            unblock = f"{blocked[1]}, or remove `spec.mergeGroup` from {other.desired.path}:{other.desired.line}"
            return _wait(obj, group_text(group, blocked[0]), unblock)
    for other in others:
        if not _is_ready(view, other, now):
            name = name_of(other.key)
            why = "could not land yet: a gate keeps it" if _before_merge(other) else "is not verified yet"
            text = group_text(group, f"task {name} {why}")
            return _wait(obj, text, f"it goes on by itself then; `orchctl why {name}` says how far that is")
    first = next((name_of(one.key) for one in others if one.key < obj.key), None)
    if first is None:
        return None
    text = group_text(group, f"task {first} is before it")
    return _wait(obj, text, f"it goes on by itself then; `orchctl why {first}` says how far that is")


def group_text(group: str, why: str) -> str:
    return f"merge group {group.rsplit('/', 1)[1]} lands together, and {why}"


def _wait(obj: Object, text: str, unblock: str) -> Proposal:
    return Proposal(Because("MRG-1", text, unblock=unblock, waiting="MergeQueue"))


def _has_landed(other: Object) -> bool:
    ended = parts.ending_of(other)
    landed = other.task is not None and other.task.landed is not None
    return landed or (ended is not None and ended.outcome in WELL)


def _blocked(view: View, other: Object, obj: Object) -> tuple[str, str] | None:
    """Why this other one will not land by itself, and what a person can do about it."""
    name = name_of(other.key)
    ended = parts.ending_of(other)
    if ended is not None:
        return f"task {name} has ended as {ended.outcome}", f"`orchctl retry {name}`"
    if other.task is not None and other.task.stopping is not None:
        return f"task {name} is ending: {other.task.stopping.message}", f"`orchctl retry {name}` when it has ended"
    suspended = suspending.said_of(other)
    if suspended:
        return f"task {name} is {suspended}", f"`orchctl why {name}` says how it goes on"
    if other.task is not None and other.task.asked is not None:
        return f"task {name} waits for a person", f"`orchctl why {name}`"
    if other.task is None and depending.awaits(other, obj.key):
        return f"task {name} of it waits for this one to be Merged first", "remove that from its `dependsOn`"
    way = _way_back(view, other, obj.key)
    if way:
        through = "".join(f" for task {name_of(one)}, which waits" for one in way[1:])
        said = f"task {name} of it waits{through} for this one to end"
        return said, f"`orchctl why {name_of(way[-1])}` says what for"
    return None


def _way_back(view: View, other: Object, goal: Key) -> list[Key]:
    """The tasks, this other one first, through which it waits for files or the end of the one that waits for it."""
    ways: dict[Key, list[Key]] = {other.key: [other.key]}
    left = [other.key]
    while left and len(ways) < WALKED_MAX:
        key = left.pop(0)
        waiting = view.get(key)
        for one in _waited_for(waiting) if waiting is not None else ():
            if one == goal:
                return ways[key]
            if one not in ways:
                ways[one] = [*ways[key], one]
                left.append(one)
    return []


def _waited_for(obj: Object) -> list[Key]:
    """Those whose end one that is not at work waits for."""
    if obj.task is not None and obj.task.retry is None:
        return []
    because = obj.because
    holders = [Key(one) for one in because.evidence] if because is not None and because.waiting == "FileLock" else []
    return holders + (depending.awaited(obj) if obj.task is None else [])


def _before_merge(other: Object) -> bool:
    task = other.task
    if task is None or task.retry is not None or task.stage >= len(task.plan.stages):
        return False
    return task.plan.stages[task.stage].merge


def _is_ready(view: View, other: Object, now: Now) -> bool:
    return other.task is not None and _before_merge(other) and rounds.judge(view, other, other.task, now) is None
