"""Approvals: what one is bound to, who may give it, what takes it back, and that nothing lands without it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchctl.core import actions, events, judgements
from orchctl.core.ids import Key
from orchctl.core.judgements import Principal
from orchctl.testing import worlds
from tests.unit.core import asking, builders

TASK = "Task/default/fix"
ALICE, BOB, ANN = "alice@example.com", "bob@example.com", "ann@example.com"
DAY_S = 86_400.0
STAGES = [
    {"name": "implement", "role": "coder", "gates": [{"checks": {}}], "onFailure": {"goto": "implement", "limit": 1}},
    {
        "name": "merge",
        "merge": {},
        "gates": [{"name": "leads", "approval": {"policy": "leads"}}],
        "onFailure": {"goto": "implement", "limit": 1},
    },
]


def policy(**rule: Any) -> events.ObjectAdmitted:
    approvers = {"users": [ALICE, BOB]}
    bot = rule.pop("bot", [])
    return builders.admitted("Policy", "leads", {"approvals": {"approvers": approvers, **rule}, "bot": bot})


def bench(
    rule: events.ObjectAdmitted | None = None, stages: Any = STAGES, world: worlds.World | None = None
) -> worlds.Bench:
    pipeline = builders.admitted("Pipeline", "own", {"stages": stages})
    made = builders.bench(pipeline, rule or policy(), builders.project(), world=world)
    made.give(dataclasses.replace(builders.task(pipeline="own"), principal=Principal(ANN)))
    return made


def gate(made: worlds.Bench, name: str = "leads") -> dict[str, Any]:
    found: list[dict[str, Any]] = builders.body(made, TASK)["status"]["gates"]
    return next(one for one in found if one["name"] == name)


def approval(
    made: worlds.Bench, by: str = ALICE, name: str = "", gate_name: str = "leads", **spec: Any
) -> events.ObjectAdmitted:
    """An Approval of exactly what is waited for, changed by `spec`; `subject` changes parts of the subject."""
    subject = {**gate(made, gate_name)["subject"], "name": "fix", **spec.pop("subject", {})}
    said = {"subject": subject, "decision": "Approved", "comment": "", **spec}
    return builders.admitted("Approval", name or f"fix-{by.split('@')[0]}", said, by=by)


def waiting(made: worlds.Bench) -> str:
    because = made.object(TASK).because
    return because.waiting if because is not None else ""


def summary(made: worlds.Bench) -> str:
    return str(builders.body(made, TASK)["status"]["summary"])


def condition(made: worlds.Bench, name: str, of_type: str) -> tuple[str, str] | None:
    found = made.object(f"Approval/default/{name}").conditions
    return next(((one.status, one.reason) for one in found if one.type == of_type), None)


def landed(made: worlds.Bench) -> bool:
    return any(isinstance(one, actions.LandWork) for one in made.world.done)


def test_gate_7_what_nobody_approves_waits_for_ever_and_never_lands() -> None:
    made = bench()
    assert waiting(made) == "Approval"
    assert gate(made)["state"] == "Waiting"
    because = made.object(TASK).because
    assert because is not None
    assert "orchctl approve fix --gate leads" in because.unblock
    assert made.machine.rests, "nothing keeps the controller awake"
    made.wait(365 * DAY_S)
    assert waiting(made) == "Approval"
    assert not landed(made)


def test_app_1_an_approval_of_exactly_this_lets_it_land_and_is_named() -> None:
    made = bench()
    made.give(approval(made))
    assert summary(made) == "Merged"
    assert gate(made)["approvals"] == ["fix-alice"]
    assert condition(made, "fix-alice", "Effective") == ("True", "Approved")
    assert condition(made, "fix-alice", "Verified") == ("False", "Claimed")
    assert builders.body(made, "Approval/default/fix-alice")["status"]["principal"]["name"] == ALICE


OTHERS = {
    "attempt": 2,
    "commit": "0" * 40,
    "workDigest": "0" * 16,
    "evidenceDigest": "0" * 64,
    "policyDigest": "0" * 64,
    "uid": "another",
}


@pytest.mark.parametrize("part", OTHERS)
def test_app_1_one_part_of_the_subject_that_is_another_makes_it_stale(part: str) -> None:
    made = bench()
    made.give(approval(made, subject={part: OTHERS[part]}))
    assert not landed(made)
    assert condition(made, "fix-alice", "Effective") == ("False", "Stale")
    assert condition(made, "fix-alice", "Stale") == ("True", "Stale")
    standing = made.object("Approval/default/fix-alice").standing
    assert standing is not None
    assert standing.stale == (part,)


def test_app_1_an_edited_policy_makes_what_was_said_under_the_old_one_stale() -> None:
    made = bench(policy(required=2))
    made.give(approval(made))
    assert condition(made, "fix-alice", "Effective") == ("True", "Approved")
    made.give(policy(required=1))
    assert condition(made, "fix-alice", "Stale") == ("True", "Stale")
    assert not landed(made)
    made.give(approval(made))
    assert summary(made) == "Merged"


@pytest.mark.parametrize(
    ("by", "rule", "reason"),
    [
        ("mallory@example.com", {}, "NotAllowed"),
        ("", {}, "NotVerified"),
        ("agent@orchctl.invalid", {"approvers": {"users": ["*"]}}, "NotAllowed"),
        (ANN, {"approvers": {"users": ["*"]}}, "NotAllowed"),
        (ALICE, {"signature": "Ssh"}, "NotVerified"),
        (ALICE, {"signature": "Gpg"}, "NotVerified"),
    ],
)
def test_app_2_who_may_not_decide_decides_nothing(by: str, rule: dict[str, Any], reason: str) -> None:
    made = bench(policy(**rule))
    made.give(approval(made, by=by, name="fix-x"))
    assert not landed(made)
    assert condition(made, "fix-x", "Effective") == ("False", reason)
    assert waiting(made) == "Approval"


def test_app_2_a_verified_signature_of_the_kind_that_is_asked_for_counts() -> None:
    made = bench(policy(signature="Ssh"))
    signed = Principal(ALICE, verified=True, signature="Ssh")
    made.give(dataclasses.replace(approval(made), principal=signed))
    assert summary(made) == "Merged"
    assert condition(made, "fix-alice", "Verified") == ("True", "Signed")


def test_app_2_groups_and_star_name_approvers_too() -> None:
    for approvers in ({"groups": [{"name": "g", "users": [ALICE.upper()]}]}, {"users": ["*"]}):
        made = bench(policy(approvers=approvers))
        made.give(approval(made))
        assert summary(made) == "Merged"


def test_app_1_one_person_counts_once() -> None:
    made = bench(policy(required=2))
    made.give(approval(made), approval(made, name="fix-alice-again"))
    assert not landed(made)
    made.give(approval(made, by=BOB))
    assert summary(made) == "Merged"


def test_gate_3_a_denial_takes_the_failure_edge_with_what_was_said() -> None:
    made = bench()
    made.give(approval(made, decision="Denied", comment="the test is wrong"))
    (failed,) = made.recorded(events.StageFailed)
    assert isinstance(failed, events.StageFailed)
    assert failed.reason == "ApprovalDenied"
    assert "the test is wrong" in failed.feedback
    assert waiting(made) == "Approval", "the next attempt asks again"
    made.give(approval(made, by=BOB))
    assert summary(made) == "Merged"


def test_app_4_where_one_denial_does_not_block_it_only_does_not_count() -> None:
    made = bench(policy(anyDenyBlocks=False))
    made.give(approval(made, decision="Denied"))
    assert waiting(made) == "Approval"
    made.give(approval(made, by=BOB))
    assert summary(made) == "Merged"


def held(rule: events.ObjectAdmitted | None = None) -> worlds.Bench:
    """Approved, and kept from landing by edits in the user's checkout."""
    made = bench(rule, world=worlds.World(dirty=("src/a.py",)))
    made.give(approval(made))
    assert waiting(made) == "MergeQueue"
    made.world.done.clear()
    made.world.dirty = ()
    return made


def clean(made: worlds.Bench) -> None:
    made.give(events.TargetCleaned(Key(TASK)))


@pytest.mark.parametrize("how", ["deleted", "edited", "second file", "denied by another"])
def test_app_5_what_is_taken_back_before_the_merge_stops_it(how: str) -> None:
    made = held()
    key = Key("Approval/default/fix-alice")
    revoked = {
        "deleted": lambda: events.ObjectWithdrawn(key),
        "edited": lambda: approval(made, decision="Revoked"),
        "second file": lambda: approval(made, name="fix-alice-revoked", decision="Revoked"),
        "denied by another": lambda: approval(made, by=BOB, decision="Denied"),
    }[how]()
    made.give(revoked)
    clean(made)
    assert not landed(made)
    assert waiting(made) == "Approval"


def test_app_5_an_approval_that_expires_before_the_merge_stops_it() -> None:
    made = bench(policy(maxAge="1d"), world=worlds.World(dirty=("src/a.py",)))
    made.give(approval(made))
    made.world.done.clear()
    made.world.dirty = ()
    made.wait(DAY_S)
    clean(made)
    assert not landed(made)
    assert condition(made, "fix-alice", "Effective") == ("False", "Expired")


def test_app_1_expires_at_is_the_first_moment_at_which_it_does_not_count() -> None:
    made = held()
    ends = "2027-01-15T08:10:00Z"  # ten minutes after the bench begins
    made.give(approval(made, expiresAt=ends))
    assert summary(made) != "Merged"
    made.wait(600 - (made.now.at - 1_800_000_000.0))
    clean(made)
    assert not landed(made)


def test_git_6_an_approval_that_turns_out_to_be_by_somebody_else_stops_the_merge() -> None:
    made = held()
    found = Principal("eve@example.com")
    made.give(judgements.PrincipalFound(Key("Approval/default/fix-alice"), principal=found))
    clean(made)
    assert not landed(made)
    assert condition(made, "fix-alice", "Effective") == ("False", "NotAllowed")


@pytest.mark.parametrize("how", ["deleted", "edited", "second file"])
def test_app_5_what_is_taken_back_after_the_merge_is_reported_once(how: str) -> None:
    made = bench()
    made.give(approval(made))
    assert summary(made) == "Merged"
    revoked = {
        "deleted": lambda: events.ObjectWithdrawn(Key("Approval/default/fix-alice")),
        "edited": lambda: approval(made, decision="Revoked"),
        "second file": lambda: approval(made, name="fix-alice-revoked", decision="Revoked"),
    }[how]()
    made.give(revoked)
    made.wait(DAY_S)
    (said,) = made.recorded(judgements.RevokedAfterMerge)
    assert isinstance(said, judgements.RevokedAfterMerge)
    assert said.approval == "Approval/default/fix-alice"
    assert summary(made) == "Merged"


def test_app_5_revoked_while_the_merge_is_under_way_is_one_of_the_two() -> None:
    """F25: the intent to land is recorded first, so the merge is; that the approval is gone is said after it."""
    made = bench()
    land: list[actions.Action] = []
    execute = made.world.execute

    def slow(action: actions.Action) -> list[events.Event]:
        if isinstance(action.do, actions.LandWork):
            land.append(action)
            return []
        return execute(action)

    made.world.execute = slow  # type: ignore[method-assign]
    made.give(approval(made))
    (action,) = land
    made.give(events.ObjectWithdrawn(Key("Approval/default/fix-alice")))
    assert not made.recorded(judgements.RevokedAfterMerge)
    made.give(*execute(action))
    assert summary(made) == "Merged"
    assert len(made.recorded(judgements.RevokedAfterMerge)) == 1


BOT = {"name": "small", "when": "diff.files < 5 && evidence.checks.passed", "decision": "Approved"}


def test_app_4_a_bot_approves_in_the_same_audit_and_never_as_a_human() -> None:
    made = bench(policy(bot=[BOT]))
    assert summary(made) == "Merged"
    assert gate(made)["message"] == "approved by bot leads/small"
    made = bench(policy(bot=[BOT], minimum={"human": 1}))
    assert waiting(made) == "Approval"
    assert "0 of 1 by people" in gate(made)["message"]
    made.give(approval(made))
    assert summary(made) == "Merged"


def test_app_4_a_bot_that_cannot_be_asked_approves_nothing_and_blocks_where_it_would() -> None:
    broken = {**BOT, "when": "diff.nothing < 5"}
    made = bench(policy(bot=[broken]))
    assert waiting(made) == "Approval"
    assert "cannot be evaluated" in gate(made)["message"]
    made = bench(policy(bot=[{**broken, "decision": "Denied"}]))
    assert made.recorded(events.StageFailed)


def test_gate_7_a_policy_that_is_gone_lets_nothing_through() -> None:
    made = held()
    made.give(events.ObjectWithdrawn(Key("Policy/default/leads")))
    clean(made)
    assert not landed(made)
    assert waiting(made) == "Approval"


EARLY = [
    {
        "name": "implement",
        "role": "coder",
        "gates": [{"checks": {}}, {"name": "early", "approval": {"policy": "leads"}}],
    },
    {"name": "merge", "merge": {}},
]


def test_app_5_an_approval_of_an_earlier_stage_that_is_taken_back_stops_the_merge() -> None:
    made = bench(stages=EARLY, world=worlds.World(dirty=("src/a.py",)))
    made.give(approval(made, gate_name="early"))
    assert waiting(made) == "MergeQueue"
    made.world.done.clear()
    made.world.dirty = ()
    made.give(events.ObjectWithdrawn(Key("Approval/default/fix-alice")))
    clean(made)
    assert not landed(made)
    assert waiting(made) == "Approval"
    made.give(approval(made, gate_name="early"))
    assert summary(made) == "Merged"


def test_app_1_an_approval_is_admitted_before_or_after_its_task_all_the_same() -> None:
    made = bench()
    said = approval(made)
    other = builders.bench(builders.admitted("Pipeline", "own", {"stages": STAGES}), policy(), builders.project(), said)
    other.give(dataclasses.replace(builders.task(pipeline="own"), principal=Principal(ANN)))
    assert summary(other) == "Merged"


def test_gate_7_the_built_in_policies_are_content_with_what_they_say() -> None:
    stages = [STAGES[0], {"name": "merge", "merge": {}, "gates": [{"approval": {}}]}]
    solo = {"approvals": {"approvers": {"users": ["*"]}, "preventSelf": False}}
    made = builders.bench(builders.admitted("Pipeline", "own", {"stages": stages}), builders.project())
    made.give(builders.admitted("Policy", "solo", solo))
    made.give(dataclasses.replace(builders.task(pipeline="own"), principal=Principal(ANN)))
    assert waiting(made) == "Approval"
    made.give(approval(made, by=ANN, gate_name="approval"))
    assert summary(made) == "Merged"


def reviewed(*stages: dict[str, Any]) -> worlds.Bench:
    """Approved in a stage of its own, ended in a conflict, and retried by a pipeline with these stages instead."""
    review = {"name": "review", "gates": [{"name": "leads", "approval": {"policy": "leads"}}]}
    world = worlds.World(conflicts=("x",))
    made = bench(stages=[STAGES[0], review, {"name": "merge", "merge": {}}], world=world)
    made.give(approval(made))
    assert summary(made) == "Failed"
    world.conflicts = ()
    edited = [STAGES[0], *stages, {"name": "merge", "merge": {}}]
    made.give(builders.admitted("Pipeline", "own", {"stages": edited}, generation=2), asking.retry())
    return made


def test_app_1_task_4_a_gate_that_was_added_to_a_passed_stage_is_asked_after_a_retry() -> None:
    two = [{"name": name, "approval": {"policy": "leads"}} for name in ("leads", "second")]
    made = reviewed({"name": "review", "gates": two})
    assert not landed(made)
    assert waiting(made) == "Approval"
    made.give(approval(made, name="one"))
    assert not landed(made)
    made.give(approval(made, name="two", gate_name="second"))
    assert summary(made) == "Merged"


def test_app_1_task_4_a_gate_that_the_retried_pipeline_has_no_more_is_not_asked() -> None:
    made = reviewed({"name": "other", "gates": [{"name": "second", "approval": {"policy": "leads"}}]})
    made.give(approval(made, name="two", gate_name="second"))
    assert made.object(TASK).stalled == ""
    assert summary(made) == "Merged"


def test_app_1_task_4_with_the_same_gates_a_retry_goes_on_where_it_ended() -> None:
    made = reviewed({"name": "review", "gates": [{"name": "leads", "approval": {"policy": "leads"}}]})
    assert summary(made) == "Merged"
    assert len([one for one in made.world.done if isinstance(one, actions.RunAgent)]) == 1


@pytest.mark.parametrize("edit", [{"priority": 3}, {"prompt": "Something else."}])
def test_app_1_who_edits_a_task_that_runs_does_not_take_over_what_another_asked_for(edit: dict[str, Any]) -> None:
    made = bench(policy(approvers={"users": [ANN, BOB]}))
    made.give(dataclasses.replace(builders.task(pipeline="own", **edit), principal=Principal(BOB)))
    made.give(approval(made, by=ANN))
    assert not landed(made)
    made.give(approval(made, by=BOB))
    assert landed(made)


@pytest.mark.parametrize(("edit", "mine"), [({"priority": 3}, True), ({"prompt": "Something else."}, False)])
def test_app_1_who_edits_the_work_of_a_task_before_it_starts_has_asked_for_it(edit: dict[str, Any], mine: bool) -> None:
    pipeline = builders.admitted("Pipeline", "own", {"stages": STAGES})
    made = builders.bench(pipeline, policy(approvers={"users": [ANN, BOB]}), builders.project())
    for by, said in ((ANN, {}), (BOB, edit)):
        task = builders.task(pipeline="own", suspend=not said, **said)
        made.give(dataclasses.replace(task, principal=Principal(by)))
    made.give(approval(made, by=BOB))
    assert landed(made) is mine
