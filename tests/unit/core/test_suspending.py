"""A suspended Task: what still ends, what does not begin, and that everything else can be asked of it (TASK-4)."""

from __future__ import annotations

from typing import Any

import pytest

from orchctl.core import actions, events, lifecycle
from orchctl.core.ids import Key
from orchctl.core.ports import Phase
from orchctl.testing import worlds
from tests.unit.core import asking, builders

TASK = "Task/default/fix"


def verbs(bench: worlds.Bench) -> list[str]:
    return [effect.verb for effect in bench.world.done]


def conditions(bench: worlds.Bench) -> dict[str, str]:
    return {one.type: one.status for one in bench.object(TASK).conditions}


def working(**spec: Any) -> worlds.Bench:
    """A task whose agent runs until the test ends it."""
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    return builders.bench(builders.project(), builders.task(**spec), world=world)


def test_task_4_what_is_suspended_before_it_starts_does_not_start() -> None:
    bench = builders.bench(builders.project(), builders.task(suspend=True))
    assert bench.world.done == []
    because = bench.object(TASK).because
    assert because is not None
    assert (because.rule, because.unblock) == ("TASK-4", "set `spec.suspend: false` in manifests/fix.yaml:1")
    assert builders.body(bench, TASK)["status"]["summary"] == "Suspended"
    assert (conditions(bench)["Suspended"], conditions(bench)["Ready"]) == ("True", "Unknown")
    assert "Waiting" not in conditions(bench)
    bench.give(builders.task(suspend=False))
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert "Suspended" not in conditions(bench)


def test_task_4_a_running_turn_ends_its_work_is_kept_and_no_gate_begins() -> None:
    bench = working()
    bench.give(asking.suspend(reason="freeze"))
    assert verbs(bench)[-1] == "RunAgent", "it is left alone"
    assert conditions(bench)["Suspended"] == "True"
    asking.end_agent(bench)
    assert verbs(bench)[-3:] == ["RunAgent", "CommitLeftovers", "ImportWork"]
    because = bench.object(TASK).because
    assert because is not None
    assert because.text == "suspended by claimed:1000: freeze; next: prepares the gate room"
    assert because.unblock == "`orchctl resume fix`"
    bench.wait(30 * 24 * 3600.0)
    assert verbs(bench)[-1] == "ImportWork"
    bench.world.exits = lambda effect: 0
    bench.give(asking.resume())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_task_4_a_check_that_runs_comes_to_its_end_and_its_verdict_is_kept() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunCheck) else 0)
    bench = builders.bench(builders.project(), builders.task(), world=world)
    bench.give(asking.suspend())
    running = bench.object(TASK).task.checks[-1]  # type: ignore[union-attr]
    bench.give(worlds.ended(Key(TASK), running.id, Phase.SUCCEEDED, 0))
    assert verbs(bench)[-1] == "RunCheck"
    assert [one.state for one in bench.object(TASK).task.stages] == ["Running", "Pending"]  # type: ignore[union-attr]
    bench.give(asking.resume())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert verbs(bench).count("RunCheck") == 1


def test_task_4_a_suspension_gives_up_its_slot_and_asks_for_one_again() -> None:
    world = worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    project = builders.project(limits={"sessions": 1})
    bench = builders.bench(project, builders.task(suspend=True), builders.task("b"), world=world)
    assert bench.object("Task/default/b").task is not None


def test_time_2_a_suspension_ends_once_when_its_time_on_the_wall_has_come() -> None:
    bench = working()
    bench.give(asking.suspend(until=bench.now.at + 3600))
    asking.end_agent(bench)
    bench.world.exits = lambda effect: 0
    bench.wait(3599)
    assert builders.body(bench, TASK)["status"]["summary"] == "Suspended"
    bench.wait(1)
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert len(bench.recorded(lifecycle.SuspensionExpired)) == 1


def test_time_2_a_clock_set_forward_ends_it_and_one_set_back_does_not_begin_it_again() -> None:
    bench = working()
    bench.give(asking.suspend(until=bench.now.at + 3600))
    asking.end_agent(bench)
    bench.set_clock(-7200)
    assert builders.body(bench, TASK)["status"]["summary"] == "Suspended"
    bench.set_clock(+7200 + 3601)
    assert len(bench.recorded(lifecycle.SuspensionExpired)) == 1
    bench.set_clock(-10_000)
    assert len(bench.recorded(lifecycle.SuspensionExpired)) == 1
    assert bench.object(TASK).life.suspension is None


def test_time_3_a_clock_set_by_more_than_a_minute_is_said_once() -> None:
    bench = working()
    bench.set_clock(59)
    assert bench.recorded(lifecycle.ClockJumped) == []
    bench.set_clock(30)
    bench.wait(600)
    [jump] = bench.recorded(lifecycle.ClockJumped)
    assert isinstance(jump, lifecycle.ClockJumped)
    assert jump.seconds == 89


@pytest.mark.parametrize("mode", ["Now", "AfterCleanup", "AfterCurrent"])
def test_task_4_a_suspended_task_can_be_cancelled(mode: str) -> None:
    bench = working()
    bench.give(asking.suspend())
    asking.end_agent(bench)
    bench.give(asking.cancel(mode))
    assert builders.body(bench, TASK)["status"]["summary"] == "Cancelled"
    assert "Suspended" not in conditions(bench)


def test_task_4_a_suspended_task_whose_manifest_goes_ends() -> None:
    bench = working(suspend=False)
    bench.give(asking.suspend(), events.ObjectWithdrawn(Key(TASK)))
    assert TASK not in bench.machine.state.objects


def test_log_2_a_request_counts_once_and_one_that_cannot_be_done_says_why() -> None:
    bench = working()
    again = asking.suspend()
    bench.give(again)
    bench.give(asking.resume())
    bench.give(again)
    assert bench.object(TASK).life.suspension is None
    assert bench.machine.stale == 1
    assert asking.refusal(bench, asking.resume()) == "it is not suspended"
    assert asking.refusal(bench, asking.suspend(key="Task/default/ghost")) == "there is no Task ghost"
    bench.give(builders.task(suspend=True))
    assert "set `spec.suspend: false` in manifests/fix.yaml:1" in asking.refusal(bench, asking.resume())
