"""How a Task ends, and what is put away after that: its gate room, and with its manifest all it has made."""

from __future__ import annotations

from orchctl.core import actions, events, names
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.folds import parts
from orchctl.core.ids import name_of, namespace_of
from orchctl.core.kinds import approval, retrying
from orchctl.core.proposal import Proposal
from orchctl.core.state import Ending, Object, TaskState
from orchctl.core.view import View


def ended(obj: Object, outcome: str, reason: str, message: str, rule: str) -> Proposal:
    event = events.TaskEnded(obj.key, outcome=outcome, reason=reason, message=message)
    return Proposal(Because(rule, message), decisions=(event,))


def over(obj: Object, ended: Ending) -> Because:
    """The answer to why of a task that has ended."""
    if ended.outcome in ("Merged", "Succeeded"):
        return Because("TASK-1", ended.message)
    unblock = "" if obj.withdrawn else f"`orchctl retry {name_of(obj.key)}` lets it go on"
    return Because("TASK-2", ended.message, unblock=unblock)


def remove(obj: Object) -> Proposal:
    return Proposal(Because("GIT-5", "its manifest is gone"), decisions=(events.ObjectRemoved(obj.key),))


def propose(view: View, obj: Object, task: TaskState, now: Now) -> Proposal:
    assert task.ended is not None
    because = over(obj, task.ended)
    if task.room_begun:
        name = names.tree_name(namespace_of(obj.key), name_of(obj.key), uid_of(obj))
        do = actions.RemoveTree(project=task.plan.project, name=f"room-{name}", salvage="")
        return retrying.hold_clean_up(obj, now, "MRG-4", do.verb) or Proposal(because, do=do)
    late = approval.late_revocation(view, obj, task)
    if late is not None:
        return late
    if not obj.withdrawn:
        return Proposal(because)
    made = [view.get(names.worktree_key(obj.key))]
    made += [session_of(view, obj, stage, cycle) for stage, cycle in parts.runs_of(task)]
    leaving = [one for one in made if one is not None and parts.owner_of(one) == obj.key]
    if any(one.open is not None or (one.worktree is not None and _still_there(one)) for one in leaving):
        return Proposal(Because("GIT-5", "its manifest is gone; its worktree is being salvaged and removed"))
    removed = tuple(events.ObjectRemoved(one.key) for one in leaving)
    return Proposal(because, decisions=(*removed, events.ObjectRemoved(obj.key)))


def _still_there(obj: Object) -> bool:
    """Or may be: it was begun, and what came of that was never known."""
    return obj.worktree is not None and obj.actions > 0 and obj.worktree.removed is None


def session_of(view: View, obj: Object, stage: str, cycle: int) -> Object | None:
    """The session of this task, stage and cycle: never one that another task's name happens to collide with."""
    for key in names.session_keys(obj.key, stage, cycle):
        found = view.get(key)
        if found is not None and parts.owner_of(found) == obj.key:
            return found
    return None


def uid_of(obj: Object) -> str:
    assert obj.desired is not None
    return obj.desired.uid
