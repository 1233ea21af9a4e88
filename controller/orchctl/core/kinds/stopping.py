"""A Task that is to end before it is done: what runs is stopped, and what the agent wrote is kept first."""

from __future__ import annotations

from orchctl.core import events, resolve
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.kinds import ending, watching
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.core.view import View


def propose(obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """A withdrawn or overdue task stops what runs; what the agent wrote is committed and imported first."""
    if task.stopping is not None or task.landed is not None:
        return None
    if obj.withdrawn:
        message = "its manifest was removed from git"
        stopping = events.TaskStopping(obj.key, outcome="Cancelled", reason="Withdrawn", message=message)
        return Proposal(Because("GIT-5", message), decisions=(stopping,))
    due = due_of(obj, task)
    if due is not None and now.t >= due:
        message = f"not done within {resolve.timeout_s(obj, task.plan)}s"
        stopping = events.TaskStopping(obj.key, outcome="Failed", reason="DeadlineExceeded", message=message)
        return Proposal(Because("TASK-2", message), decisions=(stopping,))
    return None


def due_of(obj: Object, task: TaskState) -> float | None:
    """When the task is overdue, in controller time; None while it ends or waits for a person."""
    if task.stopping is not None or (obj.because is not None and obj.because.waiting):
        return None
    return task.started.t + resolve.timeout_s(obj, task.plan) + task.waited_s


def finish(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    if task.stopping is None:
        return None
    running = next((one for one in task.checks if one.ended is None), None)
    if running is not None:
        return watching.watch(running, 0.0, now, doing="stopping its check", stop=task.stopping.message)
    wanted = task.stopping
    return ending.ended(obj, wanted.outcome, wanted.reason, wanted.message, "TASK-4")
