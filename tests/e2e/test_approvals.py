"""A person's yes or no, from the verb over git to the merge, and what is taken back around a crash (APP-1, APP-5)."""

from __future__ import annotations

import signal

import pytest

from tests.e2e import sandbox
from tests.e2e.test_crashes import crash

PIPELINE = """\
---
apiVersion: orchctl.dev/v1alpha1
kind: Pipeline
metadata: {name: asked}
spec:
  stages:
  - {name: implement, role: coder, gates: [{checks: {}}], onFailure: {goto: implement, limit: 1}}
  - name: merge
    merge: {}
    gates: [{approval: {}}]
    onFailure: {goto: implement, limit: 1}
"""
SCRIPT = ("attempt 1: replace greet.sh goodbye hello", "append greet.sh true")


def asked(box: sandbox.Sandbox) -> None:
    box.write("manifests/task.yaml", sandbox.task(*SCRIPT, extra="  pipeline: asked\n") + PIPELINE)
    box.commit("Ask for a greeting")
    box.until_idle()
    assert box.summary("fix") == "Waiting(Approval)"


def greeting(box: sandbox.Sandbox) -> str:
    return box.git("show", "main:greet.sh")


def test_app_1_a_yes_in_git_lets_the_work_land_and_is_named(box: sandbox.Sandbox) -> None:
    asked(box)
    why = box.orchctl("why", "fix")
    assert "orchctl approve fix --gate approval" in why
    printed = box.orchctl("approve", "fix")
    assert "kind: Approval" in printed
    assert box.git("status", "--porcelain") == "", "printing writes nothing"
    said = box.orchctl("approve", "fix", "--comment", "LGTM", "--commit")
    assert "committed" not in said
    assert "approval/fix-merge-approval-ann-" in said
    assert box.git("log", "-1", "--format=%s") == "Approve approval of fix"
    box.orchctl("lint")
    box.until_idle()
    assert box.summary("fix") == "Merged"
    (gate,) = [one for one in box.object("task", "fix")["status"]["gates"] if one["type"] == "approval"]
    assert gate["message"] == "approved by ann@example.com"
    (name,) = gate["approvals"]
    assert box.condition("approval", name, "Effective")["status"] == "True"
    assert box.object("approval", name)["status"]["principal"]["name"] == "ann@example.com"


def test_app_1_what_was_said_of_an_earlier_attempt_counts_for_no_other(box: sandbox.Sandbox) -> None:
    asked(box)
    box.orchctl("deny", "fix", "--comment", "say more", "--commit")
    box.until_idle()
    assert box.summary("fix") == "Waiting(Approval)"
    assert box.object("task", "fix")["status"]["attempt"] == 2
    assert "say more" in box.object("session", "fix-implement-2")["spec"]["prompt"]
    stale = box.orchctl("approve", "fix").replace("attempt: 2", "attempt: 1")
    box.write("manifests/approvals/old.yaml", stale)
    box.commit("Approve what was before")
    box.until_idle()
    assert box.summary("fix") == "Waiting(Approval)"
    assert "another attempt" in box.orchctl("why", "fix")
    assert "goodbye" in greeting(box)


@pytest.mark.parametrize(
    ("moment", "merged"), [("before-intent", False), ("after-intent", False), ("after-effect", True)]
)
def test_app_5_what_is_taken_back_around_a_kill_is_one_of_the_two(
    box: sandbox.Sandbox, moment: str, merged: bool
) -> None:
    """F25: revoked before the branch moved there is no merge, the commit that revokes moves it; after it, a report."""
    asked(box)
    box.orchctl("approve", "fix", "--commit")
    assert crash(box, "--at", f"LandWork:1:{moment}") == -signal.SIGKILL, "the point was passed"
    assert ("goodbye" in greeting(box)) is not merged
    box.orchctl("revoke", "fix", "--commit")
    box.until_idle()
    told = box.orchctl("events", "--for", "fix")
    if merged:
        assert box.summary("fix") == "Merged"
        assert told.count("RevokedAfterMerge") == 1
        return
    assert box.summary("fix") == "Waiting(Approval)"
    assert "goodbye" in greeting(box)
    assert "RevokedAfterMerge" not in told


def test_gate_7_a_policy_that_wants_a_signature_takes_no_claim_for_one(box: sandbox.Sandbox) -> None:
    box.write(
        "manifests/policies.yaml",
        "apiVersion: orchctl.dev/v1alpha1\nkind: Policy\nmetadata: {name: solo}\nspec:\n"
        "  approvals: {approvers: {users: [ann@example.com]}, preventSelf: false, signature: Ssh}\n",
    )
    asked(box)
    box.orchctl("approve", "fix", "--commit")
    box.until_idle()
    assert box.summary("fix") == "Waiting(Approval)"
    assert "no signature of it is known" in box.orchctl("why", "fix")


def test_a_verb_with_nothing_to_decide_says_so(box: sandbox.Sandbox) -> None:
    box.write("manifests/task.yaml", sandbox.task(sandbox.FIX, extra="  pipeline: quickfix\n"))
    box.commit("Ask")
    box.until_idle()
    done = box.python("-m", "orchctl", "approve", "fix")
    assert done.returncode == 1
    assert "asks nobody now" in done.stderr
    asked_badly = box.python("-m", "orchctl", "approve", "fix", "--gate", "leads")
    assert "gate leads of task/fix asks nobody now" in asked_badly.stderr
