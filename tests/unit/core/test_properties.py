"""Whatever the world does, in whatever order: what holds after every step of the machine, and that it all ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import hypothesis
from hypothesis import strategies

from orchctl.core import actions, events, evolve, runtime, views
from orchctl.core.folds.parts import attempts_of, ending_of
from orchctl.core.ids import AttemptId, Key, kind_of
from orchctl.core.kinds import gates, stopping
from orchctl.core.ports import Phase
from orchctl.core.state import Object, State
from orchctl.testing import worlds
from tests.unit.core import asking, builders

CHECKS = [{"name": "unit", "run": "make test"}, {"name": "lint", "run": "make lint"}]
TASKS = ("fix", "add")
STEPS_MAX = 400
ROUNDS_MAX = 60  # of waiting an hour, after the world has stopped misbehaving
HOUR_S = 3_600.0

# How one effect goes. Fine is more likely than each fault, so that lives get far enough to have something to lose.
FINE = "fine"
GOINGS = [FINE] * 6 + ["transient", "permanent", "bad", "hang", "hang", "doubled", "moved"]
DOINGS = ["rest", "wait", "wait", "jump", "end", "end", "lose", "late", "clean", "withdraw", "restart", "edit"]
DOINGS += ["ask", "ask", "ask", "clock"]


@dataclasses.dataclass(slots=True)
class Life:
    """A machine in a world that misbehaves by the dice, checked after every step."""

    goings: list[str]
    bench: worlds.Bench = dataclasses.field(default_factory=worlds.Bench)
    folded: State = dataclasses.field(default_factory=State)
    rows: dict[Key, views.Row] = dataclasses.field(default_factory=dict)
    delivered: list[events.Event] = dataclasses.field(default_factory=list)

    @property
    def state(self) -> State:
        return self.bench.machine.state

    def give(self, *facts: events.Event) -> None:
        """Hand facts in and carry out what follows until the machine rests."""
        pending = list(facts)
        for _ in range(STEPS_MAX):
            # Only what comes from the world can come late or twice: admission makes its facts one after the other.
            self.delivered += [fact for fact in pending if isinstance(fact, events.Outcome | events.AttemptEnded)]
            step = self.bench.machine.step(pending, self.bench.now)
            self.check(step)
            pending = [fact for action in step.actions for fact in self.execute(action)]
            if not pending:
                return
        raise AssertionError(f"no rest after {STEPS_MAX} steps")

    def execute(self, action: actions.Action) -> list[events.Event]:
        going = self.goings.pop() if self.goings else FINE
        world = self.bench.world
        world.fail = lambda do: f"{going}: it fails" if going in ("transient", "permanent") else ""
        world.exits = lambda do: {"bad": 1, "hang": None}.get(going, 0)
        world.conflicts = ("src/a.py",) if going == "bad" else ()
        world.dirty = ("src/a.py",) if going == "bad" else ()
        if going == "moved":
            world.target = worlds.oid("target", world.target)
        found = world.execute(action)
        return [*found, *found] if going == "doubled" else found

    # --- what holds after every step ------------------------------------------------------------------------------

    def check(self, step: runtime.Step) -> None:
        self.bench.log += step.recorded
        for one in step.recorded:
            self.check_because(one.event)
            self.folded = evolve.evolve(self.folded, one)
        assert self.folded == self.state, "what is recorded folds to the state"
        for key in step.touched:
            obj = self.state.objects.get(key)
            if obj is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = views.row(self.state, obj)
        assert self.rows == {key: views.row(self.state, obj) for key, obj in self.state.objects.items()}
        assert all(count == 1 for count in self.bench.world.attempts.values()), "an attempt is started at most once"
        assert not [obj.stalled for obj in self.state.objects.values() if obj.stalled]
        for action in step.actions:
            if isinstance(action.do, actions.LandWork):
                self.check_verified(action, action.do)
        for key, obj in self.state.objects.items():
            if kind_of(key) == "Task":
                check_task(obj)

    def check_because(self, event: events.Event) -> None:
        if isinstance(event, events.Explained):
            assert event.because != self.folded.objects[event.key].because, "the same answer is not given twice"

    def check_verified(self, action: actions.Action, do: actions.LandWork) -> None:
        task = self.state.objects[action.object].task
        assert task is not None
        assert task.candidate is not None
        assert (do.new, do.old) == (task.candidate.commit, task.candidate.target)
        checks = gates.checks_of(task)
        assert {check.name for check in checks} == {"unit", "lint"}
        for check in checks:
            evidence = gates.evidence_for(task, check, task.candidate.tree)
            assert evidence is not None, f"{check.name} has seen what lands"
            assert evidence.passed

    # --- what the world does by itself ----------------------------------------------------------------------------

    def do(self, doing: str, which: int) -> None:
        match doing:
            case "wait":
                self.wait(float(1 + which * 7))
            case "jump":
                self.wait(which * HOUR_S)
            case "end" | "lose":
                self.end(which, Phase.LOST if doing == "lose" else Phase.FAILED if which % 3 == 0 else Phase.SUCCEEDED)
            case "late" if self.delivered:
                self.give(self.delivered[-1 - which % len(self.delivered)])
            case "clean":
                self.give(*[events.TargetCleaned(key) for key in self.tasks()])
            case "withdraw" if tasks := self.tasks():
                self.give(events.ObjectWithdrawn(tasks[which % len(tasks)]))
            case "edit":
                self.give(self.edited(TASKS[which % 2], which))
            case "restart":
                self.restart()
            case "ask":
                self.ask(which)
            case "clock":
                now = self.bench.now
                self.bench.now = events.Now(at=now.at + (which - 5) * HOUR_S, t=now.t)
                self.give()
            case _:
                self.give()

    def ask(self, which: int) -> None:
        """What a person asks for, if it can be done as things stand: a refusal is a fact as well."""
        if not (tasks := self.tasks()):
            return
        key = tasks[which % len(tasks)]
        modes = stopping.MODES
        request = [
            asking.suspend(key=key),
            asking.suspend(key=key, until=self.bench.now.at + HOUR_S),
            asking.resume(key),
            *(asking.cancel(mode, key=key) for mode in modes),
            asking.retry(key=key),
            asking.retry("implement", key=key),
        ][which % 8]
        reason = asking.refusal(self.bench, request)
        self.give(asking.refused(request, reason) if reason else request)

    def edited(self, name: str, which: int) -> events.ObjectAdmitted:
        """A new spec, as admission gives it: the uid stays while the object does, and is never given again."""
        fact = builders.task(name, priority=which * 10)
        obj = self.state.objects.get(fact.key)
        if obj is not None and obj.desired is not None:
            return dataclasses.replace(fact, uid=obj.desired.uid, generation=obj.desired.generation + 1)
        return dataclasses.replace(fact, uid=f"uid-{name}-{self.state.seq}")

    def tasks(self) -> list[Key]:
        return [key for key in self.state.objects if kind_of(key) == "Task"]

    def wait(self, seconds: float) -> None:
        now = self.bench.now
        self.bench.now = events.Now(at=now.at + seconds, t=now.t + seconds)
        self.give()

    def running(self) -> list[tuple[Key, AttemptId]]:
        return [(obj.key, one.id) for obj in self.state.objects.values() for one in attempts_of(obj) if not one.ended]

    def end(self, which: int, phase: Phase) -> None:
        running = self.running()
        if running:
            key, attempt = running[which % len(running)]
            code = {Phase.SUCCEEDED: 0, Phase.FAILED: 1}.get(phase)
            self.give(worlds.ended(key, attempt, phase, code))

    def restart(self) -> None:
        """A machine at rest that is folded again has nothing new to say."""
        self.bench.machine = runtime.Runtime(self.folded)
        step = self.bench.machine.step([worlds.started()], self.bench.now)
        assert [one.event for one in step.recorded] == [worlds.started()]
        assert step.actions == ()
        self.check(step)

    def come_to_an_end(self) -> None:
        self.goings.clear()
        for key in self.tasks():
            if self.state.objects[key].life.suspension is not None:
                self.give(asking.resume(key))
        for _ in range(ROUNDS_MAX):
            while running := self.running():
                self.end(0, Phase.SUCCEEDED)
                assert len(self.running()) < len(running) or self.running() != running
            self.give(*[events.TargetCleaned(key) for key in self.tasks()])
            if not any(is_unfinished(obj) for obj in self.state.objects.values()):
                return
            self.wait(HOUR_S)
        left = [(obj.key, obj.because) for obj in self.state.objects.values() if is_unfinished(obj)]
        raise AssertionError(f"not ended: {left}")


def check_task(obj: Object) -> None:
    task = obj.task
    assert obj.because is not None
    assert obj.because.text.strip(), "there is always an answer to why"
    if task is not None and task.ended is not None:
        assert obj.open is None or isinstance(obj.open.do, actions.RemoveTree)
        assert not [one for one in task.checks if one.ended is None], "no check outlives its task"
        assert (task.ended.outcome == "Merged") == (task.landed is not None)


def is_unfinished(obj: Object) -> bool:
    return kind_of(obj.key) == "Task" and ending_of(obj) is None


@hypothesis.settings(deadline=None, max_examples=60, database=None)
@hypothesis.given(
    goings=strategies.lists(strategies.sampled_from(GOINGS), max_size=50),
    doings=strategies.lists(strategies.tuples(strategies.sampled_from(DOINGS), strategies.integers(0, 9)), max_size=15),
)
def test_whatever_the_world_does(goings: list[str], doings: Sequence[tuple[str, int]]) -> None:
    """LOG-3, LOG-8, GATE-1, MRG-1, TASK-2, TASK-4, GIT-5."""
    life = Life(goings)
    life.give(*builders.catalogue(), builders.project(CHECKS), *map(builders.task, TASKS))
    for doing, which in doings:
        life.do(doing, which)
    life.come_to_an_end()
    life.restart()


def test_a_world_without_faults_merges_all_of_it() -> None:
    life = Life([])
    life.give(*builders.catalogue(), builders.project(CHECKS), *map(builders.task, TASKS))
    life.come_to_an_end()
    ended = [obj.task.ended for obj in life.state.objects.values() if obj.task is not None]
    assert [one.outcome for one in ended if one is not None] == ["Merged", "Merged"]
