"""How a Worktree goes on: made when its task asks for it, salvaged and removed when its task is done with it."""

from __future__ import annotations

from orchctl.core import actions, names, prompts, proposal
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.ids import name_of, namespace_of
from orchctl.core.kinds import retrying, suspending, watching
from orchctl.core.ports import Phase
from orchctl.core.proposal import Proposal
from orchctl.core.state import Attempt, Object, TaskState, WorktreeState
from orchctl.core.view import View

COMMIT_TIMEOUT_S = 300
STARTS_MAX = 3
AGAIN_S_MAX = 24 * 3600.0  # between two tries at committing what could not be committed


def propose(view: View, obj: Object, now: Now) -> Proposal:
    worktree = obj.worktree
    assert worktree is not None
    task_obj = view.get(worktree.task)
    task = task_obj.task if task_obj is not None else None
    if worktree.removed is not None:
        return Proposal(Because("MRG-4", "removed; what it held is kept under refs/orch in the hub"))
    if obj.open is not None:
        return proposal.busy(obj)
    if not worktree.path:
        return _create(obj, worktree, task_obj, now)
    last = worktree.attempts[-1] if worktree.attempts else None
    if last is not None and last.ended is None:
        return watching.watch(last, COMMIT_TIMEOUT_S, now, doing="committing what is left in it")
    if task is None or task_obj is None or task.ended is None:
        return Proposal(Because("WT-1", f"in use by {name_of(worktree.task)}"))
    if _keeps(task, withdrawn=task_obj.withdrawn):
        return Proposal(Because("WT-9", f"kept ({task.plan.keep}) after the task {task.ended.outcome.lower()}"))
    return _leave(obj, worktree, task, now)


def _create(obj: Object, worktree: WorktreeState, task_obj: Object | None, now: Now) -> Proposal:
    task = task_obj.task if task_obj is not None else None
    if task_obj is None or task is None or task.ended is not None:
        return _undo(obj, worktree, now)
    if task.stopping is not None:
        return Proposal(Because("WT-4", "not made: its task is ending"))
    if obj.failures is not None and not obj.failures.transient:
        return Proposal(Because("WT-4", obj.failures.message))
    do = actions.CreateTree(
        project=worktree.project, name=_folder(obj, worktree), branch=worktree.branch, commit=worktree.commit
    )
    held = retrying.hold(obj, now, "WT-4") or suspending.hold_start(task_obj)
    return held or Proposal(Because("WT-4", "makes the worktree"), do=do)


def _undo(obj: Object, worktree: WorktreeState, now: Now) -> Proposal:
    """Its making may have gone further than what is known of it; nobody has worked in it (WT-3)."""
    if not obj.actions:
        return Proposal(Because("WT-4", "never made: its task ended first"))
    do = actions.RemoveTree(project=worktree.project, name=_folder(obj, worktree), salvage="")
    held = retrying.hold_clean_up(obj, now, "WT-3", do.verb)
    return held or Proposal(Because("WT-3", "removes what may have been made of it"), do=do)


def _leave(obj: Object, worktree: WorktreeState, task: TaskState, now: Now) -> Proposal:
    """Commit what is uncommitted, salvage every ref, remove: each only after the one before it succeeded (WT-2)."""
    last = worktree.attempts[-1] if worktree.attempts else None
    kept = _kept_for_a_person(worktree, last, now) if last is not None else None
    if kept is not None:
        return kept
    if last is None or last.phase is not Phase.SUCCEEDED:
        trailers = {"Task": name_of(worktree.task), "Worktree": name_of(obj.key)}
        commit = actions.CommitLeftovers(
            attempt=names.attempt_id(worktree.uid, obj.actions + 1),
            cwd=worktree.path,
            message=prompts.commit_message(f"Left in the worktree: {task.plan.title}", trailers),
            env=prompts.author(""),
        )
        return retrying.hold(obj, now, "WT-2") or Proposal(Because("WT-2", "commits what is left in it"), do=commit)
    do = actions.RemoveTree(
        project=worktree.project,
        name=_folder(obj, worktree),
        salvage=f"refs/orch/salvage/{worktree.uid}/{task.cycle + 1}",
        branch=worktree.branch if task.landed is not None else "",
    )
    held = retrying.hold_clean_up(obj, now, "WT-3", do.verb)
    return held or Proposal(Because("MRG-4", "no longer needed: salvages every ref and removes it"), do=do)


def _kept_for_a_person(worktree: WorktreeState, last: Attempt, now: Now) -> Proposal | None:
    """Its work cannot be committed, by what an agent left or by what happens here: tried again, less and less often."""
    lost = last.phase is Phase.LOST and len(worktree.attempts) < STARTS_MAX
    if last.phase is Phase.SUCCEEDED or last.ended is None or lost:
        return None
    due = last.ended.t + min(AGAIN_S_MAX, retrying.LOOK_AGAIN_S * 2.0 ** (len(worktree.attempts) - 1))
    if now.t >= due:
        return None
    text = f"kept: it holds work that could not be committed ({last.message})"
    unblock = f"end what is unfinished in {worktree.path}; it is tried again by itself"
    return Proposal(Because("WT-2", text, unblock=unblock), wake_at=due, resting=True)


def _folder(obj: Object, worktree: WorktreeState) -> str:
    return names.tree_name(namespace_of(obj.key), name_of(obj.key), worktree.uid)


def _keeps(task: TaskState, *, withdrawn: bool) -> bool:
    if withdrawn:
        return False
    if task.plan.keep == "OnFailure":
        return task.ended is not None and task.ended.outcome in ("Failed", "Cancelled")
    return task.plan.keep == "Always"
