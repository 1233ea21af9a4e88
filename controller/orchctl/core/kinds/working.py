"""The work of a Task's stage: a worktree, an agent's session in it, and its commits brought into the hub."""

from __future__ import annotations

from orchctl.core import actions, choosing, events, names, prompts
from orchctl.core.because import HOLDING, Because
from orchctl.core.events import Now
from orchctl.core.ids import name_of, namespace_of
from orchctl.core.kinds import ending, failing, merging, rendering, rounds, stopping, suspending
from orchctl.core.plan import StagePlan
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.core.view import View

PATHS_NAMED_MAX = 5


def sync(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    if task.base is not None or task.stopping is not None:
        return None
    do = actions.SyncHub(project=task.plan.project, repo=task.plan.repo, branch=task.plan.branch)
    return Proposal(Because("WT-8", "fetches the project's branch"), do=do)


def worktree(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    key = names.worktree_key(obj.key)
    made = view.get(key)
    if made is not None and made.worktree is not None and made.worktree.task == obj.key and not made.worktree.removed:
        if made.worktree.path or task.stopping is not None:
            return None
        if made.failures is not None and (
            not made.failures.transient or made.failures.count >= failing.EFFECT_FAILURES_MAX
        ):
            return ending.ended(obj, "Failed", "WorktreeFailed", made.failures.message, "WT-4")
        held = suspending.hold_start(obj) if made.open is None else None
        return held or Proposal(Because("WT-4", "its worktree is being made"), wake_at=stopping.due_of(obj, task))
    if task.stopping is not None:
        return None
    assert task.base is not None
    requested = events.WorktreeRequested(
        key,
        uid=names.uid_of(ending.uid_of(obj), "worktree"),
        task=obj.key,
        project=task.plan.project,
        branch=task.plan.task_branch,
        commit=task.base,
    )
    return Proposal(Because("WT-4", "asks for a worktree"), decisions=(requested,))


def session(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """Run the stage's agent once per cycle; wait for its session to end."""
    stage = task.plan.stages[task.stage]
    if stage.agent is None or task.imported == (task.stage, task.cycle):
        return None
    found = ending.session_of(view, obj, stage.name, task.cycle)
    if found is None or found.session is None:
        if task.stopping is not None:
            return None
        absent = choosing.absent(view, stage.agent, task.plan.env)
        if absent is not None:
            return Proposal(absent)
        wanted = rendering.propose(obj, task, stage)
        if wanted is not None:
            return wanted
        new = _new(view, obj, task, stage)
        return Proposal(Because("TASK-1", f"stage {stage.name} needs a session"), decisions=(new,), needs_slot=True)
    if found.session.ended is None:
        begins = found.open is None and not any(one.reason != "NotStarted" for one in found.session.attempts)
        held = suspending.hold_start(obj, HOLDING) if begins else None
        if held is not None:
            return held
        text = f"stage {stage.name}: {found.because.text if found.because else 'its session is starting'}"
        return Proposal(
            Because("SES-3", text, evidence=(f"session {name_of(found.key)}",)), wake_at=stopping.due_of(obj, task)
        )
    return None


def _new(view: View, obj: Object, task: TaskState, stage: StagePlan) -> events.SessionCreated:
    plain, distinct = names.session_keys(obj.key, stage.name, task.cycle)
    key = plain if view.get(plain) is None else distinct
    return events.SessionCreated(
        key,
        uid=names.uid_of(ending.uid_of(obj), stage.name, task.cycle),
        task=obj.key,
        worktree=names.worktree_key(obj.key),
        stage=task.stage,
        cycle=task.cycle,
        number=task.cycle + 1,
        prompt=prompts.agent_prompt(task.plan, stage, task.feedback, rendering.texts_of(task)),
        agent=stage.agent.name if stage.agent is not None else "",
    )


def bring_in(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """Whatever the session made comes into the hub, also when it failed: work is kept before it is judged."""
    stage = task.plan.stages[task.stage]
    if stage.agent is None or task.imported == (task.stage, task.cycle):
        return None
    found = ending.session_of(view, obj, stage.name, task.cycle)
    if found is None or found.session is None or stopping.is_hurried(task):
        return None
    assert task.base is not None
    place = view.get(names.worktree_key(obj.key))
    assert place is not None
    assert place.worktree is not None
    do = actions.ImportWork(
        project=task.plan.project,
        name=names.tree_name(namespace_of(obj.key), name_of(obj.key), place.worktree.uid),
        ref=f"refs/orch/attempts/{found.session.uid}/1",
        branch=task.plan.task_branch,
        base=task.base,
        protected=merging.protected_of(view, task),
        touches=task.plan.touches,
        files=rounds.files_rules(task),
    )
    return Proposal(Because("WT-10", "imports the agent's work into the hub"), do=do)


def judge(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """A red session, an empty change and a path that is not its own all take the stage's failure edge."""
    stage = task.plan.stages[task.stage]
    if stage.agent is None:
        return None
    found = ending.session_of(view, obj, stage.name, task.cycle)
    assert found is not None
    assert found.session is not None
    if not found.session.succeeded:
        return failing.stage(obj, task, found.session.reason or "AgentFailed", found.session.message)
    if not task.paths:
        return failing.stage(obj, task, "NoChange", "the agent ended without changing anything")
    if task.protected:
        named = ", ".join(task.protected[:PATHS_NAMED_MAX])
        return failing.stage(obj, task, "ProtectedPath", f"the change touches protected paths: {named}")
    if task.outside:
        named, allowed = (", ".join(paths[:PATHS_NAMED_MAX]) for paths in (task.outside, task.plan.touches))
        message = f"the change goes beyond the task's `touches` ({allowed}): {named}"
        return failing.stage(obj, task, "OutsideTouches", message)
    return None
