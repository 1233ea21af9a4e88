"""Slots, file locks and free memory as tasks meet them: who starts, who waits and why (TASK-7, TASK-8)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchctl.core import actions, events
from orchctl.core.capacity import MEMORY
from orchctl.core.ids import Key
from orchctl.core.ports import Phase
from orchctl.testing import worlds
from tests.unit.core import builders

GIB = 1 << 30


def busy_world() -> worlds.World:
    """Agents that work until a test ends them; checks pass."""
    return worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)


def started(bench: worlds.Bench, *names: str) -> list[str]:
    return [name for name in names if bench.object(f"Task/default/{name}").task is not None]


def why(bench: worlds.Bench, name: str):
    because = bench.object(f"Task/default/{name}").because
    assert because is not None
    return because


def end(bench: worlds.Bench, name: str) -> None:
    """The agent of that task ends, and with it the task."""
    key = Key(f"Session/default/{name}-implement-1")
    session = bench.object(key).session
    assert session is not None
    bench.give(worlds.ended(key, session.attempts[0].id, Phase.SUCCEEDED, 0))


def in_order(bench: worlds.Bench) -> list[str]:
    return [one.key.rpartition("/")[2] for one in bench.recorded(events.TaskStarted)]


LIMITED = {
    "Settings": builders.admitted("Settings", "default", {"limits": {"sessions": 1}}),
    "Project": builders.project(limits={"sessions": 1}),
    "Agent": builders.admitted("Agent", "script", {"backend": "script", "limits": {"sessions": 1}}, 2),
    "Role": builders.admitted("Role", "coder", {"limits": {"sessions": 1}}, 2),
}


def with_key(kind: str) -> events.ObjectAdmitted:
    fact = LIMITED[kind]
    return dataclasses.replace(fact, key=Key("Settings//default")) if kind == "Settings" else fact


@pytest.mark.parametrize("kind", LIMITED)
def test_task_7_the_limit_of_each_kind_holds_the_second_and_is_named(kind: str) -> None:
    limit = with_key(kind)
    bench = builders.bench(builders.project(), limit, builders.task("a"), builders.task("b"), world=busy_world())
    assert started(bench, "a", "b") == ["a"]
    because = why(bench, "b")
    assert (because.rule, because.waiting) == ("TASK-7", "Capacity")
    assert "1 of 1 sessions" in because.text
    assert f"`spec.limits.sessions` of {kind}" in because.unblock
    end(bench, "a")
    assert started(bench, "a", "b") == ["a", "b"]


@pytest.mark.parametrize("kind", LIMITED)
def test_task_7_a_limit_that_is_raised_lets_the_next_start_at_once(kind: str) -> None:
    limit = with_key(kind)
    bench = builders.bench(builders.project(), limit, builders.task("a"), builders.task("b"), world=busy_world())
    wider = limit.spec.replace('"sessions":1', '"sessions":2')
    bench.give(dataclasses.replace(limit, spec=wider, spec_digest="wider", generation=limit.generation + 1))
    assert started(bench, "a", "b") == ["a", "b"]


def test_task_7_without_settings_there_are_eight_sessions_and_four_of_a_project() -> None:
    projects = [builders.admitted("Project", name, {"checks": builders.CHECKS}) for name in ("one", "two", "three")]
    tasks = [builders.task(f"{p}{n}", project=p) for p in ("one", "two", "three") for n in range(5)]
    bench = builders.bench(*projects, *tasks, world=busy_world())
    by_project = [len(started(bench, *[f"{p}{n}" for n in range(5)])) for p in ("one", "two", "three")]
    assert sum(by_project) == 8
    assert sorted(by_project) == [2, 3, 3], "the project with the smallest share goes first (TASK-11)"


def test_task_11_priority_goes_before_age_and_an_edit_of_it_counts_at_once() -> None:
    bench = builders.bench(builders.project(limits={"sessions": 1}), builders.task("a"), world=busy_world())
    for name in ("b", "c", "d"):
        bench.wait(1)
        bench.give(builders.task(name))
    bench.give(dataclasses.replace(builders.task("d", priority=5), generation=2))
    for name in ("a", "d", "b"):
        end(bench, name)
    assert in_order(bench) == ["a", "d", "b", "c"]


def test_task_11_the_agent_of_a_later_stage_goes_before_a_start() -> None:
    stages: list[dict[str, Any]] = [
        {"name": "implement", "role": "coder"},
        {"name": "review", "role": "reviewer"},
        {"name": "m", "merge": {}},
    ]
    reviewer = builders.admitted("Role", "reviewer", {"limits": {"sessions": 1}})
    bench = worlds.Bench(world=busy_world())
    bench.give(*builders.catalogue(stages), reviewer, builders.project(limits={"sessions": 2}))
    bench.give(builders.task("a"), builders.task("b"))
    end(bench, "a")
    end(bench, "b")
    assert "role default/reviewer" in why(bench, "b").text
    bench.give(builders.task("c"), builders.task("d"))
    assert started(bench, "c", "d") == ["c"], "who waits for the reviewer holds no slot"
    key = Key("Session/default/a-review-1")
    bench.give(worlds.ended(key, bench.object(key).session.attempts[0].id, Phase.SUCCEEDED, 0))  # type: ignore[union-attr]
    assert Key("Session/default/b-review-1") in bench.machine.state.objects
    assert started(bench, "d") == []


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_task_11_a_task_of_a_small_project_starts_next_beside_a_large_one(count: int) -> None:
    settings = with_key("Settings")
    large = [builders.task(f"t{n}", project="large") for n in range(count)]
    projects = [builders.admitted("Project", name, {"checks": builders.CHECKS}) for name in ("large", "small")]
    limit = dataclasses.replace(settings, spec='{"limits":{"sessions":3}}')
    bench = builders.bench(limit, *projects, *large, world=busy_world())
    bench.wait(60)
    bench.give(builders.task("only", project="small"))
    assert started(bench, "only") == []
    end(bench, in_order(bench)[0])
    assert in_order(bench)[-1] == "only"


def test_task_11_a_tree_of_tasks_that_wait_for_others_comes_to_its_end_with_one_slot() -> None:
    tree = {"root": ["left", "right"], "left": ["a", "b"], "right": ["c", "d"], "a": [], "b": [], "c": [], "d": []}
    tasks = [builders.task(name, dependsOn=[{"task": one} for one in below]) for name, below in tree.items()]
    bench = builders.bench(builders.project(limits={"sessions": 1}), *tasks)
    for name, below in tree.items():
        task = bench.object(f"Task/default/{name}").task
        assert task is not None
        assert task.ended is not None
        assert task.ended.outcome == "Merged"
        for one in below:
            other = bench.object(f"Task/default/{one}").task
            assert other is not None
            assert other.ended is not None
            assert ended_at(bench, one) < started_at(bench, name)


def started_at(bench: worlds.Bench, name: str) -> int:
    key = f"Task/default/{name}"
    return next(one.seq for one in bench.log if isinstance(one.event, events.TaskStarted) and one.event.key == key)


def ended_at(bench: worlds.Bench, name: str) -> int:
    key = f"Task/default/{name}"
    return next(one.seq for one in bench.log if isinstance(one.event, events.TaskEnded) and one.event.key == key)


def test_task_8_overlapping_touches_take_turns_and_others_do_not_wait() -> None:
    tasks = [builders.task("a", touches=["src/**"]), builders.task("b", touches=["src/a.py"])]
    tasks += [builders.task("c", touches=["docs/**"]), builders.task("d")]
    bench = builders.bench(builders.project(), *tasks, world=busy_world())
    assert started(bench, "a", "b", "c", "d") == ["a", "c", "d"]
    because = why(bench, "b")
    assert (because.rule, because.waiting) == ("TASK-8", "FileLock")
    assert "task a" in because.text
    end(bench, "a")
    assert started(bench, "b") == ["b"]


def test_task_8_a_task_that_waits_for_a_person_keeps_its_paths_and_no_slot() -> None:
    project = builders.project([], limits={"sessions": 1})
    bench = builders.bench(project, builders.task("a", touches=["src/**"]))
    assert why(bench, "a").waiting == "Question"
    bench.give(builders.task("b", touches=["src/a.py"]), builders.task("c", touches=["docs/**"]))
    assert started(bench, "b", "c") == ["c"]
    assert why(bench, "b").waiting == "FileLock"
    bench.give(events.ObjectWithdrawn(Key("Task/default/a")))
    assert started(bench, "b") == ["b"]


def test_task_8_paths_of_different_projects_never_overlap() -> None:
    projects = [builders.admitted("Project", name, {"checks": builders.CHECKS}) for name in ("one", "two")]
    tasks = [builders.task(f"t{p}", project=p, touches=["**"]) for p in ("one", "two")]
    bench = builders.bench(*projects, *tasks, world=busy_world())
    assert started(bench, "tone", "ttwo") == ["tone", "ttwo"]


def test_task_8a_a_change_beyond_ones_touches_takes_the_failure_edge_with_the_paths() -> None:
    bench = builders.bench(builders.project(), builders.task(touches=["docs/**"]))
    task = bench.object("Task/default/fix").task
    assert task is not None
    assert task.ended is not None
    assert (task.ended.outcome, task.ended.reason) == ("Failed", "OutsideTouches")
    assert "src/a.py" in task.ended.message
    runs = [one for one in bench.world.done if isinstance(one, actions.RunAgent)]
    assert len(runs) == 3
    assert "docs/**" in runs[1].prompt, "the agent is told what it may change"


def test_task_8a_a_change_within_ones_touches_is_merged() -> None:
    bench = builders.bench(builders.project(), builders.task(touches=["docs/**", "src/*.py"]))
    assert bench.object("Task/default/fix").task.ended.outcome == "Merged"  # type: ignore[union-attr]


def test_task_7_nothing_starts_while_memory_is_short() -> None:
    bench = builders.bench(builders.project(), world=busy_world())
    bench.give(events.MemoryObserved(MEMORY, free=GIB, wanted=2 * GIB, short=True))
    bench.give(builders.task("a"), builders.task("b"))
    assert started(bench, "a", "b") == []
    because = why(bench, "a")
    assert because.waiting == "Capacity"
    assert "1.0 GiB" in because.text
    assert "`spec.minFreeMemory`" in because.unblock
    bench.give(events.MemoryObserved(MEMORY, free=3 * GIB, wanted=2 * GIB, short=False))
    assert started(bench, "a", "b") == ["a", "b"]


def test_i2_a_wait_that_ends_by_itself_takes_a_slot_again_before_work_goes_on() -> None:
    """Three tasks wait for checks without slots; when checks come, their gates run one after the other."""
    world = worlds.World()
    bench = builders.bench(builders.project([], limits={"sessions": 1}), *map(builders.task, "abc"), world=world)
    world.exits = lambda effect: None
    bench.give(builders.project(builders.CHECKS, limits={"sessions": 1}))
    running = [one for one in bench.world.done if isinstance(one, actions.RunCheck)]
    assert len(running) == 1
    assert [why(bench, name).waiting for name in "abc"].count("Capacity") == 2


def test_log_3_a_machine_started_again_counts_the_same_and_tells_everybody_the_same() -> None:
    tasks = [builders.task(f"t{n}", touches=[f"src/{n % 3}/**"]) for n in range(12)]
    bench = builders.bench(builders.project(), *tasks, world=busy_world())
    counted = bench.machine._admitting.capacity
    assert counted.is_recount_of(bench.machine.state.objects.values())
    again = worlds.Bench(world=bench.world, machine=type(bench.machine)(bench.machine.state), now=bench.now)
    again.give(events.ControllerStarted(Key("Source//control"), release="x"))
    said = [one for one in again.log if isinstance(one.event, events.Decision)]
    assert said == []
    again.world.paths = ("src/0/x",)
    end(again, "t0")
    assert again.recorded(events.TaskStarted)
