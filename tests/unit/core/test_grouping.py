"""Tasks of a merge group: all of them verified, then each lands, or none begins to (MRG-1)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchctl.adapters.ledger import codec
from orchctl.core import actions, events
from orchctl.core.ids import Key
from orchctl.core.judgements import Principal
from orchctl.testing import worlds
from tests.unit.core import asking, builders
from tests.unit.core import test_approvals as approving
from tests.unit.core.test_depending import bench_of, finish, summary

GROUP: dict[str, Any] = {"mergeGroup": "login"}


def landed(bench: worlds.Bench) -> list[str]:
    tried = [one.event for one in bench.log if isinstance(one.event, events.LandTried)]
    return [one.key.rsplit("/", 1)[1] for one in tried]


def why(bench: worlds.Bench, name: str) -> str:
    because = bench.object(f"Task/default/{name}").because
    assert because is not None
    assert because.unblock
    return because.text


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_mrg_1_a_group_lands_in_order_once_all_of_it_is_verified(order: str) -> None:
    bench = bench_of({"c": [], "a": [], "b": []}, **GROUP)
    for name in order[:2]:
        finish(bench, name)
        assert summary(bench, name) == "Waiting(MergeQueue)"
        assert f"task {order[2]} is not verified yet" in why(bench, name) or "not verified yet" in why(bench, name)
    assert landed(bench) == []
    finish(bench, order[2])
    assert landed(bench) == ["a", "b", "c"]
    assert [summary(bench, name) for name in "abc"] == ["Merged"] * 3


def test_mrg_1_one_that_fails_keeps_the_others_from_landing_until_it_is_retried() -> None:
    bench = bench_of({"a": [], "b": []}, failing=("b",), **GROUP)
    finish(bench, "a")
    finish(bench, "b")
    assert landed(bench) == []
    assert why(bench, "a") == "merge group login lands together, and task b has ended as Failed"
    bench.world.exits = lambda effect: 0
    bench.give(asking.retry(key="Task/default/b"))
    assert landed(bench) == ["a", "b"]


@pytest.mark.parametrize("mode", ["Now", "AfterCleanup", "AfterCurrent"])
def test_mrg_1_one_that_is_cancelled_keeps_them_too_and_leaves_by_its_manifest(mode: str) -> None:
    bench = bench_of({"a": [], "b": []}, **GROUP)
    finish(bench, "a")
    bench.give(asking.cancel(mode, key="Task/default/b"))
    finish(bench, "b")
    assert "has ended as Cancelled" in why(bench, "a")
    bench.give(builders.task("b"))
    assert landed(bench) == ["a"]


def test_mrg_1_one_that_leaves_git_is_no_longer_of_the_group() -> None:
    bench = bench_of({"a": [], "b": []}, **GROUP)
    finish(bench, "a")
    bench.give(events.ObjectWithdrawn(Key("Task/default/b")))
    assert landed(bench) == ["a"]
    assert list(bench.machine.state.groups.values()) == [("Task/default/a",)]


def test_mrg_1_one_that_joins_is_waited_for() -> None:
    bench = bench_of({"a": [], "b": []}, **GROUP)
    finish(bench, "a")
    bench.give(builders.task("c", **GROUP))
    finish(bench, "b")
    assert landed(bench) == []
    assert "task c is not verified yet" in why(bench, "a")
    finish(bench, "c")
    assert landed(bench) == ["a", "b", "c"]


def test_mrg_1_a_group_that_would_wait_for_itself_says_so() -> None:
    bench = bench_of({"a": [], "b": [{"task": "a"}]}, **GROUP)
    finish(bench, "a")
    assert "task b of it waits for this one to be Merged first" in why(bench, "a")
    bench.give(builders.task("b", dependsOn=[], **GROUP))
    finish(bench, "b")
    assert landed(bench) == ["a", "b"]


def test_mrg_1_groups_of_other_namespaces_and_names_are_others() -> None:
    bench = bench_of({"a": []}, **GROUP)
    bench.give(builders.task("b", mergeGroup="other"))
    finish(bench, "a")
    assert landed(bench) == ["a"]


def test_log_3_the_groups_are_stored_with_the_state() -> None:
    bench = bench_of({"a": [], "b": []}, **GROUP)
    state = bench.machine.state
    assert state.groups == {Key("MergeGroup/default/login"): ("Task/default/a", "Task/default/b")}
    assert codec.decode_counters(codec.encode_counters(state)).groups == state.groups


def test_mrg_1_when_one_cannot_land_after_others_have_the_rest_says_so() -> None:
    bench = bench_of({"a": [], "b": [], "c": []}, **GROUP)
    work = bench.world.execute

    def conflicting(action: actions.Action) -> list[events.Event]:
        bench.world.conflicts = ("x",) if action.object == "Task/default/b" else ()
        return work(action)

    bench.world.execute = conflicting  # type: ignore[method-assign]
    for name in "abc":
        finish(bench, name)
    assert landed(bench) == ["a"]
    assert "task b has ended as Failed" in why(bench, "c")


def gated(stages: list[dict[str, Any]], *names: str) -> worlds.Bench:
    """A group of tasks by this pipeline, whose work is done at once."""
    pipeline = builders.admitted("Pipeline", "own", {"stages": stages})
    bench = builders.bench(pipeline, approving.policy(), builders.project())
    tasks = [builders.task(name, pipeline="own", **GROUP) for name in names]
    bench.give(*(dataclasses.replace(one, principal=Principal(approving.ANN)) for one in tasks))
    return bench


def approve(bench: worlds.Bench, name: str, decision: str = "Approved") -> None:
    gates = builders.body(bench, f"Task/default/{name}")["status"]["gates"]
    subject = {**next(one for one in gates if one["name"] == "leads")["subject"], "name": name}
    said = {"subject": subject, "decision": decision, "comment": ""}
    bench.give(builders.admitted("Approval", f"{name}-alice", said, by=approving.ALICE))


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_mrg_1_app_1_none_lands_while_another_is_not_approved(order: str) -> None:
    bench = gated(approving.STAGES, "a", "b")
    approve(bench, order[0])
    assert landed(bench) == []
    assert why(bench, order[0]).endswith(f"task {order[1]} could not land yet: a gate keeps it")
    approve(bench, order[1])
    assert landed(bench) == ["a", "b"]


def test_mrg_1_app_5_what_was_taken_back_keeps_the_whole_group() -> None:
    bench = gated(approving.STAGES, "a", "b", "c")
    approve(bench, "a")
    approve(bench, "b")
    approve(bench, "b", "Revoked")
    approve(bench, "c")
    assert landed(bench) == []
    approve(bench, "b")
    assert landed(bench) == ["a", "b", "c"]


def test_mrg_1_a_stage_that_may_fail_keeps_nobody_waiting_for_ever() -> None:
    never = [{"name": "never", "cel": {"expression": "diff.files < 0"}}]
    tolerant = {"name": "extra", "gates": never, "onFailure": {"goto": "implement", "limit": 0, "then": "Continue"}}
    bench = gated([builders.STAGES[0], tolerant, builders.STAGES[1]], "a", "b")
    assert landed(bench) == ["a", "b"]


def test_mrg_1_task_4_one_that_is_suspended_keeps_the_others() -> None:
    bench = bench_of({"a": [], "b": []}, **GROUP)
    finish(bench, "b")
    bench.give(asking.suspend(key="Task/default/b"))
    finish(bench, "a")
    assert landed(bench) == []
    assert "task b is suspended by" in why(bench, "a")
    bench.give(asking.resume(key="Task/default/b"))
    assert landed(bench) == ["a", "b"]


def test_mrg_1_one_that_is_retried_with_another_spec_has_to_be_verified_again() -> None:
    bench = bench_of({"a": [], "b": []}, **GROUP)
    finish(bench, "b")
    bench.give(asking.cancel("Now", key="Task/default/b"))
    finish(bench, "a")
    bench.give(builders.task("b", pipeline="missing", **GROUP))
    bench.give(asking.retry(key="Task/default/b"))
    assert landed(bench) == []
    assert "task b is not verified yet" in why(bench, "a")


def test_mrg_1_task_8_one_that_waits_for_the_files_of_another_says_so() -> None:
    bench = bench_of({"a": [], "b": []}, touches=["src/**"], **GROUP)
    finish(bench, "a")
    assert "task b of it waits for this one to end" in why(bench, "a")
    bench.give(builders.task("b", touches=["src/**"]))
    assert landed(bench) == ["a"]


def test_mrg_1_a_group_that_waits_for_itself_through_others_says_through_whom() -> None:
    bench = bench_of({"a": []}, **GROUP)
    bench.give(builders.task("c", dependsOn=[{"task": "a"}]))
    bench.give(builders.task("b", dependsOn=[{"task": "c"}], **GROUP))
    finish(bench, "a")
    assert "task b of it waits for task c, which waits for this one to end" in why(bench, "a")
