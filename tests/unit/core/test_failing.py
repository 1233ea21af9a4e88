"""When a stage is tried again, when not, and what follows then (TASK-5, TASK-10)."""

from __future__ import annotations

from typing import Any

import pytest

from orchctl.core import actions, events, lifecycle
from orchctl.core.folds.parts import ending_of
from orchctl.core.state import Ending, TaskState
from orchctl.testing import worlds
from tests.unit.core import asking, builders, places

TASK = "Task/default/fix"


def red(**said: Any) -> worlds.World:
    return worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0, **said)


def bench_of(then: str, limit: int = 1, world: worlds.World | None = None, **spec: Any) -> worlds.Bench:
    edge = {"goto": "implement", "limit": limit, "then": then}
    stages = [{**builders.STAGES[0], "onFailure": edge}, builders.STAGES[1]]
    pipeline = builders.admitted("Pipeline", "own", {"stages": stages})
    return builders.bench(pipeline, builders.project(), builders.task(pipeline="own", **spec), world=world or red())


def task(bench: worlds.Bench) -> TaskState:
    found = bench.object(TASK).task
    assert found is not None
    return found


def ending(bench: worlds.Bench) -> Ending:
    found = ending_of(bench.object(TASK))
    assert found is not None
    return found


def runs(bench: worlds.Bench) -> int:
    return len([one for one in bench.world.done if isinstance(one, actions.RunAgent)])


def unchanging() -> worlds.World:
    """Agents that make the same of it each time."""
    world = red()
    work = world.execute

    def same(action: actions.Action) -> list[events.Event]:
        world.work = 0
        return work(action)

    world.execute = same  # type: ignore[method-assign]
    return world


def test_task_10_a_task_makes_ten_attempts_at_most() -> None:
    bench = bench_of("Fail", limit=20)
    assert runs(bench) == 10
    assert (ending(bench).outcome, ending(bench).reason) == ("Failed", "AttemptsExhausted")
    said = "it has made its 10 attempts: raise `spec.attempts` in manifests/fix.yaml:1 first"
    assert asking.refusal(bench, asking.retry()) == said
    bench.give(places.edited(bench, attempts=12))
    bench.give(asking.retry())
    assert runs(bench) == 12


def test_task_10_retries_count_as_well() -> None:
    bench = bench_of("Fail", limit=0, attempts=3)
    for _ in range(5):
        if not asking.refusal(bench, asking.retry()):
            bench.give(asking.retry())
    assert runs(bench) == 3


@pytest.mark.parametrize(("limit", "wanted"), [(0, 1), (1, 2), (4, 5)])
def test_task_5_loops_are_capped_by_the_pipeline(limit: int, wanted: int) -> None:
    bench = bench_of("Fail", limit=limit)
    assert runs(bench) == wanted
    assert ending(bench).reason == "GateFailed"


def test_task_5_it_stops_early_when_the_work_and_the_findings_are_the_same_twice() -> None:
    bench = bench_of("Fail", limit=9, world=unchanging())
    assert runs(bench) == 2
    assert ending(bench).reason == "NoProgress"
    assert "check unit failed" in ending(bench).message


def test_task_5_an_agent_that_crashes_twice_is_not_stuck() -> None:
    world = unchanging()
    world.exits = lambda effect: 1 if isinstance(effect, actions.RunAgent) else 0
    bench = bench_of("Fail", limit=4, world=world)
    assert runs(bench) == 5


def test_task_5_after_a_retry_the_same_findings_are_a_first_time() -> None:
    bench = bench_of("Fail", limit=9, world=unchanging())
    bench.give(asking.retry())
    assert runs(bench) == 4


def test_task_5_ask_waits_for_a_person_who_can_retry_or_cancel() -> None:
    bench = bench_of("Ask")
    because = bench.object(TASK).because
    assert because is not None
    assert (because.rule, because.waiting) == ("TASK-5", "Question")
    assert "orchctl retry fix" in because.unblock
    assert "orchctl cancel fix" in because.unblock
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(Question)"
    bench.wait(30 * 24 * 3600.0)
    assert task(bench).ended is None
    bench.world.exits = lambda effect: 0
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    other = bench_of("Ask")
    other.give(asking.cancel())
    assert ending(other).outcome == "Cancelled"


def test_task_5_ask_is_for_every_failure_that_is_not_tried_again() -> None:
    stages = [builders.STAGES[0], {"name": "merge", "merge": {}, "onFailure": {"goto": "merge", "then": "Ask"}}]
    pipeline = builders.admitted("Pipeline", "own", {"stages": stages})
    facts = (pipeline, builders.project(), builders.task(pipeline="own"))
    bench = builders.bench(*facts, world=worlds.World(conflicts=("src/a.py",)))
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(Question)"
    bench.world.conflicts = ()
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_task_5_continue_goes_on_and_nothing_red_lands() -> None:
    bench = bench_of("Continue")
    assert bench.recorded(lifecycle.StageContinued)
    assert [one.state for one in task(bench).stages] == ["Failed", "Failed"]
    assert ending(bench).outcome == "Failed"
    assert "LandWork" not in [one.verb for one in bench.world.done]
    assert {one.type: one.status for one in bench.object(TASK).conditions}["Verified"] == "False"


def test_task_5_continue_leaves_a_stage_that_only_tells() -> None:
    stages = [
        {"name": "lint", "gates": [{"command": {"run": "lint"}}], "onFailure": {"goto": "lint", "then": "Continue"}},
        {"name": "implement", "role": "coder"},
    ]
    pipeline = builders.admitted("Pipeline", "own", {"stages": stages})
    bench = builders.bench(pipeline, builders.project(), builders.task(pipeline="own"), world=red())
    assert [one.state for one in task(bench).stages] == ["Failed", "Passed"]
    assert ending(bench).outcome == "Succeeded"
