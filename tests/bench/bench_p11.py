"""P11: who is next among 100,000 tasks that wait; the floor is a bare heap with counters, which knows no reasons.

Decisions: the waiting sets alone, when one ends and the next is let ahead. Steps: the same on the real machine, with
the end folded and the next one resolved, started and explained; the floor is the machine itself among 1,000.
"""

from __future__ import annotations

import collections
import dataclasses
import heapq
from collections.abc import Callable, Iterable
from pathlib import Path

from orchctl.core import actions, events
from orchctl.core.admit import Admitting
from orchctl.core.capacity import SESSIONS_MAX
from orchctl.core.claims import Wants
from orchctl.core.ids import Key, key_of
from orchctl.core.plan import Plan, StagePlan
from orchctl.core.state import Ending, Object, State, TaskState
from orchctl.testing import worlds
from tests.bench import harness
from tests.unit.core import builders

SMALL, LARGE = 1_000, 100_000
DECISIONS = 1_000  # a run, so that milliseconds read as microseconds a decision
STEPS = 50
PROJECTS = 10
ROUNDS = 9
DECISION_S_MAX = 10e-6
FLAT_MAX = 1.5
BATCH = 500
NOW = events.Now(at=0.0, t=0.0)


def figures(folder: Path) -> Iterable[harness.Figure]:
    small, large = _decisions(SMALL), _decisions(LARGE)
    goal = DECISION_S_MAX * DECISIONS
    yield harness.compare("1000-decisions-100k", large, _bare(LARGE), goal=goal, runs=ROUNDS, absolute=True)
    yield harness.compare("decisions-100k-against-1k", large, small, goal=FLAT_MAX, runs=ROUNDS)
    many, few = _steps(LARGE), _steps(SMALL)
    yield harness.compare("50-steps-100k-against-1k", many, few, goal=FLAT_MAX, runs=ROUNDS)


def _bench(count: int) -> worlds.Bench:
    """A machine with so many tasks of some projects, all but a few of which wait."""
    bench = worlds.Bench()
    bench.give(*builders.catalogue([{"name": "only"}]))
    bench.give(*[builders.admitted("Project", f"p{n}", {}) for n in range(PROJECTS)])
    for first in range(0, count, BATCH):
        tasks = [builders.task(f"t{n}", project=f"p{n % PROJECTS}") for n in range(first, first + BATCH)]
        bench.machine.step(tasks, bench.now)
    return bench


def _steps(count: int) -> Callable[[], None]:
    """The end of one task is the fact of a step, the start of the next its outcome."""
    bench = _bench(count)
    ready: list[events.Event] = []
    for key in list(bench.machine.state.open.values()):
        ready += _until_its_end(bench, key)

    def run() -> None:
        for _ in range(STEPS):
            step = bench.machine.step([ready.pop(0)], bench.now)
            (started,) = [one.event for one in step.recorded if isinstance(one.event, events.TaskStarted)]
            ready.extend(_until_its_end(bench, started.key))

    return run


def _until_its_end(bench: worlds.Bench, key: Key) -> list[events.Event]:
    """Carry a started task on to the one fact that ends it."""
    action = bench.object(key).open
    while action is not None and not isinstance(action.do, actions.CreateTree):
        step = bench.machine.step(bench.world.execute(action), bench.now)
        action = next(iter(step.actions), None)
    assert action is not None
    return bench.world.execute(action)


@dataclasses.dataclass(frozen=True, slots=True)
class _Life:
    """One task at the three moments that matter here."""

    waiting: Object
    working: Object
    ended: Object
    wants: Wants


def _decisions(count: int) -> Callable[[], None]:
    """The waiting sets alone: what tasks are at each moment is made beforehand."""
    plan = Plan("", ".", "main", "b", "t", "p", (StagePlan("s", limited_by=(Key("Agent//a"), Key("Role/default/r"))),))
    lives = {life.waiting.key: life for life in (_life(plan, n) for n in range(count))}
    admitting = Admitting(State())
    working: collections.deque[_Life] = collections.deque()

    def let_ahead() -> None:
        key = admitting.first()
        assert key is not None
        admitting.leave(key)
        life = lives[key]
        admitting.moved(life.waiting, life.working)
        working.append(life)

    for life in lives.values():
        admitting.enter(life.waiting, life.wants)
    for _ in range(SESSIONS_MAX):
        let_ahead()
    assert admitting.first() is None

    def run() -> None:
        for _ in range(DECISIONS):
            ending = working.popleft()
            admitting.moved(ending.working, ending.ended)
            let_ahead()
            admitting.enter(ending.waiting, ending.wants)  # so that as many wait after it as before

    return run


def _life(plan: Plan, n: int) -> _Life:
    mine = dataclasses.replace(plan, project=f"default/p{n % PROJECTS}")
    waiting = Object(key_of("Task", "default", f"t{n}"), created=NOW)
    task = TaskState(mine, NOW, stages=(), slots=mine.slots(0))
    ended = dataclasses.replace(task, slots=(), ended=Ending("Merged", "Merged", "", NOW))
    working = dataclasses.replace(waiting, task=task)
    return _Life(waiting, working, dataclasses.replace(waiting, task=ended), Wants(mine.slots(0)))


def _bare(count: int) -> Callable[[], None]:
    """What is left when all that is asked is who is next: a heap, and a counter a limit."""
    heap = [(0, 0.0, key_of("Task", "default", f"t{n}")) for n in range(count)]
    heapq.heapify(heap)
    used = {"all": 8, **{f"p{n}": 1 for n in range(PROJECTS)}}

    def run() -> None:
        for _ in range(DECISIONS):
            used["all"] -= 1
            used["p0"] -= 1
            key = heapq.heappop(heap)
            used["all"] += 1
            used["p0"] += 1
            heapq.heappush(heap, key)

    return run
