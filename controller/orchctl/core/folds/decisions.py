"""What the controller has decided."""

from __future__ import annotations

import dataclasses

from orchctl.core import events, lifecycle
from orchctl.core.folds import parts
from orchctl.core.state import Ending, Object, SessionState, StageRecord, TaskState, WorktreeState

replace = dataclasses.replace


def task_started(obj: Object, event: events.TaskStarted, now: events.Now) -> Object:
    if obj.task is not None:
        raise parts.IllegalEvent(f"{obj.key} has started already")
    records = tuple(StageRecord() for _ in event.plan.stages)
    slots = event.plan.slots(0)
    task = TaskState(plan=event.plan, started=now, stages=records, requester=obj.principal, slots=slots)
    return replace(obj, task=replace(task, stages=parts.stages_with(task, 0, state="Running", started=now)))


def slots_taken(obj: Object, event: events.SlotsTaken, now: events.Now) -> Object:
    return parts.with_task(obj, slots=event.slots)


def checks_adopted(obj: Object, event: events.ChecksAdopted, now: events.Now) -> Object:
    plan = parts.task(obj).plan
    stages = tuple(replace(stage, checks=event.checks) if stage.wants_checks else stage for stage in plan.stages)
    return parts.with_task(obj, plan=replace(plan, stages=stages))


def worktree_requested(obj: Object, event: events.WorktreeRequested, now: events.Now) -> Object:
    worktree = WorktreeState(
        uid=event.uid,
        task=event.task,
        project=event.project,
        branch=event.branch,
        commit=event.commit,
        created=now,
    )
    return replace(obj, worktree=worktree, failures=None)


def session_created(obj: Object, event: events.SessionCreated, now: events.Now) -> Object:
    session = SessionState(
        uid=event.uid,
        task=event.task,
        worktree=event.worktree,
        stage=event.stage,
        cycle=event.cycle,
        number=event.number,
        prompt=event.prompt,
        created=now,
        agent=event.agent,
    )
    return replace(obj, session=session)


def session_ended(obj: Object, event: events.SessionEnded, now: events.Now) -> Object:
    ended = replace(
        parts.session(obj), succeeded=event.succeeded, reason=event.reason, message=event.message, ended=now
    )
    return replace(obj, session=ended)


def stage_passed(obj: Object, event: events.StagePassed, now: events.Now) -> Object:
    return _moved_on(obj, event.stage, now, state="Passed", message=event.message)


def stage_continued(obj: Object, event: lifecycle.StageContinued, now: events.Now) -> Object:
    return _moved_on(obj, event.stage, now, state="Failed", message=event.message)


def stage_asked(obj: Object, event: lifecycle.StageAsked, now: events.Now) -> Object:
    asked = Ending(outcome="Failed", reason=event.reason, message=event.message, at=now)
    stages = parts.stages_with(parts.task(obj), event.stage, state="Failed", ended=now, message=event.message)
    asks = parts.task(obj).asks + 1
    return parts.with_task(obj, asked=asked, asks=asks, feedback=event.feedback, stages=stages)


def _moved_on(obj: Object, stage: int, now: events.Now, *, state: str, message: str) -> Object:
    task = parts.task(obj)
    stages = parts.stages_with(task, stage, state=state, ended=now, message=message)
    moved = replace(task, stages=stages, stage=stage + 1, target_fresh=False, asked=None)
    if moved.stage < len(stages):
        moved = replace(moved, stages=parts.stages_with(moved, moved.stage, state="Running", started=now))
    return replace(obj, task=moved)


def stage_failed(obj: Object, event: events.StageFailed, now: events.Now) -> Object:
    task = parts.task(obj)
    loops = task.stages[event.stage].loops + 1
    stages = parts.stages_with(task, event.stage, state="Failed", ended=now, message=event.message, loops=loops)
    again = replace(task, stages=stages)
    for index in range(event.goto, event.stage + 1):
        state = "Running" if index == event.goto else "Pending"
        fresh = {"state": state, "started": now if index == event.goto else None, "ended": None, "message": ""}
        again = replace(again, stages=parts.stages_with(again, index, **fresh))
    again = replace(again, stage=event.goto, cycle=event.cycle, feedback=event.feedback)
    again = replace(again, candidate=None, conflicts=(), target_fresh=False, findings=event.findings)
    return replace(obj, task=again)


def task_stopping(obj: Object, event: events.TaskStopping, now: events.Now) -> Object:
    ending = Ending(outcome=event.outcome, reason=event.reason, message=event.message, at=now, mode=event.mode)
    return parts.with_task(obj, stopping=ending)


def task_ended(obj: Object, event: events.TaskEnded, now: events.Now) -> Object:
    ending = Ending(outcome=event.outcome, reason=event.reason, message=event.message, at=now)
    task = parts.task(obj)
    if event.outcome in ("Failed", "Cancelled") and task.stage < len(task.stages):
        stages = parts.stages_with(task, task.stage, state="Failed", ended=now, message=event.message)
        task = replace(task, stages=stages)
    task = replace(task, ended=ending, asked=None, retry=None, slots=())
    return parts.with_life(replace(obj, task=task), suspension=None)
