"""A Task that stands still because its manifest or a person says so (TASK-4).

The turn that runs comes to its end, with what the agent wrote committed and imported, and so does a check that runs.
Nothing else is started and no stage is left. Cancelling, removing the manifest and a deadline work all the same.
"""

from __future__ import annotations

from orchctl.core import actions, events, lifecycle, resolve
from orchctl.core.because import HOLDING, Because
from orchctl.core.events import Now
from orchctl.core.ids import name_of
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.kit import timestamps

WAITING = "Suspended"  # no reason of the Waiting condition: there is a condition of that name
# These belong to the turn that runs, or end something.
_ALLOWED = (actions.CancelAttempt, actions.ImportWork)


def stands_still(because: Because | None) -> bool:
    return because is not None and because.waiting in (WAITING, HOLDING)


def said_of(obj: Object) -> str:
    """Who suspended it, why and for how long; empty when nobody did."""
    by_person = obj.life.suspension
    if by_person is not None:
        why = f": {by_person.reason}" if by_person.reason else ""
        until = f" until {timestamps.rfc3339(by_person.until)}" if by_person.until is not None else ""
        return f"suspended{until} by {by_person.actor}{why}"
    if is_by_manifest(obj) and obj.desired is not None:
        return f"suspended: spec.suspend is true in {obj.desired.path}:{obj.desired.line}"
    return ""


def is_by_manifest(obj: Object) -> bool:
    spec = resolve.readable_task_spec(obj.desired.spec) if obj.desired is not None else None
    return spec is not None and spec.suspend


def expire(obj: Object, now: Now) -> Proposal | None:
    suspension = obj.life.suspension
    if suspension is None or suspension.until is None or now.at < suspension.until:
        return None
    return Proposal(Because("TIME-2", "its suspension is over"), decisions=(lifecycle.SuspensionExpired(obj.key),))


def hold(obj: Object, task: TaskState | None, answer: Proposal) -> Proposal:
    """The answer itself when it starts nothing, or when the task is not suspended; else what it stands still before."""
    if task is not None and (task.stopping is not None or task.landed is not None):
        return answer
    said = said_of(obj)
    if not said or isinstance(answer.do, _ALLOWED):
        return answer
    if answer.do is None and all(isinstance(one, events.TaskEnded) for one in answer.decisions):
        return answer
    return Proposal(_because(obj, f"{said}; next: {answer.because.text}"))


def hold_start(task_obj: Object, waiting: str = WAITING) -> Proposal | None:
    """For what a task has made: nothing of it begins while the task is suspended and is not ending."""
    said = said_of(task_obj)
    if not said or task_obj.task is None or task_obj.task.stopping is not None:
        return None
    return Proposal(_because(task_obj, said, waiting))


def _because(obj: Object, text: str, waiting: str = WAITING) -> Because:
    command = f"orchctl resume {name_of(obj.key)}"
    unblock = f"`{command}`" if obj.life.suspension is not None else ""
    if is_by_manifest(obj) and obj.desired is not None:
        place = f"set `spec.suspend: false` in {obj.desired.path}:{obj.desired.line}"
        unblock = f"{unblock}, and {place}" if unblock else place
    return Because("TASK-4", text, unblock=unblock, waiting=waiting)
