"""What people have asked of a Task, and how it ends before it has begun."""

from __future__ import annotations

import dataclasses

from orchctl.core import events, lifecycle
from orchctl.core.folds import parts
from orchctl.core.state import Cancellation, Ending, Gating, Handled, Object, Retry, StageRecord, Suspension, TaskState

replace = dataclasses.replace
# Ends that say something about what the agent wrote: it is told when it goes on.
OF_THE_WORK = frozenset({"GateFailed", "NoChange", "NoProgress", "OutsideTouches", "ProtectedPath", "MergeConflict"})


def suspend_requested(obj: Object, event: lifecycle.SuspendRequested, now: events.Now) -> Object:
    suspension = Suspension(actor=event.actor, reason=event.reason, since=now, until=event.until)
    return handled(parts.with_life(obj, suspension=suspension), event, "Suspend", now)


def resume_requested(obj: Object, event: lifecycle.ResumeRequested, now: events.Now) -> Object:
    return handled(parts.with_life(obj, suspension=None), event, "Resume", now)


def cancel_requested(obj: Object, event: lifecycle.CancelRequested, now: events.Now) -> Object:
    wish = Cancellation(actor=event.actor, reason=event.reason, mode=event.mode, at=now)
    return handled(parts.with_life(obj, cancellation=wish), event, "Cancel", now)


def request_refused(obj: Object, event: lifecycle.RequestRefused, now: events.Now) -> Object:
    return handled(obj, event, event.verb, now, event.reason)


def handled(obj: Object, event: lifecycle.Request, verb: str, now: events.Now, refused: str = "") -> Object:
    taken_up = Handled(token=event.token, verb=verb, actor=event.actor, at=now, refused=refused)
    return parts.with_life(obj, handled=taken_up)


def suspension_expired(obj: Object, event: lifecycle.SuspensionExpired, now: events.Now) -> Object:
    return parts.with_life(obj, suspension=None)


def task_never_started(obj: Object, event: lifecycle.TaskNeverStarted, now: events.Now) -> Object:
    if obj.task is not None:
        raise parts.IllegalEvent(f"{obj.key} has started already")
    ending = Ending(outcome=event.outcome, reason=event.reason, message=event.message, at=now)
    return parts.with_life(obj, unstarted=ending, suspension=None)


def retry_requested(obj: Object, event: lifecycle.RetryRequested, now: events.Now) -> Object:
    """From here on it has not ended: nothing is put away any more. It goes on when `TaskRestarted` says so."""
    ended = parts.ending_of(obj) or (obj.task.asked if obj.task is not None else None)
    if ended is None:
        raise parts.IllegalEvent(f"{obj.key} has not ended")
    obj = handled(parts.with_life(obj, cancellation=None, unstarted=None), event, "Retry", now)
    return to_go_on(obj, ended, event.from_stage) if obj.task is not None else obj


def to_go_on(obj: Object, was: Ending, from_stage: str) -> Object:
    retry = Retry(from_stage=from_stage, was=was)
    return parts.with_task(replace(obj, failures=None), ended=None, stopping=None, asked=None, retry=retry)


def task_restarted(obj: Object, event: lifecycle.TaskRestarted, now: events.Now) -> Object:
    before = parts.task(obj)
    records = {one.name: record for one, record in zip(before.plan.stages, before.stages, strict=True)}
    kept = [records.get(stage.name, StageRecord()) for stage in event.plan.stages[: event.stage]]
    stages = [*kept, *(StageRecord() for _ in event.plan.stages[event.stage :])]
    stages[event.stage] = StageRecord(state="Running", started=now)
    with_agents = [stage.name for stage in before.plan.stages if stage.role]
    again = replace(
        before,
        plan=event.plan,
        requester=obj.principal,
        stages=tuple(stages),
        stage=event.stage,
        cycle=event.cycle,
        feedback=_feedback(before),
        former=tuple(dict.fromkeys([*before.former, *with_agents])),
        evidence=tuple(one for one in before.evidence if one.passed),
        checks_before=len(before.checks),
        retry=None,
        restarted=now,
        waited_s=0.0,
        findings="",
    )
    again = replace(again, gating=_asked_still(before, again))
    fresh = replace(again, candidate=None, conflicts=(), dirty=(), dirty_tries=0, target_fresh=False)
    return replace(obj, task=fresh)


def _asked_still(before: TaskState, after: TaskState) -> Gating:
    """Of what gates have said, that of gates the new plan has as well."""
    gates = {(stage.name, gate.name, gate.type) for stage in after.plan.stages for gate in stage.gates}
    said = [one for one in before.gating.judged if (one.finding.stage, one.finding.gate, one.finding.type) in gates]
    return replace(before.gating, judged=tuple(said))


def _feedback(task: TaskState) -> str:
    """What was wrong with the work when it ended, if that is why it did."""
    was = task.retry.was if task.retry is not None else None
    return was.message if was is not None and was.reason in OF_THE_WORK else task.feedback


def worktree_reused(obj: Object, event: lifecycle.WorktreeReused, now: events.Now) -> Object:
    return replace(obj, worktree=replace(parts.worktree(obj), attempts=()), failures=None)


def dependency_met(obj: Object, event: lifecycle.DependencyMet, now: events.Now) -> Object:
    return parts.with_life(obj, met=(*obj.life.met, (event.task, event.until)))


def start_time_reached(obj: Object, event: lifecycle.StartTimeReached, now: events.Now) -> Object:
    return parts.with_life(obj, start_reached=event.start_after)
