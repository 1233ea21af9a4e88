"""The loop: recorded before it is done, nothing lost between turns, and an end that is an end."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence

import pytest

from orchctl.app import driver, scouting
from orchctl.core import actions, events, evolve, runtime, views
from orchctl.core.ids import AttemptId, Key
from orchctl.core.ports import Phase, TransientError
from orchctl.core.state import State
from orchctl.testing import worlds
from tests.unit.core import builders

DEADLINE_S = 20.0
TASK = Key("Task/default/fix")


class FakeClock:
    """Controller time that stands until a test moves it, wherever the wall clock is."""

    def __init__(self) -> None:
        self.t = 0.0

    def now(self) -> events.Now:
        return events.Now(at=1_800_000_000.0 + self.t, t=self.t)


class FakeAdmission:
    """Gives each batch once; an exception in the list is raised instead."""

    def __init__(self, *batches: Sequence[events.Event] | Exception) -> None:
        self.batches = list(batches)
        self.looks = 0

    def facts(self, state: State) -> list[events.Event]:
        self.looks += 1
        batch = self.batches.pop(0) if self.batches else []
        if isinstance(batch, Exception):
            raise batch
        return list(batch)


class FakeLedger:
    def __init__(self) -> None:
        self.log: list[events.Recorded] = []
        self.started: set[str] = set()

    def append(
        self, batch: tuple[events.Recorded, ...], rows: list[views.Row], removed: list[Key], after: State
    ) -> None:
        self.log += batch
        self.started |= {one.event.action.key for one in batch if isinstance(one.event, events.ActionStarted)}

    def kinds(self) -> list[str]:
        return [type(one.event).__name__ for one in self.log]

    def folded(self) -> State:
        state = State()
        for one in self.log:
            state = evolve.evolve(state, one)
        return state


class FakeDoer:
    """A world behind the port of effects. One at a time, as the world is a plain value."""

    def __init__(self, ledger: FakeLedger, world: worlds.World) -> None:
        self.ledger, self.world = ledger, world
        self.lock = threading.Lock()
        self.unrecorded: list[actions.Action] = []
        self.before: Callable[[actions.Action], None] = lambda action: None
        self.descriptor: Callable[[AttemptId], int | None] = lambda attempt: None
        self.seen: Callable[[AttemptId], int | None] = lambda attempt: None
        self.looks = 0
        self.programs: Callable[[scouting.Look], list[events.Event]] = lambda look: []
        self.clean = False

    def execute(self, action: actions.Action) -> list[events.Event]:
        if action.key not in self.ledger.started:
            self.unrecorded.append(action)
        self.before(action)
        with self.lock:
            return self.world.execute(action)

    def look(self, key: Key, attempt: AttemptId, backend: str) -> events.Event | None:
        self.looks += 1
        code = self.seen(attempt)
        phase = Phase.SUCCEEDED if code == 0 else Phase.FAILED
        return None if code is None else worlds.ended(key, attempt, phase, code)

    def exit_fd(self, attempt: AttemptId) -> int | None:
        return self.descriptor(attempt)

    def look_for(self, look: scouting.Look) -> list[events.Event]:
        return self.programs(look)

    def target_is_clean(self, do: actions.LandWork) -> bool:
        return self.clean


class Stage:
    """A driver among fakes. `run` gives up after a deadline, so that a hang is a failure and not a hang."""

    def __init__(self, *batches: Sequence[events.Event] | Exception, world: worlds.World | None = None) -> None:
        self.ledger, self.clock = FakeLedger(), FakeClock()
        self.doer = FakeDoer(self.ledger, world or worlds.World())
        self.admission = FakeAdmission(*batches)
        self.machine = runtime.Runtime(State())
        self.driver: driver.Driver | None = None
        self.shown: Callable[[list[str]], None] = lambda lines: None

    def run(self, *, until_idle: bool = True) -> None:
        async def play() -> None:
            self.driver = driver.Driver(
                self.machine,
                self.ledger,
                self.doer,
                self.admission,
                self.clock,  # type: ignore[arg-type]
                lambda rows, removed, lines: self.shown(lines),
            )
            async with asyncio.timeout(DEADLINE_S):
                await self.driver.run(until_idle=until_idle)

        asyncio.run(play())

    def stop(self) -> None:
        assert self.driver is not None
        self.driver._loop.call_soon_threadsafe(self.driver.stop)


def scene() -> list[events.Event]:
    return [*builders.catalogue(), builders.project(), builders.task()]


def outcome(stage: Stage) -> str | None:
    task = stage.machine.state.objects[TASK].task
    assert task is not None
    return task.ended.outcome if task.ended is not None else None


def test_a_task_runs_to_its_end_and_every_intent_is_recorded_before_it_is_done() -> None:
    stage = Stage(scene())
    stage.run()
    assert outcome(stage) == "Merged"
    assert stage.doer.unrecorded == []
    assert set(stage.doer.world.attempts.values()) == {1}
    assert stage.ledger.folded() == stage.machine.state


def test_until_idle_does_not_wait_for_the_next_look_at_git_to_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "POLL_S", 10 * DEADLINE_S)
    monkeypatch.setattr(driver, "LOOK_S", 10 * DEADLINE_S)
    stage = Stage(scene())
    stage.run()
    assert outcome(stage) == "Merged"


def test_a_fact_that_arrives_while_git_is_read_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at git goes on until an effect has ended meanwhile."""
    monkeypatch.setattr(driver, "POLL_S", 0.0)
    stage = Stage(scene())
    executed = threading.Semaphore(0)
    plain, execute = stage.admission.facts, stage.doer.execute

    def slow(state: State) -> list[events.Event]:
        found = plain(state)
        executed.acquire(timeout=0.05)
        return found

    def counted(action: actions.Action) -> list[events.Event]:
        found = execute(action)
        executed.release()
        return found

    monkeypatch.setattr(stage.admission, "facts", slow)
    monkeypatch.setattr(stage.doer, "execute", counted)
    stage.run()
    assert outcome(stage) == "Merged"
    assert not stage.machine.state.open


def test_stop_records_what_ends_while_it_stops_and_begins_nothing_more() -> None:
    stage = Stage(scene())
    stage.doer.before = lambda action: stage.stop() if isinstance(action.do, actions.CreateTree) else None
    stage.run(until_idle=False)
    assert "TreeCreated" in stage.ledger.kinds()
    assert not any(isinstance(do, actions.RunAgent) for do in stage.doer.world.done)
    assert stage.ledger.folded() == stage.machine.state


def test_what_was_begun_before_the_stop_is_carried_on_by_the_next() -> None:
    stage = Stage(scene())
    stage.doer.before = lambda action: stage.stop() if isinstance(action.do, actions.CreateTree) else None
    stage.run(until_idle=False)
    stage.doer.before = lambda action: None
    stage.machine = runtime.Runtime(stage.ledger.folded())
    stage.run()
    assert outcome(stage) == "Merged"
    assert set(stage.doer.world.attempts.values()) == {1}


def test_a_defect_in_an_effect_stops_the_controller_and_leaves_the_action_open() -> None:
    stage = Stage(scene())

    def before(action: actions.Action) -> None:
        if isinstance(action.do, actions.CreateTree):
            raise ZeroDivisionError("a defect")

    stage.doer.before = before
    with pytest.raises(ZeroDivisionError, match="a defect") as caught:
        stage.run()
    assert any(entry.name == "before" for entry in caught.traceback)
    [key] = stage.machine.state.open.values()
    assert key.startswith("Worktree/")
    assert stage.ledger.folded() == stage.machine.state


def test_a_ledger_that_cannot_be_written_stops_the_controller_before_it_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(scene())

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(stage.ledger, "append", full)
    with pytest.raises(OSError, match="disk full"):
        stage.run()
    assert stage.doer.world.done == []


def test_git_that_is_busy_is_asked_again_and_is_not_idle() -> None:
    busy = TransientError("the ref cannot be read now")
    stage = Stage(busy, busy, busy, scene())
    stage.run()
    assert outcome(stage) == "Merged"


def test_busy_git_is_not_asked_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(*[TransientError("busy")] * 1_000)
    turns = []
    plain = stage.admission.facts

    def counting(state: State) -> list[events.Event]:
        turns.append(1)
        if len(turns) == 4:
            stage.stop()
        return plain(state)

    monkeypatch.setattr(stage.admission, "facts", counting)
    stage.run(until_idle=False)
    assert 4 <= len(turns) <= 6


def test_the_end_of_an_attempt_is_told_by_its_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "LOOK_S", 10 * DEADLINE_S)
    world = worlds.World(exits=lambda do: None if isinstance(do, actions.RunAgent) else 0)
    stage = Stage(scene(), world=world)
    ends: list[int] = []

    def descriptor(attempt: AttemptId) -> int:
        readable, writable = os.pipe()
        os.close(writable)  # readable at once: the attempt has ended
        ends.append(readable)
        return readable

    stage.doer.descriptor, stage.doer.seen = descriptor, lambda attempt: 0
    stage.run()
    assert outcome(stage) == "Merged"
    for end in ends:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)


def test_an_attempt_nothing_tells_of_is_looked_at_again_and_again_but_not_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driver, "LOOK_S", 10 * DEADLINE_S)
    world = worlds.World(exits=lambda do: None if isinstance(do, actions.RunAgent) else 0)
    stage = Stage(scene(), world=world)
    stage.doer.seen = lambda attempt: 0 if stage.doer.looks >= 4 else None
    stage.run()
    assert outcome(stage) == "Merged"
    assert 4 <= stage.doer.looks <= 6


def test_until_idle_does_not_end_while_an_attempt_runs_or_a_timer_is_set() -> None:
    """The first try of an effect fails; only controller time, moved by hand here, lets it be tried again."""
    failed: list[str] = []

    def fail(do: actions.Effect) -> str:
        if isinstance(do, actions.CreateTree) and not failed:
            failed.append(do.verb)
            return "transient: the disk is busy"
        return ""

    stage = Stage(scene(), world=worlds.World(fail=fail))
    moved: list[int] = []

    def shown(lines: list[str]) -> None:
        assert stage.driver is not None
        if failed and not moved:
            moved.append(1)
            stage.driver._loop.call_later(0.05, advance)

    def advance() -> None:
        assert stage.driver is not None
        assert outcome(stage) is None  # it waited: no wall time alone lets it go on
        stage.clock.t += 3_600.0
        stage.driver.hint()

    stage.shown = shown
    stage.run()
    assert moved
    assert outcome(stage) is not None


def test_a_dirty_target_is_watched_until_it_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "TARGET_S", 0.02)
    monkeypatch.setattr(driver, "LOOK_S", 0.02)
    stage = Stage(scene(), world=worlds.World(dirty=("src/a.py",)))

    def clean(do: actions.LandWork) -> bool:
        stage.doer.world.dirty = ()
        return True

    monkeypatch.setattr(stage.doer, "target_is_clean", clean)
    stage.shown = lambda lines: stage.stop() if any("Merged" in line for line in lines) else None
    stage.run(until_idle=False)
    assert outcome(stage) == "Merged"
    assert "TargetCleaned" in stage.ledger.kinds()


def test_a_hint_from_another_thread_makes_it_look_at_git_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "POLL_S", 10 * DEADLINE_S)
    monkeypatch.setattr(driver, "LOOK_S", 10 * DEADLINE_S)
    stage = Stage([], [], scene())
    plain = stage.admission.facts
    threads: list[threading.Thread] = []

    def hinting(state: State) -> list[events.Event]:
        if stage.admission.looks == 1:
            assert stage.driver is not None
            threads.append(threading.Thread(target=stage.driver.hint))
            threads[-1].start()
        return plain(state)

    monkeypatch.setattr(stage.admission, "facts", hinting)
    stage.shown = lambda lines: stage.stop() if any("Merged" in line for line in lines) else None
    stage.run(until_idle=False)
    for thread in threads:
        thread.join()
    assert outcome(stage) == "Merged"
