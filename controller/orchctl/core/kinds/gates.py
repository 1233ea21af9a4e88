"""Checks as gates: evidence on exactly the tree that is judged, gathered in the gate room, reused when equal."""

from __future__ import annotations

import dataclasses

from orchctl.core import actions, names
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.ids import Oid, name_of, namespace_of
from orchctl.core.kinds import watching
from orchctl.core.plan import Check
from orchctl.core.ports import Phase
from orchctl.core.proposal import Proposal
from orchctl.core.state import Attempt, Evidence, Object, TaskState

DEFAULT_LIMIT_S = 600
LOST_MAX = 3  # how often a check may vanish without a verdict before that is the verdict


@dataclasses.dataclass(frozen=True, slots=True)
class Red:
    """At least one gate failed. `feedback` is what the agent is shown."""

    message: str
    feedback: str
    reason: str = "GateFailed"


def checks_of(task: TaskState) -> tuple[Check, ...]:
    """Checks that guard the current stage; a merge is guarded by all of the stages before it."""
    stage = task.plan.stages[task.stage]
    if not stage.merge:
        return stage.checks
    seen = {check.digest: check for one in task.plan.stages for check in one.checks}
    return tuple(seen.values())


def evidence_for(task: TaskState, check: Check, tree: Oid) -> Evidence | None:
    """The latest evidence with this key: what was judged and what by (GATE-1)."""
    found = [one for one in task.evidence if one.tree == tree and one.digest == check.digest]
    return found[-1] if found else None


@dataclasses.dataclass(frozen=True, slots=True)
class Broken:
    """No verdict can be had. That is nobody's work being wrong, so no agent hears of it."""

    message: str


def judge(obj: Object, task: TaskState, commit: Oid, tree: Oid, now: Now) -> Proposal | Red | Broken | None:
    """The next step towards a verdict on `tree`, or Red, or None when all is green."""
    running = next((one for one in task.checks if one.ended is None), None)
    checks = checks_of(task)
    if running is not None:
        return watch(task, running, now)
    missing = next((check for check in checks if evidence_for(task, check, tree) is None), None)
    if missing is not None:
        return _gather(obj, task, missing, commit, tree)
    failed = [one for check in checks if (one := evidence_for(task, check, tree)) is not None and not one.passed]
    if not failed:
        return None
    message = "; ".join(f"check {one.check} failed: {one.message}" for one in failed)
    feedback = "\n\n".join(f"Check `{one.check}` failed ({one.message}):\n{one.tail}" for one in failed)
    return Red(message, feedback)


def watch(task: TaskState, attempt: Attempt, now: Now) -> Proposal:
    limit_s = next((check.timeout_s for check in checks_of(task) if check.name == attempt.name), DEFAULT_LIMIT_S)
    return watching.watch(attempt, limit_s, now, doing=f"check {attempt.name} is running")


def _gather(obj: Object, task: TaskState, check: Check, commit: Oid, tree: Oid) -> Proposal | Broken:
    if _vanished(task, check) >= LOST_MAX:
        return Broken(f"check {check.name} vanished {LOST_MAX} times without a verdict")
    assert obj.desired is not None
    if task.room_commit != commit:
        name = names.tree_name(namespace_of(obj.key), name_of(obj.key), obj.desired.uid)
        do = actions.CreateRoom(project=task.plan.project, name=f"room-{name}", commit=commit)
        return Proposal(Because("GATE-1", "prepares the gate room"), do=do)
    run = actions.RunCheck(
        attempt=names.attempt_id(names.uid_of(obj.desired.uid, "check"), obj.actions + 1),
        check=check.name,
        run=check.run,
        check_digest=check.digest,
        tree=tree,
        cwd=task.room,
        env=(*task.plan.env, ("ORCH_TASK", name_of(obj.key)), ("ORCH_BASE", task.base or "")),
    )
    return Proposal(Because("GATE-1", f"runs check {check.name}"), do=run)


def _vanished(task: TaskState, check: Check) -> int:
    """How often in a row the last runs of this check ended without a verdict."""
    count = 0
    for attempt in reversed(task.checks[task.checks_before :]):
        if attempt.check_digest != check.digest:
            continue
        if attempt.phase is not Phase.LOST:
            break
        count += 1
    return count
