"""How a Worktree goes on: made when its task asks for it, salvaged and removed when its task is done with it."""

from __future__ import annotations

from orchctl.core import actions, names, proposal
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.ids import name_of, namespace_of
from orchctl.core.kinds import retrying
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.core.view import View


def propose(view: View, obj: Object, now: Now) -> Proposal:
    worktree = obj.worktree
    assert worktree is not None
    task_obj = view.get(worktree.task)
    task = task_obj.task if task_obj is not None else None
    if worktree.removed is not None:
        return Proposal(Because("MRG-4", "removed; what it held is kept under refs/orch in the hub"))
    if obj.open is not None:
        return proposal.busy(obj)
    failed = retrying.given_up(obj, "WT-3") or retrying.hold(obj, now, "WT-3")
    if failed is not None:
        return failed
    name = names.tree_name(namespace_of(obj.key), name_of(obj.key), worktree.uid)
    if not worktree.path:
        if task is None or task.ended is not None or task.stopping is not None:
            return Proposal(Because("WT-4", "never made: its task ended first"))
        do = actions.CreateTree(project=worktree.project, name=name, branch=worktree.branch, commit=worktree.commit)
        return Proposal(Because("WT-4", "makes the worktree"), do=do)
    if task is None or task.ended is None:
        return Proposal(Because("WT-1", f"in use by {name_of(worktree.task)}"))
    if _keeps(task, withdrawn=task_obj.withdrawn if task_obj is not None else True):
        return Proposal(Because("WT-9", f"kept ({task.plan.keep}) after the task {task.ended.outcome.lower()}"))
    merged = task.ended.outcome == "Merged"
    do_remove = actions.RemoveTree(
        project=worktree.project,
        name=name,
        salvage=f"refs/orch/salvage/{worktree.uid}/1",
        branch=worktree.branch if merged else "",
    )
    return Proposal(Because("MRG-4", "no longer needed: salvages every ref and removes it"), do=do_remove)


def _keeps(task: TaskState, *, withdrawn: bool) -> bool:
    if withdrawn:
        return False
    if task.plan.keep == "OnFailure":
        return task.ended is not None and task.ended.outcome in ("Failed", "Cancelled")
    return task.plan.keep == "Always"
