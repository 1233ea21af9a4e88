"""LOG-1, F10: turns are written beside the loop, in order, and nothing is shown or done before it is on the disk."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from orchctl.app import pressure
from orchctl.core import actions, events
from orchctl.core.ids import SOURCE, Key
from orchctl.core.ports import Phase
from orchctl.core.state import State
from orchctl.testing import worlds
from tests.unit.app import test_driver
from tests.unit.core import builders

SYNC_S = 0.02  # what a slow disk takes for each commit
TASKS = 6


class SlowLedger(test_driver.FakeLedger):
    """Each commit takes as long as a sync of a slow disk, and longer when the loop does nothing meanwhile."""

    def __init__(self, stage: test_driver.Stage) -> None:
        super().__init__()
        self.outcomes: list[int] = []  # in each commit
        self.order: list[str] = []
        self._stage = stage
        stage.ledger = stage.doer.ledger = self
        stage.shown = lambda lines: self.order.append("shown")

    def append(self, batch, rows, removed, after) -> None:
        assert self._stage.driver is not None
        answered = threading.Event()
        self._stage.driver._loop.call_soon_threadsafe(answered.set)
        assert answered.wait(test_driver.DEADLINE_S), "the loop waits for the disk"
        threading.Event().wait(SYNC_S)
        super().append(batch, rows, removed, after)
        self.outcomes.append(sum(isinstance(one.event, events.Outcome) for one in batch))
        self.order.append("written")


def scene() -> list[events.Event]:
    tasks = [builders.task(f"fix{n}") for n in range(TASKS)]
    return [*builders.catalogue(), builders.project(None, limits={"sessions": TASKS}), *tasks]


def test_log1_facts_that_come_during_a_commit_are_the_next_batch_and_the_loop_goes_on() -> None:
    stage = test_driver.Stage(scene())
    slow = SlowLedger(stage)
    stage.run()
    ended = [obj.task.ended.outcome for obj in stage.machine.state.objects.values() if obj.task and obj.task.ended]
    assert ended == ["Merged"] * TASKS
    assert max(slow.outcomes) >= 3
    assert len(slow.outcomes) < sum(slow.outcomes), "fewer commits than outcomes"
    assert stage.ledger.folded() == stage.machine.state


def test_log1_nothing_is_shown_or_done_before_its_turn_is_written() -> None:
    stage = test_driver.Stage(scene())
    slow = SlowLedger(stage)
    stage.run()
    assert slow.order == ["written", "shown"] * len(slow.outcomes)
    assert stage.doer.unrecorded == []


def test_f11_a_ledger_that_fails_is_written_to_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = test_driver.Stage(scene())
    calls: list[int] = []

    def failing(*_: object) -> None:
        calls.append(1)
        raise OSError("Input/output error")

    monkeypatch.setattr(stage.ledger, "append", failing)
    with pytest.raises(OSError, match="Input/output"):
        stage.run()
    assert calls == [1]
    assert stage.doer.world.done == []


# --- F10: a full disk -------------------------------------------------------------------------------------------


class Reserve:
    def __init__(self) -> None:
        self.has_room = True

    def make(self) -> bool:
        return self.has_room


class NoNews:
    def facts(self, state: State) -> Sequence[events.Event]:
        return []


def test_f10_a_disk_is_said_to_be_full_and_to_have_room_once_each() -> None:
    reserve = Reserve()
    watch = pressure.DiskWatch(reserve, "/state", NoNews())  # type: ignore[arg-type]
    assert watch.facts(State()) == []
    reserve.has_room = False
    [pressed] = watch.facts(State())
    assert pressed == events.DiskPressed(SOURCE, message="the disk of /state is nearly full")
    assert watch.facts(State(pressed="x")) == []
    reserve.has_room = True
    assert watch.facts(State(pressed="x")) == [events.DiskEased(SOURCE)]


def test_f10_task7_under_disk_pressure_what_runs_goes_on_and_nothing_new_begins_until_there_is_room() -> None:
    world = worlds.World(exits=lambda do: None if isinstance(do, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(), builders.task("first"), world=world)
    assert bench.object("Session/default/first-implement-1").session is not None
    bench.give(events.DiskPressed(SOURCE, message="the disk of /state is nearly full"))
    bench.give(events.DiskPressed(SOURCE, message="again"))
    bench.give(builders.task("second"))
    waiting = bench.object("Task/default/second")
    assert waiting.because is not None
    assert (waiting.because.rule, waiting.because.waiting) == ("TASK-7", "DiskPressure")
    assert "the disk of /state is nearly full" in waiting.because.text
    attempt = bench.object("Session/default/first-implement-1").session.attempts[0].id  # type: ignore[union-attr]
    bench.give(worlds.ended(Key("Session/default/first-implement-1"), attempt, Phase.SUCCEEDED, 0))
    assert bench.object("Task/default/first").task.ended.outcome == "Merged"  # type: ignore[union-attr]
    assert bench.object("Task/default/second").task is None
    bench.give(events.DiskEased(SOURCE))
    assert bench.object("Task/default/second").task is not None
    assert len(bench.recorded(events.DiskPressed)) == len(bench.recorded(events.DiskEased)) == 1


def test_f10_the_terminal_is_told() -> None:
    stage = test_driver.Stage(scene(), [events.DiskPressed(SOURCE, message="the disk of /state is nearly full")])
    said: list[str] = []
    stage.shown = said.extend
    stage.run()
    assert "source/control DiskPressure: the disk of /state is nearly full" in said
