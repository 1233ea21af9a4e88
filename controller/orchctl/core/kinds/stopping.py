"""A Task that is to end before it is done: when that is, how soon what runs has to end, and what is kept first.

There are three ways (TASK-4). `AfterCurrent` lets what runs come to its end and starts nothing more. `AfterCleanup`
stops it, and commits and imports what an agent wrote. `Now` stops it at once and leaves the worktree as it is. A wish
for a sooner end overrules one for a later; nothing makes a task that is ending go on but a `retry` after the end.
"""

from __future__ import annotations

import dataclasses

from orchctl.core import events, lifecycle, resolve
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.kinds import ending, gates, timing, watching
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.core.view import View

NOW, AFTER_CLEANUP, AFTER_CURRENT = "Now", "AfterCleanup", "AfterCurrent"
MODES = (AFTER_CURRENT, AFTER_CLEANUP, NOW)  # the sooner the later


@dataclasses.dataclass(frozen=True, slots=True)
class _Wish:
    mode: str
    outcome: str
    reason: str
    message: str
    rule: str


def propose(obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """The decision to end sooner than was decided before, if anything says so. What has landed is done, not stopped."""
    if task.landed is not None:
        return None
    wishes = [*_wishes(obj), *_late(obj, now), *_overdue(obj, task, now)]
    if not wishes:
        return None
    wish = max(wishes, key=lambda one: MODES.index(one.mode))
    before = task.stopping
    if before is not None and MODES.index(wish.mode) <= MODES.index(before.mode or AFTER_CLEANUP):
        return None
    outcome, reason = (before.outcome, before.reason) if before is not None else (wish.outcome, wish.reason)
    stopping = events.TaskStopping(obj.key, outcome=outcome, reason=reason, message=wish.message, mode=wish.mode)
    return Proposal(Because(wish.rule, wish.message), decisions=(stopping,))


def unstarted(obj: Object, now: Now) -> Proposal | None:
    """The end of a task that is cancelled, or has missed its deadline, before it has begun."""
    wish = next(iter([*_wishes(obj), *_late(obj, now)]), None)
    if wish is None:
        return None
    ended = lifecycle.TaskNeverStarted(obj.key, outcome=wish.outcome, reason=wish.reason, message=wish.message)
    return Proposal(Because(wish.rule, wish.message), decisions=(ended,))


def _wishes(obj: Object) -> list[_Wish]:
    """What manifest and people say; the first is the one that is named when they say the same."""
    found = []
    asked = obj.life.cancellation
    if asked is not None:
        why = f": {asked.reason}" if asked.reason else ""
        said = f"cancelled ({asked.mode}) by {asked.actor}{why}"
        found.append(_Wish(asked.mode, "Cancelled", "Cancelled", said, "TASK-4"))
    mode = resolve.task_spec(obj.desired.spec).shutdown if obj.desired is not None else None
    if mode is not None and obj.desired is not None:
        said = f"cancelled: spec.shutdown is {mode.value} in {obj.desired.path}:{obj.desired.line}"
        found.append(_Wish(mode.value, "Cancelled", "Cancelled", said, "TASK-4"))
    if obj.withdrawn:
        found.append(_Wish(AFTER_CLEANUP, "Cancelled", "Withdrawn", "its manifest was removed from git", "GIT-5"))
    return found


def _late(obj: Object, now: Now) -> list[_Wish]:
    message = timing.missed(obj, now)
    return [_Wish(AFTER_CLEANUP, "Failed", "DeadlineExceeded", message, "TIME-2")] if message else []


def _overdue(obj: Object, task: TaskState, now: Now) -> list[_Wish]:
    due = due_of(obj, task)
    if due is None or now.t < due:
        return []
    message = f"not done within {resolve.timeout_s(obj, task.plan)}s"
    return [_Wish(AFTER_CLEANUP, "Failed", "DeadlineExceeded", message, "TASK-2")]


def due_of(obj: Object, task: TaskState) -> float | None:
    """When the task is overdue, in controller time; None while it ends, waits for a person or is to go on."""
    if is_ending(task) or task.retry is not None or (obj.because is not None and obj.because.waiting):
        return None
    return task.began.t + resolve.timeout_s(obj, task.plan) + task.waited_s


def is_ending(task: TaskState) -> bool:
    """What runs is being stopped."""
    return task.stopping is not None and task.stopping.mode != AFTER_CURRENT


def is_hurried(task: TaskState) -> bool:
    """It is to end at once: what the agent left stays where it is, in the worktree."""
    return task.stopping is not None and task.stopping.mode == NOW


def grace_s(task: TaskState) -> float:
    return 0.0 if is_hurried(task) else watching.CANCEL_GRACE_S


def finish(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """The step at which a task ends that is to end: its agent has, and what that wrote is in the hub."""
    wanted = task.stopping
    if wanted is None:
        return None
    running = next((one for one in task.checks if one.ended is None), None)
    if running is not None and not is_ending(task):
        return gates.watch(task, running, now)
    if running is not None:
        stop = watching.Stop(wanted.message, grace_s(task))
        return watching.watch(running, 0.0, now, doing="stopping its check", stop=stop)
    return ending.ended(obj, wanted.outcome, wanted.reason, wanted.message, "TASK-4")
