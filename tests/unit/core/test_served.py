"""What is served of an object: every field of its status, as people and programs read it (LOG-4, LOG-6)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from orchctl.core import actions, events, views
from orchctl.core.ids import Key
from orchctl.core.judgements import Principal
from orchctl.core.ports import Phase
from orchctl.testing import worlds
from tests.unit.core import asking, builders, places

TASK = "Task/default/fix"
SESSION = "Session/default/fix-implement-1"
WORKTREE = "Worktree/default/fix"
BEGIN, LATER = "2027-01-15T08:00:00Z", "2027-01-15T08:01:00Z"


def after_a_minute(code: int = 0) -> worlds.Bench:
    """Its agent has worked for a minute; all that follows takes no time."""
    bench = places.agent_running()
    bench.world.exits = lambda effect: None if isinstance(effect, actions.RunAgent) else 0
    bench.wait(60)
    asking.end_agent(bench, code)
    return bench


def status(bench: worlds.Bench, key: str = TASK) -> dict[str, Any]:
    found: dict[str, Any] = builders.body(bench, key)["status"]
    return found


def row(bench: worlds.Bench, key: str = TASK) -> views.Row:
    return views.row(bench.machine.state, bench.object(key))


def test_log_6_a_merged_task_shows_its_work_its_stages_and_what_checked_it() -> None:
    bench = after_a_minute()
    task = bench.object(TASK).task
    assert task is not None
    found = status(bench)
    for digest in ("conditions", "resolved", "workDigest"):
        assert found.pop(digest)
    assert found == {
        "summary": "Merged",
        "observedGeneration": 1,
        "stage": "merge",
        "attempt": 1,
        "cycle": 0,
        "branch": "orch/fix",
        "target": "main",
        "base": worlds.oid("target"),
        "head": task.head,
        "merged": bench.world.target,
        "worktree": "fix",
        "sessions": ["fix-implement-1"],
        "stages": [
            {"name": "implement", "state": "Passed", "startedAt": BEGIN, "endedAt": LATER, "message": "passed unit"},
            {
                "name": "merge",
                "state": "Passed",
                "startedAt": LATER,
                "endedAt": LATER,
                "message": f"merged into main as {bench.world.target[:8]}",
            },
        ],
        "gates": [
            {
                "stage": "implement",
                "name": "unit",
                "type": "check",
                "since": LATER,
                "state": "Passed",
                "message": "exited with 0",
                "exitCode": 0,
                "attempt": 1,
                "attemptId": task.checks[0].id,
                "tree": task.head_tree,
            }
        ],
        "startedAt": BEGIN,
        "endedAt": LATER,
    }


def test_log_6_a_running_task_has_no_end_and_stages_that_have_not_begun_have_no_times() -> None:
    bench = places.agent_running()
    found = status(bench)
    assert (found["startedAt"], found["endedAt"], found["merged"], found["head"]) == (BEGIN, None, None, None)
    unbegun = {"startedAt": None, "endedAt": None, "message": ""}
    assert found["stages"] == [
        {"name": "implement", "state": "Running", **unbegun, "startedAt": BEGIN},
        {"name": "merge", "state": "Pending", **unbegun},
    ]
    assert (found["target"], found["gates"], found["stage"]) == ("main", [], "implement")


def test_log_6_every_session_of_every_attempt_is_listed_and_the_row_names_the_agent_and_attempt() -> None:
    bench = after_a_minute(code=1)
    found = status(bench)
    assert found["sessions"] == ["fix-implement-1", "fix-implement-2"]
    assert (found["attempt"], found["cycle"], found["stage"]) == (2, 1, "implement")
    assert found["stages"][0]["state"] == "Running"
    assert found["stages"][0]["startedAt"] == LATER
    assert (row(bench).agent, row(bench).stage) == ("script/2", "implement")
    asking.end_agent(bench)
    assert (row(bench).agent, row(bench).stage) == ("script/2", "merge"), "a stage without agent shows the last one's"


def test_log_6_a_check_is_running_lost_failed_or_passed() -> None:
    bench = places.gate_running()
    assert [(one["state"], one["since"], one["exitCode"]) for one in status(bench)["gates"]] == [
        ("Running", BEGIN, None)
    ]
    bench.wait(60)
    task = bench.object(TASK).task
    assert task is not None
    bench.give(worlds.ended(Key(TASK), task.checks[0].id, Phase.LOST, None))
    gates = status(bench)["gates"]
    assert [(one["state"], one["since"], one["attempt"]) for one in gates] == [
        ("Lost", LATER, 1),
        ("Running", LATER, 2),
    ]
    failed = [one["state"] for one in status(places.failed())["gates"]]
    assert failed == ["Failed", "Failed", "Failed"]


def test_log_6_a_session_shows_its_attempts_and_its_times() -> None:
    bench = after_a_minute()
    session = bench.object(SESSION).session
    assert session is not None
    found = status(bench, SESSION)
    assert found.pop("conditions")
    shown = {"phase": "Succeeded", "exitCode": 0, "signal": None, "outputBytes": 0, "message": "exited with 0"}
    assert found == {
        "summary": "Succeeded",
        "state": "Exited",
        "agent": "script",
        "task": "fix",
        "worktree": "fix",
        "attempt": 1,
        "isolation": "None",
        "attempts": [
            {"id": session.attempts[0].id, "purpose": "agent", **shown},
            {"id": session.attempts[1].id, "purpose": "commit", **shown},
        ],
        "startedAt": BEGIN,
        "endedAt": LATER,
    }
    body = builders.body(bench, SESSION)
    assert body["spec"] == {"prompt": session.prompt, "worktree": {"name": "fix"}}
    assert (body["metadata"]["uid"], row(bench, SESSION).uid) == (session.uid, session.uid)


def test_log_6_a_session_is_starting_until_its_agent_was_submitted_then_working() -> None:
    assert status(places.agent_running(), SESSION)["state"] == "Working"
    assert status(places.agent_running(), SESSION)["endedAt"] is None
    made = places.agent_running().object(SESSION)
    assert made.session is not None
    fresh = dataclasses.replace(made, session=dataclasses.replace(made.session, attempts=()))
    assert views.summary(fresh) == "Starting"
    assert json.loads(views.row(places.agent_running().machine.state, fresh).body)["status"]["state"] == "Starting"


def test_log_6_a_worktree_shows_where_it_is_and_when_it_went() -> None:
    bench = after_a_minute()
    worktree = bench.object(WORKTREE).worktree
    assert worktree is not None
    found = status(bench, WORKTREE)
    assert found.pop("conditions")
    assert found == {
        "summary": "Removed",
        "path": worktree.path,
        "branch": "orch/fix",
        "base": worlds.oid("target"),
        "task": "fix",
        "removedAt": LATER,
    }
    assert status(places.agent_running(), WORKTREE)["removedAt"] is None
    body = builders.body(bench, WORKTREE)
    assert body["spec"] == {"project": "shop", "branch": "orch/fix"}
    assert (body["metadata"]["uid"], row(bench, WORKTREE).uid) == (worktree.uid, worktree.uid)


def test_log_5_metadata_names_the_place_in_git_and_when_it_was_withdrawn() -> None:
    bench = places.agent_running()
    labelled = dataclasses.replace(builders.task(), generation=2, labels=(("a", "b"),), annotations=(("c", "d"),))
    bench.give(labelled)
    metadata = builders.body(bench, TASK)["metadata"]
    assert metadata["labels"] == {"a": "b"}
    assert metadata["annotations"] == {
        "c": "d",
        "orchctl.dev/source": "manifests/fix.yaml:1",
        "orchctl.dev/spec-digest": labelled.spec_digest,
    }
    assert (metadata["name"], metadata["namespace"], metadata["generation"]) == ("fix", "default", 2)
    assert metadata["resourceVersion"] == str(bench.object(TASK).seq)
    assert metadata["creationTimestamp"] == BEGIN
    assert "deletionTimestamp" not in metadata
    assert "namespace" not in builders.body(bench, "Agent//script")["metadata"]
    bench.world.exits = lambda effect: None
    bench.wait(60)
    bench.give(events.ObjectWithdrawn(Key(TASK)))
    assert builders.body(bench, TASK)["metadata"]["deletionTimestamp"] == LATER
    assert status(bench)["summary"] == "Stopping"


def test_log_6_a_kind_that_only_says_things_is_ready_deleting_or_not_implemented() -> None:
    fact = builders.admitted("Role", "x", {})
    bench = builders.bench(fact)
    made = bench.object(fact.key)
    assert made.desired is not None
    assert views.summary(made) == "Ready"
    assert views.summary(dataclasses.replace(made, withdrawn=True)) == "Deleting"
    desired = dataclasses.replace(made.desired, unsupported=("x", "y"), harmless=("y",))
    assert views.summary(dataclasses.replace(made, desired=desired)) == "NotImplemented"
    only_harmless = dataclasses.replace(desired, harmless=("x", "y"))
    assert views.summary(dataclasses.replace(made, desired=only_harmless)) == "Ready"


def test_app_2_who_said_it_is_shown_where_it_is_known() -> None:
    principal = Principal("ann@example.com", verified=True, signature="Ssh", commit=worlds.oid("c"))
    bench = builders.bench(dataclasses.replace(builders.task(), principal=principal))
    assert status(bench)["principal"] == {
        "class": "Human",
        "name": "ann@example.com",
        "verified": True,
        "commit": worlds.oid("c"),
    }
    assert "principal" not in status(places.agent_running())


def test_task_4_what_was_asked_last_and_by_whom_is_shown() -> None:
    bench = places.agent_running()
    bench.wait(60)
    asked = asking.suspend(reason="lunch", until=bench.now.at + 3600)
    bench.give(asked)
    found = status(bench)
    assert found["suspended"] == {
        "by": asking.ACTOR,
        "reason": "lunch",
        "since": LATER,
        "until": "2027-01-15T09:01:00Z",
    }
    shown = {"token": asked.token, "verb": "Suspend", "by": asking.ACTOR, "at": LATER, "refused": ""}
    assert found["request"] == shown
    asked_again = asking.resume()
    bench.give(asked_again)
    assert "suspended" not in status(bench)
    assert status(bench)["request"] == {**shown, "token": asked_again.token, "verb": "Resume"}
    bench.give(asking.suspend())
    assert status(bench)["suspended"]["until"] is None
    refused = asking.retry()
    bench.give(asking.refused(refused, "it has not ended"))
    assert status(bench)["request"] == {
        **shown,
        "token": refused.token,
        "verb": "Retry",
        "refused": "it has not ended",
    }


def test_task_4_a_task_that_never_started_shows_when_it_ended_and_nothing_of_a_run() -> None:
    bench = places.cancelled_unstarted()
    found = status(bench)
    assert found["endedAt"] == BEGIN
    assert "stages" not in found
    assert "waiting" not in found
    assert row(bench).agent == ""
    assert row(bench).stage == ""


def test_task_5_the_timeout_in_force_is_the_one_the_task_says_now() -> None:
    bench = places.agent_running()

    def timeout() -> dict[str, Any]:
        return next(one for one in status(bench)["resolved"] if one["field"] == "timeout")

    assert (timeout()["name"], timeout()["source"]) == ("4h", "BuiltIn")
    bench.give(dataclasses.replace(builders.task(timeout="20m"), generation=2))
    assert (timeout()["name"], timeout()["source"]) == ("20m", "Task")


@pytest.mark.parametrize("place", places.PLACES)
def test_log_4_a_row_carries_the_answer_to_why_with_its_time(place: str) -> None:
    bench = places.PLACES[place]()
    found, because = row(bench), bench.object(TASK).because
    assert because is not None
    said = json.loads(found.because)
    assert (said["rule"], said["text"], said["unblock"]) == (because.rule, because.text, because.unblock)
    assert said["since"] == bench.now.at
    ready = next(one.status for one in bench.object(TASK).conditions if one.type == "Ready")
    assert (found.ready, found.summary) == (ready, status(bench)["summary"])
    assert (found.generation, found.seq, found.uid) == (1, bench.object(TASK).seq, "uid-Task-fix")
    assert found.created_at == bench.now.at
    assert found.object is bench.object(TASK)
