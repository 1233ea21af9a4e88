"""How a Task goes on, one step at a time: the order of the work is the order of the functions in `_STEPS`.

Each step looks at what has happened and either knows what comes next (a Proposal) or has nothing to say (None) and
lets the following step look. So the place a Task is in is never stored: it follows from the facts.
"""

from __future__ import annotations

from collections.abc import Callable

from orchctl.core import actions, choosing, events, names, prompts, proposal, resolve
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.folds import parts
from orchctl.core.ids import key_of, name_of, namespace_of
from orchctl.core.kinds import gates, merging, rendering, retrying, watching
from orchctl.core.plan import StagePlan
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, Revision, TaskState
from orchctl.core.view import View

FAILURES_MAX = 5  # consecutive failures of one effect before the task gives up
PATHS_NAMED_MAX = 5
# A second run would end the same way, so none is made.
HOPELESS = frozenset({"CannotStart", "NotFound", "NotExecutable", "ScriptError", "AskedHuman"})


def propose(view: View, obj: Object, now: Now, revision: Revision | None) -> Proposal:
    if obj.desired is None:
        if obj.withdrawn:
            return _remove(obj)
        return Proposal(Because("GIT-3", "its manifest has never been valid", evidence=obj.problems))
    if obj.task is None:
        return _start(view, obj, revision)
    if obj.open is not None:
        return proposal.busy(obj)
    if obj.task.ended is not None:
        return _after_end(view, obj, obj.task, now)
    stopped = _stop(obj, obj.task, now)
    if stopped is not None:
        return stopped
    failed = _after_failure(obj, obj.task, now)
    if failed is not None:
        return failed
    for step in _STEPS:
        answer = step(view, obj, obj.task, now)
        if answer is not None:
            return answer
    raise AssertionError(f"{obj.key}: no step knows how to go on")


# --- start and end ----------------------------------------------------------------------------------------------


def _start(view: View, obj: Object, revision: Revision | None) -> Proposal:
    assert obj.desired is not None
    if obj.withdrawn:
        return _remove(obj)
    try:
        plan = resolve.plan_of(view, obj, revision)
    except resolve.Unresolved as refusal:
        return Proposal(refusal.because)
    return Proposal(
        Because("TASK-3", "ready to start"),
        decisions=(events.TaskStarted(obj.key, plan=plan),),
        needs_slot=True,
        priority=resolve.task_spec(obj.desired.spec).priority,
    )


def _remove(obj: Object) -> Proposal:
    return Proposal(Because("GIT-5", "its manifest is gone"), decisions=(events.ObjectRemoved(obj.key),))


def _after_end(view: View, obj: Object, task: TaskState, now: Now) -> Proposal:
    assert task.ended is not None
    because = Because("TASK-2" if task.ended.outcome in ("Failed", "Cancelled") else "TASK-1", task.ended.message)
    if task.room_begun:
        name = names.tree_name(namespace_of(obj.key), name_of(obj.key), _uid(obj))
        do = actions.RemoveTree(project=task.plan.project, name=f"room-{name}", salvage="")
        return retrying.hold_clean_up(obj, now, "MRG-4", do.verb) or Proposal(because, do=do)
    if not obj.withdrawn:
        return Proposal(because)
    made = [view.get(names.worktree_key(obj.key))]
    made += [_session_of(view, obj, stage, cycle) for stage, cycle in _runs(task)]
    leaving = [one for one in made if one is not None and parts.owner_of(one) == obj.key]
    if any(one.open is not None or (one.worktree is not None and _still_there(one)) for one in leaving):
        return Proposal(Because("GIT-5", "its manifest is gone; its worktree is being salvaged and removed"))
    removed = tuple(events.ObjectRemoved(one.key) for one in leaving)
    return Proposal(because, decisions=(*removed, events.ObjectRemoved(obj.key)))


def _still_there(obj: Object) -> bool:
    """Or may be: it was begun, and what came of that was never known."""
    return obj.worktree is not None and obj.actions > 0 and obj.worktree.removed is None


def _runs(task: TaskState) -> list[tuple[StagePlan, int]]:
    """Every (stage, cycle) that may have had a session."""
    return [(stage, cycle) for stage in task.plan.stages if stage.role for cycle in range(task.cycle + 1)]


def _uid(obj: Object) -> str:
    assert obj.desired is not None
    return obj.desired.uid


def _ended(obj: Object, outcome: str, reason: str, message: str, rule: str) -> Proposal:
    event = events.TaskEnded(obj.key, outcome=outcome, reason=reason, message=message)
    return Proposal(Because(rule, message), decisions=(event,))


def _stop(obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """A withdrawn or overdue task stops what runs; what the agent wrote is committed and imported first."""
    if task.stopping is not None or task.landed is not None:
        return None
    if obj.withdrawn:
        message = "its manifest was removed from git"
        stopping = events.TaskStopping(obj.key, outcome="Cancelled", reason="Withdrawn", message=message)
        return Proposal(Because("GIT-5", message), decisions=(stopping,))
    due = _due(obj, task)
    if due is not None and now.t >= due:
        message = f"not done within {resolve.timeout_s(obj, task.plan)}s"
        stopping = events.TaskStopping(obj.key, outcome="Failed", reason="DeadlineExceeded", message=message)
        return Proposal(Because("TASK-2", message), decisions=(stopping,))
    return None


def _after_failure(obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """The last effect failed: back off and try again, or give up when that changes nothing."""
    failure = obj.failures
    if failure is None:
        return None
    cancelling = failure.verb == actions.CancelAttempt.__name__  # what runs must end: never given up
    if not cancelling and (not failure.transient or failure.count >= FAILURES_MAX):
        return _ended(obj, "Failed", f"{failure.verb}Failed", failure.message, "TASK-2")
    return retrying.hold(obj, now, "TASK-2")


# --- the steps --------------------------------------------------------------------------------------------------


def _due(obj: Object, task: TaskState) -> float | None:
    """When the task is overdue, in controller time; None while it ends or waits for a person."""
    if task.stopping is not None or (obj.because is not None and obj.because.waiting):
        return None
    return task.started.t + resolve.timeout_s(obj, task.plan) + task.waited_s


def _complete(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """All stages are passed: what that amounts to."""
    if task.stage < len(task.plan.stages):
        return None
    if task.landed is not None:
        return _ended(obj, "Merged", "Merged", f"merged into {task.branch} as {task.landed[:8]}", "TASK-1")
    return _ended(obj, "Succeeded", "Succeeded", f"the work is on {task.plan.task_branch}", "TASK-1")


def _sync(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    if task.base is not None or task.stopping is not None:
        return None
    do = actions.SyncHub(project=task.plan.project, repo=task.plan.repo, branch=task.plan.branch)
    return Proposal(Because("WT-8", "fetches the project's branch"), do=do)


def _worktree(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    key = names.worktree_key(obj.key)
    made = view.get(key)
    if made is not None and made.worktree is not None and made.worktree.task == obj.key and not made.worktree.removed:
        if made.worktree.path or task.stopping is not None:
            return None
        if made.failures is not None and (not made.failures.transient or made.failures.count >= FAILURES_MAX):
            return _ended(obj, "Failed", "WorktreeFailed", made.failures.message, "WT-4")
        return Proposal(Because("WT-4", "its worktree is being made"), wake_at=_due(obj, task))
    if task.stopping is not None:
        return None
    assert task.base is not None
    requested = events.WorktreeRequested(
        key,
        uid=names.uid_of(_uid(obj), "worktree"),
        task=obj.key,
        project=task.plan.project,
        branch=task.plan.task_branch,
        commit=task.base,
    )
    return Proposal(Because("WT-4", "asks for a worktree"), decisions=(requested,))


def _session(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """Run the stage's agent once per cycle; wait for its session to end."""
    stage = task.plan.stages[task.stage]
    if stage.agent is None or task.imported == (task.stage, task.cycle):
        return None
    found = _session_of(view, obj, stage, task.cycle)
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
        text = f"stage {stage.name}: {found.because.text if found.because else 'its session is starting'}"
        return Proposal(Because("SES-3", text, evidence=(f"session {name_of(found.key)}",)), wake_at=_due(obj, task))
    return None


def _session_of(view: View, obj: Object, stage: StagePlan, cycle: int) -> Object | None:
    """The session of this task, stage and cycle: never one that another task's name happens to collide with."""
    for key in names.session_keys(obj.key, stage.name, cycle):
        found = view.get(key)
        if found is not None and parts.owner_of(found) == obj.key:
            return found
    return None


def _new(view: View, obj: Object, task: TaskState, stage: StagePlan) -> events.SessionCreated:
    plain, distinct = names.session_keys(obj.key, stage.name, task.cycle)
    key = plain if view.get(plain) is None else distinct
    return events.SessionCreated(
        key,
        uid=names.uid_of(_uid(obj), stage.name, task.cycle),
        task=obj.key,
        worktree=names.worktree_key(obj.key),
        stage=task.stage,
        cycle=task.cycle,
        number=task.cycle + 1,
        prompt=prompts.agent_prompt(task.plan, stage, task.feedback, rendering.texts_of(task)),
    )


def _import(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """Whatever the session made comes into the hub, also when it failed: work is kept before it is judged."""
    stage = task.plan.stages[task.stage]
    if stage.agent is None or task.imported == (task.stage, task.cycle):
        return None
    found = _session_of(view, obj, stage, task.cycle)
    if found is None or found.session is None:
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
        protected=merging.protected_of(task),
    )
    return Proposal(Because("WT-10", "imports the agent's work into the hub"), do=do)


def _stopped(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    if task.stopping is None:
        return None
    running = next((one for one in task.checks if one.ended is None), None)
    if running is not None:
        return watching.watch(running, 0.0, now, doing="stopping its check", stop=task.stopping.message)
    ending = task.stopping
    return _ended(obj, ending.outcome, ending.reason, ending.message, "TASK-4")


def _judge_session(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    """A red session, an empty change and a protected path all take the stage's failure edge."""
    stage = task.plan.stages[task.stage]
    if stage.agent is None:
        return None
    found = _session_of(view, obj, stage, task.cycle)
    assert found is not None
    assert found.session is not None
    if not found.session.succeeded:
        return fail_stage(obj, task, found.session.reason or "AgentFailed", found.session.message)
    if not task.paths:
        return fail_stage(obj, task, "NoChange", "the agent ended without changing anything")
    if task.protected:
        named = ", ".join(task.protected[:PATHS_NAMED_MAX])
        return fail_stage(obj, task, "ProtectedPath", f"the change touches protected paths: {named}")
    return None


def fail_stage(obj: Object, task: TaskState, reason: str, message: str, feedback: str = "") -> Proposal:
    """The failure edge: back to the stage it names while the limit lasts, else the task fails."""
    stage = task.plan.stages[task.stage]
    if task.cycle >= stage.limit or reason in HOPELESS:
        tried = f" (after {task.cycle + 1} tries)" if task.cycle else ""
        return _ended(obj, "Failed", reason, f"stage {stage.name}: {message}{tried}", "TASK-5")
    failed = events.StageFailed(
        obj.key,
        stage=task.stage,
        goto=stage.goto,
        cycle=task.cycle + 1,
        reason=reason,
        message=message,
        feedback=feedback or message,
    )
    return Proposal(Because("TASK-5", f"stage {stage.name}: {message}"), decisions=(failed,))


def _gates(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | None:
    stage = task.plan.stages[task.stage]
    if stage.wants_checks and not stage.checks:
        return _ask_for_checks(view, obj, task)
    if stage.merge:
        return None
    if task.head is None or task.head_tree is None:
        if stage.checks:
            return fail_stage(obj, task, "NothingToCheck", "its checks stand before any work is done")
        return _pass(obj, task, "no gates")
    verdict = gates.judge(obj, task, task.head, task.head_tree, now)
    if isinstance(verdict, gates.Broken):
        return _ended(obj, "Failed", "CheckLost", verdict.message, "GATE-1")
    if isinstance(verdict, gates.Red):
        return fail_stage(obj, task, "GateFailed", verdict.message, verdict.feedback)
    return verdict if verdict is not None else _pass(obj, task, _passed_text(stage))


def _passed_text(stage: StagePlan) -> str:
    return f"passed {', '.join(check.name for check in stage.checks)}" if stage.checks else "no gates"


def _pass(obj: Object, task: TaskState, message: str) -> Proposal:
    stage = task.plan.stages[task.stage]
    passed = events.StagePassed(obj.key, stage=task.stage, name=stage.name, message=message)
    return Proposal(Because("TASK-1", f"stage {stage.name} passed: {message}"), decisions=(passed,))


def _ask_for_checks(view: View, obj: Object, task: TaskState) -> Proposal:
    """Nothing would verify this work. It waits, kept on its branch, until the project says what a check is."""
    found = _project_now(view, obj, task)
    if found is not None and found.desired is not None:
        checks = resolve.project_checks(resolve.project_spec(found.desired.spec))
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
    result = merging.propose(obj, task, now)
    if isinstance(result, gates.Red):
        return fail_stage(obj, task, "GateFailed", result.message, result.feedback)
    if isinstance(result, gates.Broken):
        return _ended(obj, "Failed", "CheckLost", result.message, "GATE-1")
    if isinstance(result, merging.Refused):
        return _ended(obj, "Failed", result.reason, result.message, "MRG-2")
    if isinstance(result, merging.Done):
        return _pass(obj, task, result.message)
    return result


_STEPS: tuple[Callable[[View, Object, TaskState, Now], Proposal | None], ...] = (
    _complete,
    _sync,
    _worktree,
    _session,
    _import,
    _stopped,
    _judge_session,
    _gates,
    _merge,
)
