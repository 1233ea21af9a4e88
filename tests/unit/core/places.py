"""Every place a Task's life can be at, as a bench that stands there: what can be asked of it is tested in all of them.

`Place.reach` builds it. `go_on` lets the world do what it can by itself from there: what runs ends, what is dirty is
cleaned, what it depends on is done, time passes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from orchctl.core import actions, events
from orchctl.core.folds.parts import attempts_of, ending_of
from orchctl.core.ids import Key
from orchctl.core.ports import Phase
from orchctl.core.state import Object
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = Key("Task/default/fix")
ROUNDS_MAX = 40
HOUR_S = 3_600.0


def _left_running(*kinds: type[actions.Effect]) -> worlds.World:
    return worlds.World(exits=lambda effect: None if isinstance(effect, kinds) else 0)


def unresolved() -> worlds.Bench:
    return builders.bench(builders.project(), builders.task(agents=["ghost"]))


def depending() -> worlds.Bench:
    world = _left_running(actions.RunAgent)
    dependent = builders.task(dependsOn=[{"task": "other"}])
    return builders.bench(builders.project(), builders.task("other"), dependent, world=world)


def held() -> worlds.Bench:
    world = _left_running(actions.RunAgent)
    bench = builders.bench(builders.project(limits={"sessions": 1}), builders.task("other"), world=world)
    bench.give(builders.task())
    return bench


def making_worktree() -> worlds.Bench:
    world = worlds.World(fail=lambda do: "transient: the disk is busy" if isinstance(do, actions.CreateTree) else "")
    return builders.bench(builders.project(), builders.task(), world=world)


def agent_running() -> worlds.Bench:
    return builders.bench(builders.project(), builders.task(), world=_left_running(actions.RunAgent))


def committing() -> worlds.Bench:
    return builders.bench(builders.project(), builders.task(), world=_left_running(actions.CommitLeftovers))


def gate_running() -> worlds.Bench:
    return builders.bench(builders.project(), builders.task(), world=_left_running(actions.RunCheck))


def no_checks() -> worlds.Bench:
    return builders.bench(builders.project([]), builders.task())


def backing_off() -> worlds.Bench:
    world = worlds.World(fail=lambda do: "transient: locked" if isinstance(do, actions.ImportWork) else "")
    return builders.bench(builders.project(), builders.task(), world=world)


def dirty() -> worlds.Bench:
    return builders.bench(builders.project(), builders.task(), world=worlds.World(dirty=("src/a.py",)))


def landed() -> worlds.Bench:
    """Its work is on the target, and the turn that says so has not been taken: the landing is still to be told."""
    bench = worlds.Bench(world=worlds.World())
    bench.give(*builders.catalogue())
    facts: list[events.Event] = [builders.project(), builders.task()]
    while not any(isinstance(one, events.LandTried) for one in facts):
        step = bench.machine.step(facts, bench.now)
        bench.log += step.recorded
        facts = [fact for action in step.actions for fact in bench.world.execute(action)]
    bench.late = facts
    return bench


def merged() -> worlds.Bench:
    return builders.bench(builders.project(), builders.task())


def succeeded() -> worlds.Bench:
    stages = [builders.STAGES[0]]
    facts = (builders.admitted("Pipeline", "own", {"stages": stages}), builders.project())
    return builders.bench(*facts, builders.task(pipeline="own"))


def failed() -> worlds.Bench:
    world = worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    return builders.bench(builders.project(), builders.task(), world=world)


def conflicting() -> worlds.Bench:
    return builders.bench(builders.project(), builders.task(), world=worlds.World(conflicts=("src/a.py",)))


def asking_person() -> worlds.Bench:
    edge = {"goto": "implement", "limit": 0, "then": "Ask"}
    stages = [{**builders.STAGES[0], "onFailure": edge}, builders.STAGES[1]]
    facts = (builders.admitted("Pipeline", "own", {"stages": stages}), builders.project())
    world = worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    return builders.bench(*facts, builders.task(pipeline="own"), world=world)


def grouped() -> worlds.Bench:
    """It could land, but for the other one of its merge group, which works."""
    world = _left_running(actions.RunAgent)
    bench = builders.bench(builders.project(), builders.task(mergeGroup="login"), world=world)
    session = bench.object("Session/default/fix-implement-1")
    world.exits = lambda effect: None if isinstance(effect, actions.RunAgent) else 0
    bench.give(builders.task("other", mergeGroup="login"))
    assert session.session is not None
    bench.give(worlds.ended(session.key, session.session.attempts[0].id, Phase.SUCCEEDED, 0))
    return bench


def cancelled() -> worlds.Bench:
    from tests.unit.core import asking

    bench = agent_running()
    bench.give(asking.cancel())
    return bench


def cancelled_unstarted() -> worlds.Bench:
    from tests.unit.core import asking

    bench = unresolved()
    bench.give(asking.cancel())
    return bench


PLACES: dict[str, Callable[[], worlds.Bench]] = {
    one.__name__: one
    for one in (
        unresolved, depending, held, making_worktree, agent_running, committing, gate_running, no_checks, backing_off,
        dirty, grouped, asking_person, landed, merged, succeeded, failed, conflicting, cancelled, cancelled_unstarted,
    )
}  # fmt: skip


def task(bench: worlds.Bench) -> Object:
    return bench.object(TASK)


def go_on(bench: worlds.Bench) -> None:
    """The world behaves from here on, and everything in it that can happen does."""
    bench.world.exits = lambda effect: 0
    bench.world.fail = lambda effect: ""
    bench.world.dirty = bench.world.conflicts = ()
    for _ in range(ROUNDS_MAX):
        late, bench.late = bench.late, []
        bench.give(*late)
        running = _running(bench)
        bench.give(*(worlds.ended(key, attempt, Phase.SUCCEEDED, 0) for key, attempt in running))
        dirty_ones = [obj for obj in bench.machine.state.objects.values() if obj.task is not None and obj.task.dirty]
        bench.give(*(events.TargetCleaned(obj.key) for obj in dirty_ones))
        if not running and not dirty_ones and bench.machine.pause_s(bench.now) is None:
            return
        bench.wait(HOUR_S)


def _running(bench: worlds.Bench) -> list[tuple[Key, Any]]:
    objects = bench.machine.state.objects.values()
    return [(obj.key, one.id) for obj in objects for one in attempts_of(obj) if one.ended is None]


def check_at_rest(bench: worlds.Bench) -> None:
    """It has ended, or there is a named wait with something a person can do; nothing stands still without a reason."""
    for obj in bench.machine.state.objects.values():
        assert obj.stalled == "", obj
        if not obj.key.startswith("Task/") or ending_of(obj) is not None:
            continue
        because = obj.because
        assert because is not None
        assert because.waiting, f"{obj.key} hangs: {because}"
        assert because.unblock, f"{obj.key} waits for ever: {because}"


def check_nothing_is_lost(bench: worlds.Bench) -> None:
    """Every agent's run that came to an end is in the hub, or still in a worktree that is there."""
    for obj in bench.machine.state.objects.values():
        if obj.session is None or not any(one.purpose == "agent" for one in obj.session.attempts):
            continue
        imported = any(isinstance(do, actions.ImportWork) and obj.session.uid in do.ref for do in bench.world.done)
        place = bench.machine.state.objects.get(obj.session.worktree)
        there = place is not None and place.worktree is not None and place.worktree.removed is None
        salvaged = any(isinstance(do, actions.RemoveTree) and do.salvage for do in bench.world.done)
        assert imported or there or salvaged, f"the work of {obj.key} is nowhere"


def edited(bench: worlds.Bench, **spec: Any) -> events.ObjectAdmitted:
    """The manifest with these fields set, as a commit makes it."""
    desired = task(bench).desired
    assert desired is not None
    before = json.loads(desired.spec)
    del before["prompt"]
    return builders.task(**{**before, **spec})
