"""How work lands: fetch the target, merge without a checkout, verify the result, move the target by CAS."""

from __future__ import annotations

import dataclasses

from orchctl.core import actions, names, prompts, sources
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.ids import name_of
from orchctl.core.kinds import gates
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.core.view import View

PATHS_NAMED_MAX = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """It cannot land as it is, and no run of the agent's would change that."""

    reason: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    message: str


def propose(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | gates.Red | gates.Broken | Refused | Done:
    if task.landed is not None:
        return Done(f"merged into {task.branch} as {task.landed[:8]}")
    if task.head is None:
        return Refused("NothingToMerge", "there is no work to merge: no stage before the merge has an agent")
    if not task.target_fresh:
        branch = task.plan.stages[task.stage].into or task.plan.branch
        do_sync = actions.SyncHub(project=task.plan.project, repo=task.plan.repo, branch=branch)
        return Proposal(Because("MRG-3", "fetches the target branch"), do=do_sync)
    if task.conflicts:
        named = ", ".join(task.conflicts[:PATHS_NAMED_MAX])
        return Refused("MergeConflict", f"{task.plan.task_branch} conflicts with {task.branch} in {named}")
    if task.candidate is None:
        return _merge(view, obj, task)
    if not task.candidate.paths:
        return Done(f"{task.branch} holds all of it already")
    if task.candidate.protected:
        named = ", ".join(task.candidate.protected[:PATHS_NAMED_MAX])
        return Refused("ProtectedPath", f"landing would change protected paths on {task.branch}: {named}")
    verdict = gates.judge(obj, task, task.candidate.commit, task.candidate.tree, now)
    if verdict is not None:
        return verdict
    if task.dirty:
        return _wait_for_clean(task)
    do = actions.LandWork(
        project=task.plan.project,
        repo=task.plan.repo,
        branch=task.branch,
        new=task.candidate.commit,
        old=task.candidate.target,
    )
    return Proposal(Because("MRG-1", f"moves {task.branch} to the verified merge"), do=do)


def protected_of(view: View, task: TaskState) -> tuple[str, ...]:
    """Globs no work may touch; the manifests are among them where project and manifests share a repo (APP-6).

    Settings may have begun to name other folders since the task started: those are protected just the same.
    """
    manifests = sources.globs_of([*task.plan.manifest_roots, *view.roots]) if task.control else ()
    return (*task.plan.protected, *manifests)


def _merge(view: View, obj: Object, task: TaskState) -> Proposal:
    assert task.target is not None
    assert task.head is not None
    trailers = {"Task": name_of(obj.key), "Work": task.head, **_wanted_trailers(obj, task)}
    do = actions.MergeWork(
        project=task.plan.project,
        target=task.target,
        head=task.head,
        message=prompts.commit_message(task.plan.title, trailers),
        at=int(task.started.at),
        protected=protected_of(view, task),
    )
    return Proposal(Because("MRG-1", f"merges {task.plan.task_branch} with {task.branch}"), do=do)


def _wanted_trailers(obj: Object, task: TaskState) -> dict[str, str]:
    """What the project's guardrails want besides, of the run whose work it is."""
    stage, cycle = task.imported
    if task.plan.commit is None or stage < 0:
        return {}
    session, _ = names.session_keys(obj.key, task.plan.stages[stage].name, cycle)
    known = {"Session": name_of(session), "Attempt": str(cycle + 1)}
    return {name: known[name] for name in task.plan.commit.trailers if name in known}


def _wait_for_clean(task: TaskState) -> Proposal:
    named = ", ".join(task.dirty[:PATHS_NAMED_MAX])
    more = f" and {len(task.dirty) - PATHS_NAMED_MAX} more" if len(task.dirty) > PATHS_NAMED_MAX else ""
    text = f"{task.branch} is checked out with uncommitted changes in {named}{more}"
    because = Because(
        "MRG-5",
        text,
        evidence=task.dirty,
        unblock="commit, stash or discard these changes; the merge then lands by itself",
        waiting="MergeQueue",
    )
    return Proposal(because)
