"""The `approval` gate: who has decided what, on exactly this, and whether the policy is content with it.

The one place that knows when an Approval counts. The gate asks it for its verdict, and the Approval for its own status,
so the two cannot differ. Whatever cannot be told makes an approval count for nothing (GATE-7).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

from orchctl.api.v1alpha1 import approval as approval_kind
from orchctl.api.v1alpha1 import policy as policy_kind
from orchctl.core.events import Now
from orchctl.core.gates import expressions, verdicts
from orchctl.core.ids import Key, name_of
from orchctl.core.judgements import Principal, Standing
from orchctl.core.state import Object
from orchctl.kit import durations, timestamps

SPECS_CACHED_MAX = 1024
AGENT_ADDRESS = "@orchctl.invalid"  # what the controller gives to agents and to itself: never an approver (APP-6)
ANYBODY = "*"
PARTS = {
    "uid": "uid",
    "stage": "stage",
    "gate": "gate",
    "attempt": "attempt",
    "commit": "commit",
    "workDigest": "work_digest",
    "evidenceDigest": "evidence_digest",
    "policyDigest": "policy_digest",
}
WORK_PARTS = frozenset({"uid", "stage", "gate", "attempt", "commit"})  # a denial holds for the work, whatever else


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def spec_of(spec: str) -> approval_kind.ApprovalSpec:
    return approval_kind.ApprovalSpec.model_validate_json(spec)


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def policy_of(spec: str) -> policy_kind.PolicySpec:
    return policy_kind.PolicySpec.model_validate_json(spec)


@dataclasses.dataclass(frozen=True, slots=True)
class Matter:
    """What is to be decided: the subject as it is now, by which policy, and who asked for the work."""

    subject: verdicts.Subject
    policy: policy_kind.PolicySpec
    policy_name: str
    requester: Principal | None
    now: Now


def stale_parts(approval: Object, subject: verdicts.Subject) -> tuple[str, ...]:
    assert approval.desired is not None
    named = spec_of(approval.desired.spec).subject
    return tuple(said for said, field in PARTS.items() if getattr(named, field) != getattr(subject, field))


def is_of(approval: Object, subject: verdicts.Subject) -> bool:
    """Whether it is about this gate at all, be it of an earlier attempt."""
    assert approval.desired is not None
    named = spec_of(approval.desired.spec).subject
    return (named.stage, named.gate) == (subject.stage, subject.gate)


def approves(approval: Object, subject: verdicts.Subject) -> bool:
    assert approval.desired is not None
    is_approved = spec_of(approval.desired.spec).decision is approval_kind.Decided.APPROVED
    return is_approved and not WORK_PARTS.intersection(stale_parts(approval, subject))


def takes_back(later: Object, earlier: Object, subject: verdicts.Subject) -> bool:
    """A denial or revocation of the same work, said no sooner than the approval."""
    assert later.desired is not None
    is_approved = spec_of(later.desired.spec).decision is approval_kind.Decided.APPROVED
    if is_approved or WORK_PARTS.intersection(stale_parts(later, subject)) or later.withdrawn:
        return False
    return later.said is None or earlier.said is None or later.said.t >= earlier.said.t


def standing(approval: Object, matter: Matter) -> Standing:
    """Whether this decision counts: it names what is judged now, is by one who may decide, and still holds."""
    assert approval.desired is not None
    spec = spec_of(approval.desired.spec)
    stale = stale_parts(approval, matter.subject)
    principal = approval.principal
    verified = principal is not None and principal.verified
    if spec.decision is not approval_kind.Decided.APPROVED:
        stale = tuple(part for part in stale if part in WORK_PARTS)
    if stale:
        said = f"it is about another {', '.join(stale)} than what is judged now"
        return Standing(counts=False, reason="Stale", message=said, verified=verified, stale=stale)
    refusal = _refusal(principal, matter) or _over(approval, spec, matter)
    if refusal is not None:
        return Standing(counts=False, reason=refusal[0], message=refusal[1], verified=verified)
    assert principal is not None
    how = f"{principal.signature} signature" if principal.verified else "claimed by the commit's author"
    said = f"{spec.decision.value.lower()} by {principal.name} ({how})"
    return Standing(counts=True, reason=spec.decision.value, message=said, verified=verified)


def _refusal(principal: Principal | None, matter: Matter) -> tuple[str, str] | None:
    """Why this person's decision is none, or nothing."""
    rule = matter.policy.approvals
    if principal is None or not principal.name:
        return "NotVerified", "it is not known who committed it"
    if principal.name.endswith(AGENT_ADDRESS):
        return "NotAllowed", f"{principal.name} is an agent, and agents approve nothing"
    wanted = rule.signature.value
    if rule.signature is not policy_kind.Signature.NONE and (principal.signature, principal.verified) != (wanted, True):
        said = f"policy {matter.policy_name} wants the commit signed ({wanted}), and no signature of it is known"
        return "NotVerified", said
    if not _may(principal.name, rule):
        return "NotAllowed", f"{principal.name} is not among the approvers of policy {matter.policy_name}"
    if rule.prevent_self and matter.requester is None:
        return "NotAllowed", f"policy {matter.policy_name} lets nobody approve their own work; who asked is not known"
    if rule.prevent_self and matter.requester is not None and matter.requester.name == principal.name:
        return "NotAllowed", f"{principal.name} asked for the work; policy {matter.policy_name} wants somebody else"
    return None


def _may(name: str, rule: policy_kind.Approvals) -> bool:
    if rule.approvers is None:
        return False
    listed = [*rule.approvers.users, *(user for group in rule.approvers.groups for user in group.users)]
    return any(one in (ANYBODY, name) or one.lower() == name for one in listed)


def _over(approval: Object, spec: approval_kind.ApprovalSpec, matter: Matter) -> tuple[str, str] | None:
    ends = ends_at(approval, spec, matter.policy)
    if spec.decision is not approval_kind.Decided.APPROVED or ends is None or matter.now.at < ends:
        return None
    return "Expired", f"it counted until {timestamps.rfc3339(ends)}"


def ends_at(approval: Object, spec: approval_kind.ApprovalSpec, policy: policy_kind.PolicySpec) -> float | None:
    """The wall time from which it counts no longer."""
    ends = [timestamps.epoch_s(spec.expires_at)] if spec.expires_at is not None else []
    max_age = policy.approvals.max_age
    if max_age is not None and approval.said is not None:
        ends.append(approval.said.at + durations.duration_s(max_age))
    return min(ends, default=None)


def judge(found: list[Object], matter: Matter, roots: Mapping[str, object]) -> verdicts.Verdict:
    """`found` are the Approvals that name the task. Of one person the last word holds."""
    rule = matter.policy.approvals
    people = _last_words(found, matter)
    bots, unusable = _bots(matter, roots)
    denials = [f"{who}: {said}" for who, (decision, said, _) in people.items() if decision == "Denied"]
    denials += [f"{name}: {said}" for name, (decision, said) in bots.items() if decision == "Denied"]
    if denials and rule.any_deny_blocks:
        message = f"denied by {'; '.join(denials)}"
        return verdicts.Failed(message, reason="ApprovalDenied")
    used = tuple(key for decision, _, key in people.values() if decision == "Approved")
    agreed = [who for who, (decision, _, _) in people.items() if decision == "Approved"]
    count = len(agreed) + sum(1 for decision, _ in bots.values() if decision == "Approved")
    humans = rule.minimum.human if rule.minimum is not None else 0
    if count >= rule.required and len(agreed) >= humans:
        by = ", ".join([*agreed, *(name for name, (decision, _) in bots.items() if decision == "Approved")])
        return verdicts.Passed(f"approved by {by}" if by else "its policy wants no approval", used=used)
    wanted = f"{count} of {rule.required} approvals by policy {matter.policy_name}"
    if len(agreed) < humans <= count:
        wanted += f", {len(agreed)} of {humans} by people"
    worthless = [f"{name_of(one.key)}: {said.message}" for one in found if not (said := standing(one, matter)).counts]
    message = "; ".join([wanted, *worthless[-3:], *unusable])
    return verdicts.Waiting("Approval", message, "APP-1")


def _last_words(found: list[Object], matter: Matter) -> dict[str, tuple[str, str, Key]]:
    """(decision, what was said, the Approval) by person; of what was said at once, the more careful one holds."""
    counted = [one for one in found if standing(one, matter).counts]
    words: dict[str, tuple[str, str, Key]] = {}
    for one in sorted(counted, key=_order):
        assert one.desired is not None
        assert one.principal is not None
        spec = spec_of(one.desired.spec)
        words[one.principal.name] = (spec.decision.value, spec.comment or spec.decision.value.lower(), one.key)
    return words


def _order(approval: Object) -> tuple[float, int, str]:
    assert approval.desired is not None
    caution = _BY_CAUTION.index(spec_of(approval.desired.spec).decision)
    return (approval.said.t if approval.said is not None else 0.0, caution, approval.key)


_BY_CAUTION = (approval_kind.Decided.APPROVED, approval_kind.Decided.REVOKED, approval_kind.Decided.DENIED)


def _bots(matter: Matter, roots: Mapping[str, object]) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """(decision, comment) by the name of the rule that made it, and the rules that could not be asked (APP-4)."""
    made: dict[str, tuple[str, str]] = {}
    unusable = []
    for bot in matter.policy.bot:
        name = f"bot {matter.policy_name}/{bot.name}"
        try:
            if expressions.truth(bot.when, roots):
                made[name] = (bot.decision.value, bot.comment or bot.when)
        except expressions.Unusable as error:
            unusable.append(f"{name}: {error}")
            if bot.decision is policy_kind.BotDecision.DENIED:  # it might have said no
                made[name] = (bot.decision.value, str(error))
    return made, unusable
