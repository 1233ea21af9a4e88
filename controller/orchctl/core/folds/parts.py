"""What the folds share: the part of an object an event is about, or the defect of an event that does not fit."""

from __future__ import annotations

import dataclasses
from typing import Any

from orchctl.core import events
from orchctl.core.ids import AttemptId, Key
from orchctl.core.state import Attempt, Ending, Object, SessionState, StageRecord, TaskState, WorktreeState

replace = dataclasses.replace


class IllegalEvent(Exception):
    """An event that cannot follow what its object has gone through. A defect of ours, never of the user's."""


def task(obj: Object) -> TaskState:
    if obj.task is None:
        raise IllegalEvent(f"{obj.key} has not started")
    return obj.task


def session(obj: Object) -> SessionState:
    if obj.session is None:
        raise IllegalEvent(f"{obj.key} is not a session")
    return obj.session


def worktree(obj: Object) -> WorktreeState:
    if obj.worktree is None:
        raise IllegalEvent(f"{obj.key} is not a worktree")
    return obj.worktree


def closed(obj: Object, event: events.Outcome) -> Object:
    """The object with the action this outcome belongs to closed."""
    if obj.open is None or obj.open.key != event.action:
        raise IllegalEvent(f"{obj.key}: outcome of an action that is not open: {event.action}")
    return replace(obj, open=None, failures=None)


def with_task(obj: Object, **changes: Any) -> Object:
    return replace(obj, task=replace(task(obj), **changes))


def with_life(obj: Object, **changes: Any) -> Object:
    return replace(obj, life=replace(obj.life, **changes))


def ending_of(obj: Object) -> Ending | None:
    """How the task has ended, whether it had started or not; None while it goes on."""
    return obj.task.ended if obj.task is not None else obj.life.unstarted


def stages_with(task: TaskState, index: int, **changes: Any) -> tuple[StageRecord, ...]:
    return tuple(replace(stage, **changes) if i == index else stage for i, stage in enumerate(task.stages))


def runs_of(task: TaskState) -> list[tuple[str, int]]:
    """Every (stage, cycle) that may have had a session, those of former plans among them."""
    stages = dict.fromkeys([*task.former, *(stage.name for stage in task.plan.stages if stage.role)])
    return [(stage, cycle) for stage in stages for cycle in range(task.cycle + 1)]


def owner_of(obj: Object) -> Key | None:
    """The task a session or worktree belongs to."""
    made = obj.session or obj.worktree
    return made.task if made is not None else None


def attempts_of(obj: Object) -> tuple[Attempt, ...]:
    """Every attempt of an object, whichever kind it is."""
    if obj.session is not None:
        return obj.session.attempts
    if obj.worktree is not None:
        return obj.worktree.attempts
    return obj.task.checks if obj.task is not None else ()


def with_attempts(obj: Object, attempts: tuple[Attempt, ...]) -> Object:
    if obj.session is not None:
        return replace(obj, session=replace(obj.session, attempts=attempts))
    if obj.worktree is not None:
        return replace(obj, worktree=replace(obj.worktree, attempts=attempts))
    return with_task(obj, checks=attempts)


def update_attempt(obj: Object, attempt: AttemptId, **changes: Any) -> Object:
    found = attempts_of(obj)
    if not any(one.id == attempt for one in found):
        raise IllegalEvent(f"{obj.key} has no attempt {attempt}")
    return with_attempts(obj, tuple(replace(one, **changes) if one.id == attempt else one for one in found))
