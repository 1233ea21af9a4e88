"""When a Task may start and must be done, by the clock on the wall: once, never early, never lost (TIME-2)."""

from __future__ import annotations

from typing import Any

import pytest

from orchctl.core import actions, events, lifecycle, runtime
from orchctl.core.folds.parts import ending_of
from orchctl.core.state import Ending
from orchctl.kit import timestamps
from orchctl.testing import worlds
from tests.unit.core import asking, builders, places

TASK = "Task/default/fix"
NOW = 1_800_000_000.0
HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S


def moment(in_s: float) -> str:
    return timestamps.rfc3339(NOW + in_s)


def bench_of(**spec: Any) -> worlds.Bench:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    return builders.bench(builders.project(), builders.task(**spec), world=world)


def ending(bench: worlds.Bench) -> Ending:
    found = ending_of(bench.object(TASK))
    assert found is not None
    return found


def restart(bench: worlds.Bench) -> None:
    bench.machine = runtime.Runtime(bench.machine.state)
    bench.give(worlds.started())


def test_time_2_it_starts_at_its_time_and_not_a_second_before() -> None:
    bench = bench_of(startAfter=moment(HOUR_S))
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(StartAfter)"
    assert bench.machine.rests, "nobody stays awake for it"
    bench.wait(HOUR_S - 1)
    assert bench.world.done == []
    assert bench.machine.pause_s(bench.now) == 1
    bench.wait(1)
    assert bench.world.done != []


@pytest.mark.parametrize("steps", [(-DAY_S, DAY_S + HOUR_S), (HOUR_S,), (30.0, HOUR_S - 30), (-30.0, HOUR_S + 30)])
def test_time_2_it_starts_once_whatever_is_done_to_the_clock(steps: tuple[float, ...]) -> None:
    bench = bench_of(startAfter=moment(HOUR_S))
    for step in steps:
        assert bench.world.done == []
        bench.set_clock(step)
    assert len(bench.recorded(lifecycle.StartTimeReached)) == 1
    started = len(bench.world.done)
    assert started > 0
    bench.set_clock(-DAY_S)
    bench.wait(10)
    assert len(bench.recorded(lifecycle.StartTimeReached)) == 1


def test_time_2_a_start_that_was_reached_holds_for_a_task_that_then_waits_for_a_slot() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(limits={"sessions": 1}), builders.task("other"), world=world)
    bench.give(builders.task(startAfter=moment(HOUR_S)))
    bench.wait(HOUR_S)
    bench.set_clock(-DAY_S)
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(Capacity)"
    bench.give(builders.task(startAfter=moment(2 * HOUR_S)))
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(StartAfter)", "another time was written"


def test_time_1_a_time_that_came_while_no_controller_ran_is_not_lost() -> None:
    bench = bench_of(startAfter=moment(HOUR_S))
    bench.now = events.Now(at=bench.now.at + DAY_S, t=bench.now.t + DAY_S)
    restart(bench)
    assert len(bench.recorded(lifecycle.StartTimeReached)) == 1


@pytest.mark.parametrize(
    "place",
    [
        one
        for one in places.PLACES
        if one not in ("landed", "merged", "succeeded", "failed", "conflicting", "cancelled", "cancelled_unstarted")
    ],
)
def test_time_2_a_deadline_ends_it_wherever_it_is_and_keeps_the_work(place: str) -> None:
    bench = places.PLACES[place]()
    due = timestamps.rfc3339(bench.now.at + 60)
    bench.give(places.edited(bench, deadline=due))
    assert ending_of(bench.object(TASK)) is None
    bench.wait(60)
    places.go_on(bench)
    assert (ending(bench).outcome, ending(bench).reason) == ("Failed", "DeadlineExceeded")
    assert due in ending(bench).message
    places.check_nothing_is_lost(bench)


def test_time_2_a_deadline_holds_while_suspended_and_for_one_that_is_to_end_after_current() -> None:
    bench = bench_of(deadline=moment(HOUR_S), timeout="3d")
    bench.give(asking.suspend())
    asking.end_agent(bench)
    bench.wait(HOUR_S)
    assert ending(bench).reason == "DeadlineExceeded"
    other = bench_of(deadline=moment(600))
    other.give(asking.cancel("AfterCurrent"))
    other.wait(600)
    assert ending(other).outcome == "Cancelled"
    assert other.now.t == 600, "its agent was not waited for any longer"


def test_time_2_a_deadline_that_passed_is_decided_once_and_not_undone_by_a_clock_that_is_set_back() -> None:
    bench = bench_of(deadline=moment(HOUR_S))
    bench.set_clock(HOUR_S)
    bench.set_clock(-DAY_S)
    assert ending(bench).reason == "DeadlineExceeded"
    assert len(bench.recorded(events.TaskStopping)) == 1
    assert len(bench.recorded(lifecycle.ClockJumped)) == 2


def test_time_2_a_deadline_that_is_moved_counts_at_once() -> None:
    bench = bench_of(deadline=moment(600), timeout="3d")
    bench.give(places.edited(bench, deadline=moment(DAY_S)))
    bench.wait(HOUR_S / 2)
    assert ending_of(bench.object(TASK)) is None
    bench.give(places.edited(bench, deadline=moment(60)))
    assert ending(bench).reason == "DeadlineExceeded"


def test_time_2_a_task_that_missed_its_deadline_is_retried_once_that_is_moved() -> None:
    bench = bench_of(deadline=moment(600))
    bench.wait(600)
    bench.give(asking.retry())
    assert ending(bench).reason == "DeadlineExceeded"
    bench.give(places.edited(bench, deadline=moment(DAY_S)))
    bench.world.exits = lambda effect: 0
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_time_2_alarms_do_not_pile_up() -> None:
    bench = bench_of(deadline=moment(DAY_S))
    for number in range(300):
        bench.give(places.edited(bench, priority=number))
        bench.give(places.edited(bench, priority=number, deadline=moment(DAY_S + number)))
    assert len(bench.machine._alarms._heap) < 100
