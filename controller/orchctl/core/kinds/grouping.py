"""Tasks of one merge group: none lands before all could, then each in turn by name (MRG-1).

What has landed is not taken back: when one of them cannot land any more after others have, the rest say so and wait.
"""

from __future__ import annotations

from orchctl.core import groups
from orchctl.core.because import Because
from orchctl.core.folds import parts
from orchctl.core.ids import name_of
from orchctl.core.kinds import depending
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object
from orchctl.core.view import View

WELL = ("Merged", "Succeeded")


def hold(view: View, obj: Object) -> Proposal | None:
    """What keeps this one from landing, or None when it is its turn."""
    group = groups.group_of(obj)
    if group is None:
        return None
    found = [view.get(key) for key in view.members(group) if key != obj.key]
    others = [one for one in found if one is not None and not one.withdrawn and not _has_landed(one)]
    for other in others:
        blocked = _blocked(other, obj)
        if blocked:
            assert other.desired is not None
            unblock = f"{blocked[1]}, or remove `spec.mergeGroup` from {other.desired.path}:{other.desired.line}"
            return _wait(obj, group_text(group, blocked[0]), unblock)
    for other in others:
        if not _is_ready(other):
            name = name_of(other.key)
            text = group_text(group, f"task {name} is not verified yet")
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


def _blocked(other: Object, obj: Object) -> tuple[str, str] | None:
    """Why this other one will not land by itself, and what a person can do about it."""
    name = name_of(other.key)
    ended = parts.ending_of(other)
    if ended is not None:
        return f"task {name} has ended as {ended.outcome}", f"`orchctl retry {name}`"
    if other.task is not None and other.task.asked is not None:
        return f"task {name} waits for a person", f"`orchctl why {name}`"
    if other.task is None and depending.awaits(other, obj.key):
        return f"task {name} of it waits for this one to be Merged first", "remove that from its `dependsOn`"
    return None


def _is_ready(other: Object) -> bool:
    task = other.task
    if task is None:
        return False
    working = [record for stage, record in zip(task.plan.stages, task.stages, strict=True) if not stage.merge]
    return all(record.state == "Passed" for record in working)
