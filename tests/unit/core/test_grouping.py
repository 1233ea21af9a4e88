"""Tasks of a merge group: all of them verified, then each lands, or none begins to (MRG-1)."""

from __future__ import annotations

from typing import Any

import pytest

from orchctl.adapters.ledger import codec
from orchctl.core import actions, events
from orchctl.core.ids import Key
from orchctl.testing import worlds
from tests.unit.core import asking, builders
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
