"""What a failure leads to: the stage's failure edge while its limit lasts, a wait before the next try, or the end."""

from __future__ import annotations

from orchctl.core import actions, events
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.kinds import ending, retrying
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState

EFFECT_FAILURES_MAX = 5  # consecutive failures of one effect before the task gives up
# A second run would end the same way, so none is made.
HOPELESS = frozenset({"CannotStart", "NotFound", "NotExecutable", "ScriptError", "AskedHuman"})


def given_up(obj: Object) -> bool:
    """Whether trying its last effect again is of no use, or has been for too long."""
    failure = obj.failures
    return failure is not None and (not failure.transient or failure.count >= EFFECT_FAILURES_MAX)


def after_effect(obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """The last effect failed: back off and try again, or give up when that changes nothing."""
    failure = obj.failures
    if failure is None:
        return None
    cancelling = failure.verb == actions.CancelAttempt.__name__  # what runs must end: never given up
    if not cancelling and given_up(obj):
        return ending.ended(obj, "Failed", f"{failure.verb}Failed", failure.message, "TASK-2")
    return retrying.hold(obj, now, "TASK-2")


def stage(obj: Object, task: TaskState, reason: str, message: str, feedback: str = "") -> Proposal:
    """The failure edge: back to the stage it names while the limit lasts, else the task fails."""
    failed_in = task.plan.stages[task.stage]
    loops = task.stages[task.stage].loops
    if loops >= failed_in.limit or reason in HOPELESS:
        tried = f" (after {loops + 1} tries)" if loops else ""
        return ending.ended(obj, "Failed", reason, f"stage {failed_in.name}: {message}{tried}", "TASK-5")
    failed = events.StageFailed(
        obj.key,
        stage=task.stage,
        goto=failed_in.goto,
        cycle=task.cycle + 1,
        reason=reason,
        message=message,
        feedback=feedback or message,
    )
    return Proposal(Because("TASK-5", f"stage {failed_in.name}: {message}"), decisions=(failed,))
