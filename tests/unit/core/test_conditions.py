"""What every object says of itself, in every place of a Task's life and for every other kind: word, why, conditions."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchctl.core import events, upstream
from orchctl.core.ids import SOURCE, Key
from orchctl.testing import worlds
from tests.unit.core import asking, builders, places
from tests.unit.core.test_task_life import TASK

UNSTARTED = {
    "Ready": "Unknown Progressing",
    "Accepted": "True Admitted",
    "Reconciling": "True Progressing",
    "Succeeded": "Unknown Progressing",
}
RUNNING = {**UNSTARTED, "Merged": "False Pending", "Verified": "False Pending"}
GREEN = {**RUNNING, "Verified": "True GatesPassed"}


def waiting(reason: str) -> dict[str, str]:
    return {"Waiting": f"True {reason}"}


def bad(reason: str, **other: str) -> dict[str, str]:
    ends = {"Ready": f"False {reason}", "Stalled": f"True {reason}", "Succeeded": f"False {reason}"}
    return {"Accepted": "True Admitted", **ends, **other}


def good(outcome: str, merged: str) -> dict[str, str]:
    ends = {"Ready": f"True {outcome}", "Succeeded": f"True {outcome}", "Merged": merged}
    return {"Accepted": "True Admitted", "Verified": "True GatesPassed", **ends}


# By place: the word in a table, the rule that is at work, the states of the stages, the attempt, the conditions.
SAID: dict[str, tuple[str, str, list[str], int | None, dict[str, str]]] = {
    "unresolved": ("Waiting(Dependency)", "GIT-7", [], None, UNSTARTED | waiting("Dependency")),
    "depending": (
        "Waiting(Dependency)",
        "TASK-3",
        [],
        None,
        UNSTARTED | waiting("Dependency") | {"DependenciesReady": "False DependencyNotReady"},
    ),
    "held": ("Waiting(Capacity)", "TASK-7", [], None, UNSTARTED | waiting("Capacity")),
    "making_worktree": ("Running", "WT-4", ["Running", "Pending"], 1, RUNNING),
    "agent_running": ("Running", "SES-3", ["Running", "Pending"], 1, RUNNING),
    "committing": ("Running", "SES-3", ["Running", "Pending"], 1, RUNNING),
    "gate_running": ("Running", "SES-3", ["Running", "Pending"], 1, RUNNING),
    "no_checks": ("Waiting(Question)", "GATE-7", ["Waiting", "Pending"], 1, RUNNING | waiting("Question")),
    "backing_off": ("Running", "TASK-2", ["Running", "Pending"], 1, RUNNING),
    "dirty": ("Waiting(MergeQueue)", "MRG-5", ["Passed", "Waiting"], 1, GREEN | waiting("MergeQueue")),
    "grouped": ("Waiting(MergeQueue)", "MRG-1", ["Passed", "Waiting"], 1, GREEN | waiting("MergeQueue")),
    "asking_person": ("Waiting(Question)", "TASK-5", ["Failed", "Pending"], 1, RUNNING | waiting("Question")),
    "landed": ("Running", "MRG-1", ["Passed", "Running"], 1, GREEN),
    "merged": ("Merged", "TASK-1", ["Passed", "Passed"], 1, good("Merged", "True Merged")),
    "succeeded": ("Succeeded", "TASK-1", ["Passed"], 1, good("Succeeded", "False Pending")),
    "failed": (
        "Failed",
        "TASK-2",
        ["Failed", "Pending"],
        3,
        bad("GateFailed", Merged="False Pending", Verified="False Pending"),
    ),
    "conflicting": (
        "Failed",
        "TASK-2",
        ["Passed", "Failed"],
        1,
        bad("MergeConflict", Merged="False Pending", Verified="True GatesPassed"),
    ),
    "cancelled": (
        "Cancelled",
        "TASK-2",
        ["Failed", "Pending"],
        1,
        bad("Cancelled", Merged="False Pending", Verified="False Pending"),
    ),
    "cancelled_unstarted": ("Cancelled", "TASK-2", [], None, bad("Cancelled")),
}
# How long the machine sleeps there when nothing comes from outside; None: for ever.
PAUSES = {
    "depending": 3600.0,
    "held": 3600.0,
    "grouped": 3600.0,
    "agent_running": 3600.0,
    "committing": 300.0,
    "gate_running": 600.0,
}
RETRIES = ("making_worktree", "backing_off")


def conditions(bench: worlds.Bench, key: str) -> dict[str, str]:
    return {one.type: f"{one.status} {one.reason}" for one in bench.object(key).conditions}


def message(bench: worlds.Bench, key: str, of_type: str) -> str:
    return next(one.message for one in bench.object(key).conditions if one.type == of_type)


def status(bench: worlds.Bench, key: str = TASK) -> dict[str, Any]:
    found: dict[str, Any] = builders.body(bench, key)["status"]
    return found


@pytest.mark.parametrize("place", places.PLACES)
def test_log_4_in_every_place_a_task_says_where_it_stands_and_by_which_rule(place: str) -> None:
    bench = places.PLACES[place]()
    word, rule, stages, attempt, wanted = SAID[place]
    said, because = status(bench), bench.object(TASK).because
    assert because is not None
    assert (said["summary"], because.rule) == (word, rule)
    assert [one["state"] for one in said.get("stages", [])] == stages
    assert said.get("attempt") == attempt
    assert conditions(bench, TASK) == wanted
    assert ("waiting" in said) == ("Waiting" in wanted)
    if "waiting" in said:
        assert said["waiting"] == {
            "reason": because.waiting,
            "message": because.text,
            "since": "2027-01-15T08:00:00Z",
        }


@pytest.mark.parametrize("place", places.PLACES)
def test_time_2_in_every_place_the_machine_sleeps_until_the_next_thing_that_is_due(place: str) -> None:
    bench = places.PLACES[place]()
    pause = bench.machine.pause_s(bench.now)
    if place in RETRIES:
        assert pause is not None
        assert 0.5 < pause < 2.0
    else:
        assert pause == PAUSES.get(place)
    assert bench.machine.rests == (pause is None)


def test_time_2_a_wake_up_that_is_overdue_is_waited_for_no_longer_and_never_less_than_nothing() -> None:
    bench = places.agent_running()
    later = dataclasses.replace(bench.now, at=bench.now.at + 7200, t=bench.now.t + 7200)
    assert bench.machine.pause_s(later) == 0.0
    assert bench.machine.wake_at == bench.now.t + 3600.0


def test_log_4_a_condition_keeps_the_time_of_its_last_change_and_follows_the_generation() -> None:
    bench = places.agent_running()
    bench.wait(60)
    bench.give(dataclasses.replace(builders.task(priority=3), generation=2))
    ready = next(one for one in bench.object(TASK).conditions if one.type == "Ready")
    assert (ready.last_transition_time, ready.observed_generation) == ("2027-01-15T08:00:00Z", 2)
    asking.end_agent(bench)
    ready = next(one for one in bench.object(TASK).conditions if one.type == "Ready")
    assert (ready.status, ready.last_transition_time) == ("True", "2027-01-15T08:01:00Z")


def test_task_4_suspended_says_who_or_what_suspended_it_and_goes_when_it_goes_on() -> None:
    bench = places.agent_running()
    bench.give(asking.suspend(reason="lunch"))
    assert conditions(bench, TASK)["Suspended"] == "True Requested"
    assert message(bench, TASK, "Suspended") == f"suspended by {asking.ACTOR}: lunch"
    assert "Waiting" not in conditions(bench, TASK)
    bench.give(asking.resume())
    assert "Suspended" not in conditions(bench, TASK)
    bench.give(dataclasses.replace(builders.task(suspend=True), generation=2))
    assert conditions(bench, TASK)["Suspended"] == "True Manifest"
    assert message(bench, TASK, "Suspended") == "suspended: spec.suspend is true in manifests/fix.yaml:1"


def test_task_3_dependencies_are_named_until_they_have_come() -> None:
    bench = places.depending()
    assert "other" in message(bench, TASK, "DependenciesReady")
    bench.world.exits = lambda effect: 0
    asking.end_agent(bench)
    assert conditions(bench, TASK)["DependenciesReady"] == "True DependenciesMet"
    assert message(bench, TASK, "DependenciesReady") == ""


def test_task_5_a_second_attempt_is_progress_with_a_retry() -> None:
    bench = places.agent_running()
    asking.end_agent(bench, code=1)
    assert conditions(bench, TASK)["Reconciling"] == "True ProgressingWithRetry"


# --- what the controller makes ----------------------------------------------------------------------------------


def test_ses_3_a_session_progresses_until_its_end_and_is_stalled_only_when_it_failed() -> None:
    key = "Session/default/fix-implement-1"
    made = {"Accepted": "True MadeByController"}
    running = {"Ready": "Unknown Progressing", "Succeeded": "Unknown Progressing", "Reconciling": "True Progressing"}
    bench = places.agent_running()
    assert (status(bench, key)["summary"], conditions(bench, key)) == ("Working", made | running)
    asking.end_agent(bench, code=1)
    failed = {"Ready": "False Failed", "Succeeded": "False Failed", "Stalled": "True Failed"}
    assert (status(bench, key)["summary"], conditions(bench, key)) == ("Failed", made | failed)
    assert message(bench, key, "Stalled") == "exited with 1"
    ended = {"Ready": "True Completed", "Succeeded": "True Completed"}
    bench = places.merged()
    assert (status(bench, key)["summary"], conditions(bench, key)) == ("Succeeded", made | ended)


def test_wt_4_a_worktree_is_being_made_there_or_removed() -> None:
    key, made = "Worktree/default/fix", {"Accepted": "True MadeByController"}
    for place, word, ready, said in (
        (places.making_worktree, "Creating", "Unknown Progressing", "the disk is busy"),
        (places.agent_running, "Ready", "True Created", ""),
        (places.merged, "Removed", "True Removed", "removed after salvage"),
    ):
        bench = place()
        assert (status(bench, key)["summary"], conditions(bench, key)) == (word, {**made, "Ready": ready})
        assert message(bench, key, "Ready") == said


# --- what is only said ------------------------------------------------------------------------------------------

CLAUDE = builders.admitted("Agent", "claude", {"backend": "claude"})


def test_ses_14_an_agent_is_ready_when_its_program_is_known_to_be_there() -> None:
    bench = builders.bench(CLAUDE)
    assert conditions(bench, CLAUDE.key) == {"Accepted": "True Admitted", "Ready": "Unknown Progressing"}
    assert status(bench, CLAUDE.key)["summary"] == "Pending"
    bench.give(worlds.probed(CLAUDE, problem="it is not there"))
    assert conditions(bench, CLAUDE.key)["Ready"] == "False AgentNotReady"
    assert message(bench, CLAUDE.key, "Ready").startswith("agent claude: it is not there; install `claude`")
    assert (status(bench, CLAUDE.key)["summary"], status(bench, CLAUDE.key)["path"]) == ("NotReady", "")
    bench.wait(60)
    bench.give(worlds.probed(CLAUDE))
    assert conditions(bench, CLAUDE.key) == {
        "Accepted": "True Admitted",
        "Ready": "True ReconciliationSucceeded",
    }
    found = status(bench, CLAUDE.key)
    assert (found["summary"], found["path"], found["version"]) == ("Ready", "/usr/bin/claude", "1.0.0")
    assert found["since"] == "2027-01-15T08:01:00Z"


def test_git_3_one_that_was_never_valid_is_invalid_and_one_that_was_keeps_what_it_was() -> None:
    problems = ("p.yaml:1:1: error: one", "p.yaml:2:1: error: two")
    rejected = events.ObjectRejected(Key("Role/default/x"), path="p.yaml", problems=problems)
    bench = builders.bench(rejected, builders.admitted("Role", "y", {}))
    assert conditions(bench, "Role/default/x") == {
        "Accepted": "False ValidationFailed",
        "Ready": "False ValidationFailed",
        "Stalled": "True ValidationFailed",
    }
    assert message(bench, "Role/default/x", "Stalled") == "\n".join(problems)
    assert status(bench, "Role/default/x")["summary"] == "Invalid"
    assert status(bench, "Role/default/x")["problems"] == list(problems)
    bench.give(dataclasses.replace(rejected, key=Key("Role/default/y")))
    assert conditions(bench, "Role/default/y") == {
        "Accepted": "False ValidationFailed",
        "Ready": "True ReconciliationSucceeded",
    }
    assert status(bench, "Role/default/y")["summary"] == "Ready"
    bench.give(builders.admitted("Role", "x", {}))
    assert conditions(bench, "Role/default/x") == {
        "Accepted": "True Admitted",
        "Ready": "True ReconciliationSucceeded",
    }


def test_log_8_an_object_that_a_defect_has_stopped_says_so_and_nothing_else_of_it_counts() -> None:
    bench = places.agent_running()
    bench.give(events.ObjectStalled(Key(TASK), defect="KeyError: x"))
    said = conditions(bench, TASK)
    assert (said["Stalled"], said["Ready"]) == ("True InternalError", "False InternalError")
    assert message(bench, TASK, "Stalled") == "KeyError: x"
    assert status(bench)["summary"] == "Stalled"


# --- where the manifests come from ------------------------------------------------------------------------------


def source(*facts: events.Event) -> worlds.Bench:
    return builders.bench(*facts)


def test_git_1_a_remote_that_is_away_is_not_ready_and_says_since_when() -> None:
    bench = source(upstream.SourceSynced(SOURCE, "git@host"))
    assert conditions(bench, SOURCE) == {"Synced": "True Fetched", "Ready": "True ReconciliationSucceeded"}
    assert status(bench, SOURCE)["summary"] == "Ready"
    bench.give(upstream.SourceUnreachable(SOURCE, "git@host", True, "no net", 1_800_000_000.0))
    said = "git@host cannot be fetched (last fetched at 2027-01-15T08:00:00Z): no net"
    assert conditions(bench, SOURCE) == {"Synced": "False SourceOffline", "Ready": "False SourceOffline"}
    assert (message(bench, SOURCE, "Synced"), message(bench, SOURCE, "Ready")) == (said, said)
    assert status(bench, SOURCE)["summary"] == "Offline"
    because = bench.object(SOURCE).because
    assert because is not None
    assert (because.rule, because.waiting) == ("GIT-1", "SourceOffline")
    bench.give(upstream.SourceUnreachable(SOURCE, "git@host", False, "denied", 0.0))
    assert conditions(bench, SOURCE) == {"Synced": "False SourceUnavailable", "Ready": "False SourceUnavailable"}
    assert message(bench, SOURCE, "Ready") == "git@host cannot be fetched (never fetched): denied"
    assert status(bench, SOURCE)["summary"] == "Unavailable"
    bench.give(upstream.SourceSynced(SOURCE, "git@host"))
    assert conditions(bench, SOURCE) == {"Synced": "True Fetched", "Ready": "True ReconciliationSucceeded"}


def test_git_1_a_refused_commit_stalls_the_source_until_a_signed_one_comes() -> None:
    signed = dataclasses.replace(builders.revision(), signer="ann@example.com")
    bench = source(signed)
    good = {"SourceVerified": "True SignatureGood", "Ready": "True ReconciliationSucceeded"}
    assert conditions(bench, SOURCE) == good
    assert message(bench, SOURCE, "SourceVerified") == f"{signed.commit[:12]} is signed by ann@example.com"
    refused = upstream.RevisionRefused(SOURCE, signed.ref, worlds.oid("evil"), "nobody signed it")
    bench.give(refused)
    bad_one = "False SignatureInvalid"
    assert conditions(bench, SOURCE) == {
        "SourceVerified": bad_one,
        "Ready": bad_one,
        "Stalled": "True SignatureInvalid",
    }
    assert message(bench, SOURCE, "Stalled") == f"commit {refused.commit[:12]} is not taken up: nobody signed it"
    found = status(bench, SOURCE)
    assert (found["summary"], found["refused"], found["commit"]) == ("Refused", refused.commit, signed.commit)
    assert (found["ref"], found["signer"], found["remote"]) == ("refs/heads/main", "ann@example.com", "")
    because = bench.object(SOURCE).because
    assert because is not None
    assert "allowed signer" in because.unblock
    bench.give(signed)
    assert conditions(bench, SOURCE) == good
    assert status(bench, SOURCE)["refused"] == ""
