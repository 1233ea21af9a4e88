"""How a Task goes on, one step at a time: the order of the work is the order of the functions in `_STEPS`.

Each step looks at what has happened and either knows what comes next (a Proposal) or has nothing to say (None) and
lets the following step look. So the place a Task is in is never stored: it follows from the facts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from orchctl.core import events, gating, proposal, resolve
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.ids import key_of, namespace_of
from orchctl.core.kinds import (
    ending,
    failing,
    gates,
    grouping,
    merging,
    restarting,
    rounds,
    starting,
    stopping,
    suspending,
    timing,
    working,
)
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, Revision, TaskState
from orchctl.core.view import View


def propose(view: View, obj: Object, now: Now, revision: Revision | None) -> Proposal:
    answer = _propose(view, obj, now, revision)
    due = timing.alarm(obj, now)
    return dataclasses.replace(answer, wall_at=due) if due is not None else answer


def _propose(view: View, obj: Object, now: Now, revision: Revision | None) -> Proposal:
    if obj.desired is None:
        if obj.withdrawn:
            return ending.remove(obj)
        return Proposal(Because("GIT-3", "its manifest has never been valid", evidence=obj.problems))
    expired = suspending.expire(obj, now)
    if expired is not None:
        return expired
    if obj.task is None:
        return starting.propose(view, obj, now, revision)
    if obj.open is not None:
        return proposal.busy(obj)
    if obj.task.ended is not None:
        return ending.propose(view, obj, obj.task, now)
    stopped = stopping.propose(obj, obj.task, now)
    if stopped is not None:
        return stopped
    if obj.task.retry is not None:
        return _again(view, obj, obj.task, revision)
    failed = failing.asked(view, obj, obj.task) or failing.after_effect(obj, obj.task, now)
    if failed is not None:
        return failed
    for step in _STEPS:
        answer = step(view, obj, obj.task, now)
        if answer is not None:
            return suspending.hold(obj, obj.task, answer)
    raise AssertionError(f"{obj.key}: no step knows how to go on")


def _again(view: View, obj: Object, task: TaskState, revision: Revision | None) -> Proposal:
    """It has nothing under way: it goes on, or ends at once when it is to end again."""
    stop = task.stopping
    if stop is not None:
        return ending.ended(obj, stop.outcome, stop.reason, stop.message, "TASK-4")
    return suspending.hold(obj, task, restarting.propose(view, obj, task, revision))


def _complete(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """All stages are passed: what that amounts to."""
    if task.stage < len(task.plan.stages):
        return None
    if task.landed is not None:
        return ending.ended(obj, "Merged", "Merged", f"merged into {task.branch} as {task.landed[:8]}", "TASK-1")
    return ending.ended(obj, "Succeeded", "Succeeded", f"the work is on {task.plan.task_branch}", "TASK-1")


def _gates(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    stage = task.plan.stages[task.stage]
    if stage.wants_checks and not stage.checks:
        return _ask_for_checks(view, obj, task)
    if task.landed is not None:
        return None
    if not stage.merge and stage.checks:
        if task.head is None or task.head_tree is None:
            return failing.stage(obj, task, "NothingToCheck", "its checks stand before any work is done")
        verdict = gates.judge(obj, task, task.head, task.head_tree, now)
        if verdict is not None:
            return _judged(obj, task, verdict)
    said = rounds.judge(view, obj, task, now)
    if said is not None:
        return _judged(obj, task, said)
    return None if stage.merge else _pass(obj, task, rounds.passed_text(task))


def _judged(obj: Object, task: TaskState, verdict: Proposal | gates.Red | gates.Broken) -> Proposal:
    if isinstance(verdict, gates.Broken):
        return failing.for_good(obj, task, "CheckLost", verdict.message, rule="GATE-1")
    if isinstance(verdict, gates.Red):
        return failing.stage(obj, task, verdict.reason, verdict.message, verdict.feedback)
    return verdict


def _pass(obj: Object, task: TaskState, message: str) -> Proposal:
    stage = task.plan.stages[task.stage]
    passed = events.StagePassed(obj.key, stage=task.stage, name=stage.name, message=message)
    return Proposal(Because("TASK-1", f"stage {stage.name} passed: {message}"), decisions=(passed,))


def _ask_for_checks(view: View, obj: Object, task: TaskState) -> Proposal:
    """Nothing would verify this work. It waits, kept on its branch, until the project says what a check is."""
    found = _project_now(view, obj, task)
    if found is not None and found.desired is not None:
        checks = gating.project_checks(resolve.project_spec(found.desired.spec))
        if checks:
            adopted = events.ChecksAdopted(obj.key, checks=checks)
            return Proposal(Because("GATE-1", "takes up the project's new checks"), decisions=(adopted,))
    text = f"the work is on {task.plan.task_branch}, but project {task.plan.project} has no checks to verify it by"
    unblock = "commit a Project manifest with `spec.checks`, for example `checks: [{name: unit, run: make test}]`"
    return Proposal(Because("GATE-7", text, unblock=unblock, waiting="Question"))


def _project_now(view: View, obj: Object, task: TaskState) -> Object | None:
    """The project as it is now: the pinned one, or the one a repo without any has gained since."""
    pinned = view.get(key_of("Project", *task.plan.project.split("/", 1)))
    if pinned is not None:
        return pinned
    try:
        return resolve.find_project(view, namespace_of(obj.key), None)
    except resolve.Unresolved:
        return None


def _merge(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    held = grouping.hold(view, obj, now) if task.landed is None else None
    if held is not None:
        return held
    result = merging.propose(view, obj, task, now)
    if isinstance(result, merging.Refused):
        return failing.for_good(obj, task, result.reason, result.message, rule="MRG-2")
    if isinstance(result, merging.Done):
        return _pass(obj, task, result.message)
    return _judged(obj, task, result)


_STEPS: tuple[Callable[[View, Object, TaskState, Now], Proposal | None], ...] = (
    _complete,
    working.sync,
    working.worktree,
    working.session,
    working.bring_in,
    stopping.finish,
    working.judge,
    _gates,
    _merge,
)
