"""How an Approval goes on: it makes itself known to its task, and says of itself what it is worth there.

The task decides by asking the same question itself, so this status can be late but never wrong in its favour.
"""

from __future__ import annotations

from orchctl.core import events, judgements
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.gates import approvals, cases, verdicts
from orchctl.core.ids import Key, key_of, name_of, namespace_of
from orchctl.core.judgements import Standing
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.core.view import View

NAMED_MAX = 200  # Approvals of one task; more than any number of attempts and people comes to
LOOK_AGAIN_S = 3600.0  # for its end: the wall clock may be set


def propose(view: View, obj: Object, now: Now) -> Proposal:
    if obj.withdrawn:
        return Proposal(Because("GIT-5", "its manifest is gone"), decisions=(events.ObjectRemoved(obj.key),))
    if obj.desired is None:
        return Proposal(Because("GIT-3", "its manifest has never been valid", evidence=obj.problems))
    spec = approvals.spec_of(obj.desired.spec)
    task_obj = view.get(key_of("Task", namespace_of(obj.key), spec.subject.name))
    if task_obj is None or task_obj.task is None or task_obj.desired is None:
        said = f"task {spec.subject.name} has not started"
        return _judged(obj, Standing(counts=False, reason="Pending", message=said))
    task = task_obj.task
    if task_obj.desired.uid != spec.subject.uid:
        said = f"it is about an earlier task {spec.subject.name}: its uid is another"
        return _judged(obj, Standing(counts=False, reason="Stale", message=said, stale=("uid",)))
    if obj.key not in task.gating.approvals:
        if len(task.gating.approvals) >= NAMED_MAX:
            said = f"task {spec.subject.name} has {NAMED_MAX} approvals already"
            return _judged(obj, Standing(counts=False, reason="NotAllowed", message=said))
        noted = judgements.ApprovalNoted(task_obj.key, approval=obj.key)
        return Proposal(Because("APP-1", f"names task {name_of(task_obj.key)}"), decisions=(noted,))
    return _worth(view, obj, task_obj, task, now)


def _worth(view: View, obj: Object, task_obj: Object, task: TaskState, now: Now) -> Proposal:
    assert obj.desired is not None
    spec = approvals.spec_of(obj.desired.spec)
    named = (spec.subject.stage, spec.subject.gate)
    plan = {(stage.name, gate.name): gate for stage in task.plan.stages for gate in stage.gates}.get(named)
    if plan is None or plan.type != "approval":
        said = f"stage {named[0]} of the task has no approval gate {named[1]}"
        return _judged(obj, Standing(counts=False, reason="Stale", message=said, stale=("gate",)))
    found = next((one for one in cases.recorded(task) if (one.stage, one.gate) == named), None)
    policy = cases.policy(cases.Case(view, task_obj, task, now), plan)
    if found is None or policy is None or policy.desired is None:
        said = f"gate {named[1]} of stage {named[0]} has not been asked yet"
        return _judged(obj, Standing(counts=False, reason="Pending", message=said))
    matter = approvals.Matter(
        _subject_now(found, policy), approvals.policy_of(policy.desired.spec), plan.policy, task.requester, now
    )
    worth = approvals.standing(obj, matter)
    ends = approvals.ends_at(obj, spec, matter.policy)
    wake_at = now.t + min(ends - now.at, LOOK_AGAIN_S) if worth.counts and ends is not None and ends > now.at else None
    return _judged(obj, worth, wake_at)


def _subject_now(found: verdicts.Finding, policy: Object) -> verdicts.Subject:
    return verdicts.with_policy(found.subject, cases.policy_digest(policy))


def _judged(obj: Object, worth: Standing, wake_at: float | None = None) -> Proposal:
    because = Because("APP-1", worth.message)
    if worth != obj.standing:
        return Proposal(because, decisions=(judgements.ApprovalJudged(obj.key, standing=worth),))
    return Proposal(because, wake_at=wake_at, resting=True)


def late_revocation(view: View, obj: Object, task: TaskState) -> Proposal | None:
    """What the merge rested on was taken back after it: nothing undoes the merge, but it is said, once (APP-5)."""
    if task.landed is None:
        return None
    for finding in cases.recorded(task):
        for key in finding.used:
            if key in task.gating.revoked or _still_says(view, task, key, finding.subject):
                continue
            said = f"{name_of(key)} was taken back after the work was merged as {task.landed[:8]}"
            event = judgements.RevokedAfterMerge(obj.key, approval=key, message=said)
            return Proposal(Because("APP-5", said), decisions=(event,))
    return None


def _still_says(view: View, task: TaskState, key: Key, subject: verdicts.Subject) -> bool:
    """Neither is it gone or changed, nor has the same person said anything else of it since."""
    used = view.get(key)
    if used is None or used.desired is None or used.withdrawn or used.principal is None:
        return False
    others = [one for name in task.gating.approvals if name != key and (one := view.get(name)) is not None]
    of_same = [one for one in others if one.principal is not None and one.principal.name == used.principal.name]
    taken_back = any(approvals.takes_back(one, used, subject) for one in of_same if one.desired is not None)
    return approvals.approves(used, subject) and not taken_back
