"""Whatever waits, holds and ends in whatever order: limits and locks hold, nothing is idle that could work, all get
their turn (TASK-11, I2, I12, L4). The waiting sets are compared with the plainest way to do the same: ask everybody."""

from __future__ import annotations

import dataclasses
import itertools

import hypothesis
from hypothesis import strategies

from orchctl.core import events
from orchctl.core.admit import Admitting
from orchctl.core.claims import Wants
from orchctl.core.ids import Key, key_of
from orchctl.core.locks import overlap
from orchctl.core.plan import ALL_SESSIONS, Plan, StagePlan
from orchctl.core.state import Desired, Ending, MemoryShort, Object, State, TaskState

NOW = events.Now(at=0.0, t=0.0)
PROJECTS = ("one", "two", "three")
AGENTS = ("claude", "codex")
TOUCHES = ((), (), ("src/**",), ("src/a/**",), ("src/a/x.py", "docs/**"), ("docs/b",), ("**",))


@dataclasses.dataclass(frozen=True)
class Job:
    name: str
    project: str
    agent: str
    touches: tuple[str, ...]
    priority: int
    stage: int
    age: int
    requested: bool

    @property
    def key(self) -> Key:
        return key_of("Task", "default", self.name)

    @property
    def plan(self) -> Plan:
        stage = StagePlan(name="s", limited_by=(Key(f"Agent//{self.agent}"),))
        project = f"default/{self.project}"
        made = Plan(project, ".", "main", "b", "t", "p", stages=(stage,))
        return dataclasses.replace(made, touches=self.touches)

    @property
    def wants(self) -> Wants:
        return Wants(self.plan.slots(0), self.touches, self.stage, self.priority, self.requested)

    def waiting(self) -> Object:
        return Object(self.key, created=events.Now(at=0.0, t=float(self.age)))

    def working(self) -> Object:
        task = TaskState(self.plan, NOW, stages=(), slots=self.plan.slots(0))
        return dataclasses.replace(self.waiting(), task=task)

    def ended(self) -> Object:
        obj = self.working()
        assert obj.task is not None
        ended = dataclasses.replace(obj.task, slots=(), ended=Ending("Merged", "Merged", "", NOW))
        return dataclasses.replace(obj, task=ended)


def limiting(key: Key, limit: int) -> Object:
    spec = f'{{"limits":{{"sessions":{limit}}}}}'
    return Object(key, created=NOW, desired=Desired("u", 1, spec, spec, "p", 1, "b", (), ()))


class Model:
    """The waiting sets beside a plain list of who waits and who works."""

    def __init__(self, limits: dict[Key, int]) -> None:
        self.limits = dict(limits)
        self.working: dict[Key, Job] = {}
        self.waiting: dict[Key, Job] = {}
        self.order: list[str] = []
        self.short = False
        self.admitting = Admitting(State(objects={key: limiting(key, limit) for key, limit in limits.items()}))

    def used(self, slot: Key) -> int:
        return sum(slot in job.plan.slots(0) for job in self.working.values())

    def may_start(self, job: Job) -> bool:
        room = all(self.used(slot) < self.limits[slot] for slot in job.plan.slots(0))
        others = (one for one in self.working.values() if one.project == job.project)
        return room and not self.short and not any(overlap(one.touches, job.touches) for one in others)

    def place(self, job: Job) -> tuple[object, ...]:
        rank = (not job.requested, -job.stage, -job.priority)
        return (*rank, self.used(job.plan.slots(0)[1]), job.age, job.key)

    def come(self, job: Job) -> None:
        self.waiting[job.key] = job
        self.admitting.enter(job.waiting(), job.wants)

    def settle(self) -> None:
        while (first := self.admitting.first()) is not None:
            eligible = [job for job in self.waiting.values() if self.may_start(job)]
            assert eligible, f"{first} was let ahead and may not be"
            assert min(eligible, key=self.place).key == first, "the first in order goes first"
            job = self.waiting.pop(first)
            assert self.admitting.leave(first) == job.wants
            self.admitting.moved(job.waiting(), job.working())
            self.working[first] = job
            self.order.append(job.name)
            self.check()
        assert not [job for job in self.waiting.values() if self.may_start(job)], "idle while somebody could work"
        for job in self.waiting.values():
            because = self.admitting.refusal(job.waiting())
            assert because.waiting in ("Capacity", "FileLock")
            assert because.rule in ("TASK-7", "TASK-8")
            assert because.unblock

    def check(self) -> None:
        assert all(self.used(slot) <= limit for slot, limit in self.limits.items())
        for one, other in itertools.combinations(self.working.values(), 2):
            assert one.project != other.project or not overlap(one.touches, other.touches)
        assert {slot: self.used(slot) for slot in self.limits if self.used(slot)} == self.admitting.capacity.used

    def end(self, which: int) -> None:
        if self.working:
            job = self.working.pop(list(self.working)[which % len(self.working)])
            self.admitting.moved(job.working(), job.ended())

    def withdraw(self, which: int) -> None:
        if self.waiting:
            self.admitting.leave(self.waiting.pop(list(self.waiting)[which % len(self.waiting)]).key)

    def limit(self, which: int, limit: int) -> None:
        key = list(self.limits)[which % len(self.limits)]
        before = limiting(key, self.limits[key])
        self.limits[key] = max(limit, self.used(key), 1)  # one that is lowered below its use holds nobody's invariant
        self.admitting.moved(before, limiting(key, self.limits[key]))

    def memory(self, short: bool) -> None:
        self.short = short
        self.admitting.observed(State(memory=MemoryShort(1, 2) if short else None))


JOBS = strategies.builds(
    Job,
    name=strategies.just(""),
    project=strategies.sampled_from(PROJECTS),
    agent=strategies.sampled_from(AGENTS),
    touches=strategies.sampled_from(TOUCHES),
    priority=strategies.integers(-1, 1),
    stage=strategies.integers(0, 2),
    age=strategies.integers(0, 3),
    requested=strategies.booleans(),
)
SLOTS = (
    ALL_SESSIONS,
    *(key_of("Project", "default", name) for name in PROJECTS),
    *(Key(f"Agent//{a}") for a in AGENTS),
)
LIMITS = strategies.fixed_dictionaries({slot: strategies.integers(1, 4) for slot in SLOTS})
DOINGS = strategies.lists(
    strategies.tuples(
        strategies.sampled_from(["end", "end", "withdraw", "limit", "short", "free"]), strategies.integers(0, 9)
    ),
    max_size=25,
)


def named(jobs: list[Job]) -> list[Job]:
    return [dataclasses.replace(job, name=f"t{number}") for number, job in enumerate(jobs)]


@hypothesis.settings(deadline=None, database=None, max_examples=200)
@hypothesis.given(jobs=strategies.lists(JOBS, max_size=25), limits=LIMITS, doings=DOINGS)
def test_l4_i2_i12_no_limit_or_lock_is_broken_and_nothing_is_idle_that_could_work(jobs, limits, doings) -> None:
    model = Model(limits)
    coming = named(jobs)
    for job in coming[::2]:
        model.come(job)
    model.settle()
    later = coming[1::2]
    for doing, which in doings:
        match doing:
            case "end":
                model.end(which)
            case "withdraw":
                model.withdraw(which)
            case "limit":
                model.limit(which, which % 5)
            case _:
                model.memory(doing == "short")
        if later:
            model.come(later.pop())
        model.settle()
    model.memory(False)
    for _ in range(len(jobs) + 1):
        model.settle()
        model.end(0)
    assert not model.waiting, "everybody has had a turn"
    assert not model.working
    assert model.admitting.capacity.used == {}


@hypothesis.settings(deadline=None, database=None)
@hypothesis.given(
    jobs=strategies.lists(JOBS, max_size=15), limits=LIMITS, shuffled=strategies.randoms(use_true_random=False)
)
def test_task_11_the_order_of_coming_in_one_turn_changes_nothing(jobs, limits, shuffled) -> None:
    orders = []
    for given in (named(jobs), shuffled.sample(named(jobs), len(jobs))):
        model = Model(limits)
        for job in given:
            model.come(job)
        model.settle()
        while model.working:
            model.end(0)
            model.settle()
        orders.append(model.order)
    assert orders[0] == orders[1]


def test_task_11_many_that_touch_the_same_wait_as_one() -> None:
    """A thousand behind one lock: the end of its holder lets one of them ahead and asks no other."""
    model = Model(dict.fromkeys(SLOTS, 100))
    for number in range(1_000):
        model.come(Job(f"t{number}", "one", "claude", ("src/**",), 0, 0, number, False))
    model.settle()
    assert len(model.working) == 1
    model.end(0)
    locks = model.admitting.capacity.locks
    conflict, asked = locks.conflict, []

    def counted(project: str, touches: tuple[str, ...]) -> Key | None:
        asked.append(touches)
        return conflict(project, touches)

    locks.conflict = counted  # type: ignore[method-assign, assignment]
    assert model.admitting.first() == Key("Task/default/t1")
    assert len(asked) == 1
