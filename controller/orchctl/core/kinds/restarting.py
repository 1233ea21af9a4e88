"""A Task that goes on after its end, because somebody asked for it (TASK-4): pinned anew, in the worktree it has.

What it has made is kept: branch, commits, evidence that is green, and the count of its attempts. It begins again in the
stage it ended in, or in the one that was named, but never behind one that has not passed, nor behind one that other
gates guard now than those it passed. When the task itself was edited, it begins with its first stage: that is the edit
that is to be taken up.
"""

from __future__ import annotations

from orchctl.core import events, lifecycle, names, resolve
from orchctl.core.because import Because
from orchctl.core.folds import parts
from orchctl.core.kinds import ending
from orchctl.core.plan import Plan, StagePlan
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, Revision, TaskState
from orchctl.core.view import View


def propose(view: View, obj: Object, task: TaskState, revision: Revision | None) -> Proposal:
    assert obj.desired is not None
    made = view.get(names.worktree_key(obj.key))
    own = made if made is not None and parts.owner_of(made) == obj.key else None
    if own is not None and (own.open is not None or any(one.ended is None for one in parts.attempts_of(own))):
        return Proposal(Because("TASK-4", "goes on as soon as nothing is done to its worktree any more"))
    try:
        plan = resolve.plan_of(view, obj, revision)
    except resolve.Unresolved as refusal:
        return Proposal(refusal.because)
    if (plan.project, plan.repo, plan.task_branch) != (task.plan.project, task.plan.repo, task.plan.task_branch):
        message = (
            f"it belongs to project {plan.project} now, and its work is in {task.plan.project}: rerun it as another"
        )
        return ending.ended(obj, "Failed", "RerunRequired", message, "TASK-4")
    stage = first_stage(task, plan)
    restarted = lifecycle.TaskRestarted(obj.key, plan=plan, stage=stage, cycle=task.cycle + 1)
    return Proposal(
        Because("TASK-4", f"goes on with stage {plan.stages[stage].name}, attempt {task.cycle + 2}"),
        decisions=(restarted, *_worktree(obj, task, own)),
        needs_slot=True,
    )


def first_stage(task: TaskState, plan: Plan) -> int:
    before = zip(task.plan.stages, task.stages, strict=True)
    passed = {one.name: _guards(one, task.plan) for one, record in before if record.state == "Passed"}
    order = [one.name for one in plan.stages]
    last = task.plan.stages[min(task.stage, len(task.plan.stages) - 1)].name
    wanted = task.retry.from_stage if task.retry is not None else ""
    if not wanted:
        wanted = last if plan.pinned_digest == task.plan.pinned_digest else order[0]
    anew = (index for index, one in enumerate(plan.stages) if passed.get(one.name) != _guards(one, plan))
    furthest = next(anew, len(order) - 1)
    return min(order.index(wanted) if wanted in order else 0, furthest)


def _guards(stage: StagePlan, plan: Plan) -> tuple[object, ...]:
    """What the stage has to pass. Checks count only where nothing is merged: a merge asks all of them again."""
    return (stage.gates, () if any(one.merge for one in plan.stages) else stage.checks)


def _worktree(obj: Object, task: TaskState, own: Object | None) -> tuple[events.Decision, ...]:
    """The worktree it has, or another where that one is gone or was never made."""
    if own is None or own.worktree is None:
        return ()
    gone = own.worktree.removed is not None
    if own.worktree.path and not gone:
        return (lifecycle.WorktreeReused(own.key),)
    # One that was removed was salvaged under its uid: the next must not be salvaged over it.
    which = (task.cycle + 1,) if gone else ()
    again = events.WorktreeRequested(
        own.key,
        uid=names.uid_of(ending.uid_of(obj), "worktree", *which) if gone else own.worktree.uid,
        task=obj.key,
        project=own.worktree.project,
        branch=own.worktree.branch,
        commit=task.head or own.worktree.commit,
    )
    return (again,)


def refusal(obj: Object, from_stage: str = "") -> str:
    """Why this task cannot be retried as it stands; empty when it can."""
    ended = parts.ending_of(obj) or (obj.task.asked if obj.task is not None and obj.task.stopping is None else None)
    if ended is None:
        again = obj.task is not None and obj.task.retry is not None
        return "it is to go on already" if again else "it has not ended: it goes on, or can be cancelled first"
    if ended.outcome in ("Merged", "Succeeded"):
        return f"it has ended well ({ended.outcome}): `orchctl rerun` makes another task of it"
    assert obj.desired is not None
    if resolve.task_spec(obj.desired.spec).shutdown is not None:
        return f"its manifest cancels it: remove `spec.shutdown` from {obj.desired.path}:{obj.desired.line} first"
    most = resolve.attempts_max(obj)
    if obj.task is not None and obj.task.cycle + 1 >= most:
        return f"it has made its {most} attempts: raise `spec.attempts` in {obj.desired.path}:{obj.desired.line} first"
    return _wrong_stage(obj.task, from_stage) if from_stage else ""


def _wrong_stage(task: TaskState | None, wanted: str) -> str:
    if task is None:
        return "it has never started: it has no stage to go on from"
    order = [one.name for one in task.plan.stages]
    if wanted not in order:
        return f"it has no stage {wanted}: its stages are {', '.join(order)}"
    before = order[: order.index(wanted)]
    open_ones = [name for name, record in zip(before, task.stages, strict=False) if record.state != "Passed"]
    return f"stage {wanted} comes after {open_ones[0]}, which has not passed" if open_ones else ""
