"""Tasks that wait for tasks: when they start, and what one that fails or is missing does (TASK-2, TASK-3)."""

from __future__ import annotations

from typing import Any

import pytest

from orchctl.core import actions, events, lifecycle
from orchctl.core.folds.parts import attempts_of, ending_of
from orchctl.core.ids import Key, kind_of, name_of
from orchctl.core.ports import Phase
from orchctl.testing import worlds
from tests.unit.core import asking, builders

Edges = dict[str, list[dict[str, Any]]]


def after(*tasks: str, **said: str) -> list[dict[str, Any]]:
    return [{"task": one, **said} for one in tasks]


def bench_of(edges: Edges, failing: tuple[str, ...] = (), **spec: Any) -> worlds.Bench:
    """All of the tasks, whose agents run until the test ends them; the checks of `failing` are red."""

    def exits(effect: actions.Effect) -> int | None:
        if isinstance(effect, actions.RunAgent):
            return None
        red = isinstance(effect, actions.RunCheck) and dict(effect.env)["ORCH_TASK"] in failing
        return 1 if red else 0

    bench = worlds.Bench(world=worlds.World(exits=exits))
    bench.give(*builders.catalogue())
    facts = [builders.task(name, dependsOn=dependsOn, **spec) for name, dependsOn in edges.items()]
    bench.give(builders.project(limits={"sessions": 8}), *facts)
    return bench


def working(bench: worlds.Bench) -> set[str]:
    """The tasks whose agent runs."""
    objects = bench.machine.state.objects.values()
    return {
        name_of(obj.session.task)
        for obj in objects
        if obj.session is not None and any(one.ended is None for one in attempts_of(obj))
    }


def finish(bench: worlds.Bench, name: str) -> None:
    """Let the agent of this task end, as often as it is sent back."""
    for _ in range(5):
        for obj in list(bench.machine.state.objects.values()):
            running = [one for one in attempts_of(obj) if one.ended is None]
            if obj.session is not None and name_of(obj.session.task) == name and running:
                bench.give(worlds.ended(obj.key, running[0].id, Phase.SUCCEEDED, 0))


def summary(bench: worlds.Bench, name: str) -> str:
    return str(builders.body(bench, f"Task/default/{name}")["status"]["summary"])


DIAMOND: Edges = {"a": [], "b": after("a"), "c": after("a"), "d": after("b", "c")}
CHAIN: Edges = {"a": [], "b": after("a"), "c": after("b")}
FAN: Edges = {"a": [], "b": after("a"), "c": after("a"), "d": after("a")}


@pytest.mark.parametrize(
    ("edges", "waves"),
    [
        (DIAMOND, ["a", "bc", "d"]),
        (CHAIN, ["a", "b", "c"]),
        (FAN, ["a", "bcd"]),
        (dict(reversed(DIAMOND.items())), ["a", "bc", "d"]),
    ],
)
def test_task_3_each_starts_exactly_when_what_it_depends_on_is_there(edges: Edges, waves: list[str]) -> None:
    bench = bench_of(edges)
    for wave in waves:
        assert working(bench) == set(wave)
        for number, name in enumerate(wave):
            finish(bench, name)
            assert summary(bench, name) == "Merged"
            assert working(bench) >= set(wave[number + 1 :]), "the others of its wave go on"
    assert working(bench) == set()


def test_task_3_a_completion_wakes_its_dependents_without_any_clock() -> None:
    bench = bench_of(CHAIN)
    because = bench.object("Task/default/b").because
    assert because is not None
    assert (because.rule, because.waiting, because.text) == ("TASK-3", "Dependency", "waits for task a to be Merged")
    assert because.unblock == "it starts by itself then; `orchctl why a` says how far that is"
    assert summary(bench, "b") == "Waiting(Dependency)"
    assert Key("Task/default/b") not in bench.machine._wake
    finish(bench, "a")
    assert working(bench) == {"b"}


def condition(bench: worlds.Bench, name: str) -> tuple[str, str]:
    conditions = bench.object(f"Task/default/{name}").conditions
    return next((one.status, one.message) for one in conditions if one.type == "DependenciesReady")


def test_task_3_the_condition_says_which_are_missing() -> None:
    bench = bench_of({"a": [], "b": [], "c": after("a", "b")})
    assert condition(bench, "c") == ("False", "a (Merged), b (Merged)")
    finish(bench, "a")
    assert condition(bench, "c") == ("False", "b (Merged)")
    finish(bench, "b")
    assert condition(bench, "c") == ("True", "")
    assert not [one for one in bench.object("Task/default/a").conditions if one.type == "DependenciesReady"]


@pytest.mark.parametrize(
    ("edges", "outcomes"),
    [
        ({"b": after("a"), "c": after("b")}, {"b": "Failed", "c": "Failed"}),
        ({"b": after("a", onFailure="Skip"), "c": after("b")}, {"b": "Skipped", "c": "Skipped"}),
        ({"b": after("a", onFailure="Skip"), "c": after("b", onFailure="Continue")}, {"b": "Skipped", "c": "Merged"}),
        ({"b": after("a", onFailure="Continue"), "c": after("b")}, {"b": "Merged", "c": "Merged"}),
        ({"b": after("a"), "c": after("a", onFailure="Skip"), "d": after("b", "c")}, {"b": "Failed", "d": "Failed"}),
        (
            {"b": after("a", onFailure="Continue"), "c": after("a", onFailure="Skip"), "d": after("b", "c")},
            {"b": "Merged", "c": "Skipped", "d": "Skipped"},
        ),
        ({"b": after("x"), "c": after("a", "x", onFailure="Skip")}, {"b": "Merged", "c": "Skipped"}),
    ],
)
def test_task_2_what_a_failure_does_to_dependents(edges: Edges, outcomes: dict[str, str]) -> None:
    bench = bench_of({"a": [], "x": [], **edges}, failing=("a",))
    for name in ("x", "a", "b", "c", "d"):
        finish(bench, name)
    assert summary(bench, "a") == "Failed"
    assert summary(bench, "x") == "Merged", "what has nothing to do with it is not disturbed"
    assert {name: summary(bench, name) for name in outcomes} == outcomes


def test_task_2_a_skipped_task_is_ready_and_has_not_succeeded() -> None:
    bench = bench_of({"a": [], "b": after("a", onFailure="Skip")}, failing=("a",))
    finish(bench, "a")
    found = {one.type: (one.status, one.reason) for one in bench.object("Task/default/b").conditions}
    assert found["Ready"] == ("True", "DependencySkipped")
    assert found["Succeeded"] == ("False", "DependencySkipped")
    assert "Stalled" not in found
    ended = ending_of(bench.object("Task/default/b"))
    assert ended is not None
    assert "it depends on task a, which has ended as Failed: stage implement: check unit failed" in ended.message


def test_task_3_verified_is_enough_where_it_is_asked_for() -> None:
    bench = bench_of({"a": [], "b": after("a", until="Verified")})
    bench.world.dirty = ("src/a.py",)
    finish(bench, "a")
    assert summary(bench, "a") == "Waiting(MergeQueue)"
    assert working(bench) == {"b"}


def test_task_3_without_a_merge_stage_there_is_nothing_to_wait_for_as_merged() -> None:
    pipeline = builders.admitted("Pipeline", "own", {"stages": [builders.STAGES[0]]})
    for until, outcome in (("Merged", "Failed"), ("Verified", "Merged")):
        bench = bench_of({"b": after("a", until=until)})
        bench.give(pipeline, builders.task("a", pipeline="own"))
        finish(bench, "a")
        finish(bench, "b")
        assert (summary(bench, "a"), summary(bench, "b")) == ("Succeeded", outcome)


def test_git_7_a_missing_dependency_is_waited_for_by_name_and_wakes_when_it_appears() -> None:
    bench = bench_of({"b": after("ghost")})
    because = bench.object("Task/default/b").because
    assert because is not None
    assert because.text == "it depends on task ghost, which does not exist"
    assert "manifests/b.yaml:1" in because.unblock
    bench.give(builders.task("ghost"))
    finish(bench, "ghost")
    assert working(bench) == {"b"}


def test_git_5_what_was_met_stays_met_when_the_other_leaves_git() -> None:
    bench = bench_of({"a": [], "x": [], "b": after("a", "x")})
    finish(bench, "a")
    bench.give(events.ObjectWithdrawn(Key("Task/default/a")))
    assert "Task/default/a" not in bench.machine.state.objects
    finish(bench, "x")
    assert working(bench) == {"b"}
    assert len(bench.recorded(lifecycle.DependencyMet)) == 2


@pytest.mark.parametrize("until", ["Merged", "Verified"])
def test_git_5_a_dependency_that_is_removed_while_it_works_fails_nobody(until: str) -> None:
    bench = bench_of({"a": [], "b": after("a", until=until)})
    bench.give(events.ObjectWithdrawn(Key("Task/default/a")))
    assert summary(bench, "b") == "Waiting(Dependency)"
    bench.give(builders.task("a"))
    finish(bench, "a")
    assert working(bench) == {"b"}


def test_task_4_a_dependent_that_failed_with_its_dependency_goes_on_when_both_are_retried() -> None:
    bench = bench_of({"a": [], "b": after("a")}, failing=("a",))
    finish(bench, "a")
    assert summary(bench, "b") == "Failed"
    bench.give(asking.retry(key="Task/default/b"))
    assert summary(bench, "b") == "Failed", "nothing has changed"
    bench.world.exits = lambda effect: 0
    bench.give(asking.retry(key="Task/default/a"))
    bench.give(asking.retry(key="Task/default/b"))
    assert summary(bench, "b") == "Merged"


def test_task_3_a_dependency_in_another_namespace() -> None:
    bench = bench_of({"b": after("team/a")})
    because = bench.object("Task/default/b").because
    assert because is not None
    assert "team/a" in because.text
    assert [key for key in bench.machine._reads[Key("Task/default/b")] if kind_of(key) == "Task"] == ["Task/team/a"]


def test_task_7_what_waits_holds_no_slot() -> None:
    bench = bench_of({"z": after("y"), "y": after("x"), "x": []})
    bench.give(builders.project(limits={"sessions": 1}))
    for name in "xyz":
        assert working(bench) == {name}
        finish(bench, name)
    assert summary(bench, "z") == "Merged"


def test_task_3_a_task_that_is_edited_to_depend_on_less_starts() -> None:
    bench = bench_of({"b": after("ghost")})
    bench.give(builders.task("b", dependsOn=[]))
    assert working(bench) == {"b"}
