"""What a failure leads to: the stage's failure edge while its limit lasts, a wait before the next try, or the end."""

from __future__ import annotations

from orchctl.core import actions, events, lifecycle, names, resolve
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.kinds import answering, ending, retrying
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.core.view import View

EFFECT_FAILURES_MAX = 5  # consecutive failures of one effect before the task gives up
# A second run would end the same way, so none is made.
HOPELESS = frozenset({"CannotStart", "NotFound", "NotExecutable", "ScriptError", "AskedHuman"})

# Failures of a stage that say something about what the agent wrote: when they come again for the same, it is stuck.
OF_THE_WORK = frozenset({"GateFailed", "NoChange", "OutsideTouches", "ProtectedPath"})


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
    """The failure edge: back to the stage it names while its limits last, else what the pipeline says follows then."""
    failed_in = task.plan.stages[task.stage]
    loops = task.stages[task.stage].loops
    findings = _findings(task, reason, message)
    tried = f" (after {loops + 1} tries)" if loops else ""
    if loops >= failed_in.limit or reason in HOPELESS:
        return for_good(obj, task, reason, f"{message}{tried}", feedback)
    if findings and findings == task.findings:
        said = f"{message}; the work and what is wrong with it are the same as the time before"
        return for_good(obj, task, "NoProgress", said, feedback)
    if task.cycle + 1 >= resolve.attempts_max(obj):
        return for_good(obj, task, "AttemptsExhausted", f"{message} (attempt {task.cycle + 1} was the last)", feedback)
    failed = events.StageFailed(
        obj.key,
        stage=task.stage,
        goto=failed_in.goto,
        cycle=task.cycle + 1,
        reason=reason,
        message=message,
        feedback=feedback or message,
        findings=findings,
    )
    return Proposal(Because("TASK-5", f"stage {failed_in.name}: {message}"), decisions=(failed,))


def for_good(
    obj: Object, task: TaskState, reason: str, message: str, feedback: str = "", rule: str = "TASK-5"
) -> Proposal:
    """A stage has failed and is not tried again by itself: the task fails, asks a person, or goes on without it."""
    failed_in = task.plan.stages[task.stage]
    said = f"stage {failed_in.name}: {message}"
    if failed_in.then == "Ask":
        asked = lifecycle.StageAsked(
            obj.key, stage=task.stage, reason=reason, message=said, feedback=feedback or message
        )
        return Proposal(Because(rule, said), decisions=(asked,))
    if failed_in.then == "Continue" and not failed_in.merge:
        went_on = lifecycle.StageContinued(obj.key, stage=task.stage, name=failed_in.name, reason=reason, message=said)
        return Proposal(Because(rule, said), decisions=(went_on,))
    return ending.ended(obj, "Failed", reason, said, rule)


def asked(view: View, obj: Object, task: TaskState) -> Proposal | None:
    """The wait for a person after a stage that has failed for good."""
    if task.asked is None or task.stopping is not None:
        return None
    return answering.wait(view, obj, task, task.asked)


def _findings(task: TaskState, reason: str, message: str) -> str:
    """What the work is like and what is wrong with it, in short; empty for a failure that says nothing of the work."""
    if reason not in OF_THE_WORK or task.head_tree is None:
        return ""
    return names.uid_of(task.head_tree, task.stage, reason, message)
