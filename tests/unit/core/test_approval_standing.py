"""What one decision is worth and what a policy makes of several: pure, over objects made by hand (APP-1 to APP-6)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchctl.core import events
from orchctl.core.gates import approvals, verdicts
from orchctl.core.ids import Key
from orchctl.core.judgements import Principal
from orchctl.core.state import Desired, Object
from orchctl.kit import digest, timestamps

ALICE, BOB, ANN = "alice@example.com", "bob@example.com", "ann@example.com"
NOW = events.Now(at=1_800_000_000.0, t=100.0)
SUBJECT = verdicts.Subject("u", "merge", "leads", 1, "c" * 40, "a" * 64, "b" * 64, "e" * 64)
NAMED = {
    "kind": "Task",
    "name": "fix",
    "uid": "u",
    "stage": "merge",
    "gate": "leads",
    "attempt": 1,
    "commit": "c" * 40,
    "workDigest": "a" * 64,
    "evidenceDigest": "b" * 64,
    "policyDigest": "e" * 64,
}
OTHER: dict[str, Any] = {
    "uid": "x",
    "stage": "x",
    "gate": "x",
    "attempt": 2,
    "commit": "d" * 40,
    "workDigest": "f" * 64,
    "evidenceDigest": "f" * 64,
    "policyDigest": "f" * 64,
}
WORK = ("uid", "stage", "gate", "attempt", "commit")


def said(decision: str = "Approved", by: str = ALICE, t: float = 1.0, name: str = "a", **spec: Any) -> Object:
    """A decision that was taken up at `t`, of exactly the subject but for what `spec` says."""
    subject = {**NAMED, **spec.pop("subject", {})}
    text = digest.canonical_json({"subject": subject, "decision": decision, **spec})
    desired = Desired("u", 1, text, text, "p", 1, "b", (), ())
    at = events.Now(at=NOW.at - 1000.0 + t, t=t)
    return Object(Key(f"Approval/default/{name}"), at, desired=desired, principal=Principal(by), said=at)


def matter(requester: str | None = ANN, bot: list[dict[str, Any]] | None = None, **rule: Any) -> approvals.Matter:
    spec = {"approvals": {"approvers": {"users": [ALICE, BOB, "Carol@Example.com"]}, **rule}, "bot": bot or []}
    asked = Principal(requester) if requester else None
    return approvals.Matter(SUBJECT, approvals.policy_of(digest.canonical_json(spec)), "leads", asked, NOW)


def worth(one: Object, about: approvals.Matter | None = None) -> tuple[bool, str, str]:
    found = approvals.standing(one, about or matter())
    return found.counts, found.reason, found.message


@pytest.mark.parametrize("part", OTHER)
def test_app_1_an_approval_is_bound_to_every_part_and_a_denial_to_the_work_alone(part: str) -> None:
    other = {part: OTHER[part]}
    stale = f"it is about another {part} than what is judged now"
    assert worth(said(subject=other)) == (False, "Stale", stale)
    assert approvals.standing(said(subject=other), matter()).stale == (part,)
    for decision in ("Denied", "Revoked"):
        counts, reason, message = worth(said(decision, subject=other))
        assert (counts, reason) == ((False, "Stale") if part in WORK else (True, decision))
        assert (message == stale) == (part in WORK)
    assert approvals.approves(said(subject=other), SUBJECT) == (part not in WORK)
    taken_back = approvals.takes_back(said("Denied", t=2.0, subject=other), said(), SUBJECT)
    assert taken_back == (part not in WORK)
    assert approvals.is_of(said(subject=other), SUBJECT) == (part not in ("stage", "gate"))


def test_app_1_all_parts_that_are_others_are_named_in_their_order() -> None:
    both = {"commit": "d" * 40, "policyDigest": "f" * 64}
    assert worth(said(subject=both))[2] == "it is about another commit, policyDigest than what is judged now"
    assert approvals.standing(said("Denied", subject=both), matter()).stale == ("commit",)


@pytest.mark.parametrize("decision", ["Approved", "Denied", "Revoked"])
def test_app_5_only_a_later_word_that_is_no_approval_takes_one_back(decision: str) -> None:
    earlier = said(t=5.0)
    assert not approvals.approves(said("Denied"), SUBJECT)
    for t, is_later in ((4.0, False), (5.0, True), (6.0, True)):
        later = said(decision, t=t)
        assert approvals.takes_back(later, earlier, SUBJECT) == (decision != "Approved" and is_later)
        assert not approvals.takes_back(dataclasses.replace(later, withdrawn=True), earlier, SUBJECT)
    early = said("Denied", t=1.0)
    unknown = dataclasses.replace(early, said=None)
    assert approvals.takes_back(unknown, earlier, SUBJECT), "what cannot be told counts as later"
    assert approvals.takes_back(early, dataclasses.replace(earlier, said=None), SUBJECT)


def test_app_2_a_claim_and_a_signature_are_told_apart() -> None:
    assert worth(said()) == (True, "Approved", f"approved by {ALICE} (claimed by the commit's author)")
    signed = dataclasses.replace(said(), principal=Principal(ALICE, verified=True, signature="Ssh"))
    assert worth(signed) == (True, "Approved", f"approved by {ALICE} (Ssh signature)")
    assert approvals.standing(signed, matter()).verified
    assert not approvals.standing(said(), matter()).verified
    stale = dataclasses.replace(signed, desired=said(subject={"uid": "x"}).desired)
    assert approvals.standing(stale, matter()).verified


def test_app_2_where_a_signature_is_wanted_only_that_kind_of_it_counts() -> None:
    about = matter(signature="Ssh")
    wanted = "policy leads wants the commit signed (Ssh), and no signature of it is known"
    assert worth(said(), about) == (False, "NotVerified", wanted)
    for signature, verified in (("Gpg", True), ("Ssh", False)):
        principal = Principal(ALICE, verified=verified, signature=signature)
        assert worth(dataclasses.replace(said(), principal=principal), about) == (False, "NotVerified", wanted)
    good = Principal(ALICE, verified=True, signature="Ssh")
    assert worth(dataclasses.replace(said(), principal=good), about)[0]


@pytest.mark.parametrize("principal", [None, Principal("")])
def test_app_2_nobody_known_decides_nothing(principal: Principal | None) -> None:
    nobody = dataclasses.replace(said(), principal=principal)
    assert worth(nobody) == (False, "NotVerified", "it is not known who committed it")


@pytest.mark.parametrize(
    ("by", "about", "message"),
    [
        ("x@orchctl.invalid", matter(), "x@orchctl.invalid is an agent, and agents approve nothing"),
        ("eve@example.com", matter(), "eve@example.com is not among the approvers of policy leads"),
        (ALICE, matter(approvers=None, required=0), f"{ALICE} is not among the approvers of policy leads"),
        (
            ALICE,
            matter(None, preventSelf=True),
            "policy leads lets nobody approve their own work; who asked is not known",
        ),
        (ALICE, matter(ALICE, preventSelf=True), f"{ALICE} asked for the work; policy leads wants somebody else"),
    ],
)
def test_app_6_who_may_not_decide_is_told_why(by: str, about: approvals.Matter, message: str) -> None:
    assert worth(said(by=by), about) == (False, "NotAllowed", message)


def test_app_2_addresses_are_listed_in_any_case_and_star_is_everybody_but_agents() -> None:
    assert worth(said(by="carol@example.com"))[0]
    everybody = matter(approvers={"users": ["*"]})
    assert worth(said(by="eve@example.com"), everybody)[0]
    assert not worth(said(by="x@orchctl.invalid"), everybody)[0]
    group = matter(approvers={"groups": [{"name": "g", "users": [BOB]}]})
    assert (worth(said(by=BOB), group)[0], worth(said(), group)[0]) == (True, False)


def test_app_5_an_approval_is_over_at_its_own_end_or_the_policys_whichever_is_first() -> None:
    def ends(one: Object, **rule: Any) -> float | None:
        assert one.desired is not None
        return approvals.ends_at(one, approvals.spec_of(one.desired.spec), matter(**rule).policy)

    at = timestamps.rfc3339(NOW.at)
    assert ends(said()) is None
    assert ends(said(expiresAt=at)) == NOW.at
    assert ends(said(t=1000.0), maxAge="1h") == NOW.at + 3600.0
    assert ends(said(t=1000.0, expiresAt=at), maxAge="1h") == NOW.at
    assert ends(dataclasses.replace(said(), said=None), maxAge="1h") is None
    over = f"it counted until {at}"
    assert worth(said(expiresAt=at)) == (False, "Expired", over)
    assert worth(said(expiresAt=timestamps.rfc3339(NOW.at + 1)))[0]
    assert worth(said("Denied", expiresAt=at))[0], "a denial does not come to an end by itself"


# --- what several of them come to -------------------------------------------------------------------------------


def judged(*found: Object, roots: dict[str, Any] | None = None, **rule: Any) -> verdicts.Verdict:
    return approvals.judge(list(found), matter(**rule), roots or {})


def test_app_1_enough_people_let_it_pass_and_are_named() -> None:
    one, two = said(name="a"), said(by=BOB, name="b")
    assert judged(one) == verdicts.Passed(f"approved by {ALICE}", used=(one.key,))
    waiting = judged(one, required=2)
    assert isinstance(waiting, verdicts.Waiting)
    assert (waiting.reason, waiting.rule) == ("Approval", "APP-1")
    assert waiting.message == "1 of 2 approvals by policy leads"
    assert judged(one, two, required=2) == verdicts.Passed(f"approved by {ALICE}, {BOB}", used=(one.key, two.key))
    assert judged(required=0) == verdicts.Passed("its policy wants no approval")


def test_app_1_what_is_worth_nothing_is_named_with_its_reason_the_last_three_of_them() -> None:
    found = [said(by="eve@example.com", name=f"e{number}") for number in range(5)]
    waiting = judged(*found)
    assert isinstance(waiting, verdicts.Waiting)
    why = "eve@example.com is not among the approvers of policy leads"
    assert waiting.message == f"0 of 1 approvals by policy leads; e2: {why}; e3: {why}; e4: {why}"


@pytest.mark.parametrize("decision", ["Denied", "Revoked"])
def test_app_5_the_last_word_of_a_person_holds_and_of_two_at_once_the_more_careful(decision: str) -> None:
    yes, no = said(t=1.0, name="a"), said(decision, t=2.0, name="b", comment="it breaks login")
    later = judged(yes, no, anyDenyBlocks=True)
    if decision == "Denied":
        assert later == verdicts.Failed(f"denied by {ALICE}: it breaks login", reason="ApprovalDenied")
    else:
        assert isinstance(later, verdicts.Waiting)
    again = said(t=3.0, name="c")
    assert judged(no, again, yes) == verdicts.Passed(f"approved by {ALICE}", used=(again.key,))
    at_once = dataclasses.replace(yes, said=no.said, key=Key("Approval/default/z"))
    assert not isinstance(judged(at_once, no), verdicts.Passed)
    assert not isinstance(judged(no, at_once), verdicts.Passed)


def test_app_4_where_a_denial_does_not_block_others_may_still_agree() -> None:
    no, yes = said("Denied", name="a"), said(by=BOB, name="b")
    assert judged(no, yes, anyDenyBlocks=False) == verdicts.Passed(f"approved by {BOB}", used=(yes.key,))
    blocked = judged(no, yes, anyDenyBlocks=True)
    assert blocked == verdicts.Failed(f"denied by {ALICE}: denied", reason="ApprovalDenied")


BOT = {"name": "small", "when": "diff.files < 5", "decision": "Approved", "comment": "a small change"}


def test_app_4_a_bot_counts_but_never_as_a_person() -> None:
    small, large = {"diff": {"files": 4}}, {"diff": {"files": 5}}
    assert judged(bot=[BOT], roots=small) == verdicts.Passed("approved by bot leads/small")
    assert isinstance(judged(bot=[BOT], roots=large), verdicts.Waiting)
    waiting = judged(bot=[BOT], roots=small, minimum={"human": 1})
    assert isinstance(waiting, verdicts.Waiting)
    assert waiting.message == "1 of 1 approvals by policy leads, 0 of 1 by people"
    one = said()
    both = judged(one, bot=[BOT], roots=small, minimum={"human": 1}, required=2)
    assert both == verdicts.Passed(f"approved by {ALICE}, bot leads/small", used=(one.key,))


def test_app_4_a_bot_denies_with_its_comment_or_else_its_condition() -> None:
    deny = {**BOT, "decision": "Denied"}
    roots = {"diff": {"files": 4}}
    assert judged(said(), bot=[deny], roots=roots).message == "denied by bot leads/small: a small change"
    del deny["comment"]
    assert judged(said(), bot=[deny], roots=roots).message == "denied by bot leads/small: diff.files < 5"


def test_app_4_a_bot_that_cannot_be_asked_is_named_and_denies_where_it_might_have() -> None:
    unusable = judged(bot=[BOT])
    assert isinstance(unusable, verdicts.Waiting)
    assert "; bot leads/small: " in unusable.message
    denied = judged(said(), bot=[{**BOT, "decision": "Denied"}])
    assert isinstance(denied, verdicts.Failed)
    assert denied.message.startswith("denied by bot leads/small: ")
