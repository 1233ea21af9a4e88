"""What would happen, and why not: the next step of every Task, and which agent would do what. Pure.

Read off a machine that took one step from the facts as they are, the very step a controller would take. Nothing is
guessed about how agents will fare: what lies behind the next step is said as far as it is resolved already.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from orchctl.core import events, narrate, resolve
from orchctl.core.because import Because
from orchctl.core.capacity import Capacity
from orchctl.core.folds.parts import attempts_of
from orchctl.core.ids import Key, kind_of
from orchctl.core.plan import ALL_SESSIONS, Plan
from orchctl.core.ports import Phase
from orchctl.core.state import Object, State
from orchctl.core.view import View

BUILTIN = "builtin:"


@dataclasses.dataclass(frozen=True, slots=True)
class Next:
    """One Task that has not ended: what it does now, or what it waits for."""

    key: Key
    steps: tuple[str, ...]  # what is decided and begun at once; empty when it waits
    because: Because | None


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """What one agent does in one role."""

    role: str
    agent: str
    model: str
    tasks: tuple[Key, ...]  # that have not ended and have a stage of it
    running: int  # of its attempts, now


@dataclasses.dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit is taken."""

    limited_by: Key
    used: int
    limit: int


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """What taking up the manifests means for one object."""

    key: Key
    what: str  # new | changed | moved | refused | leaves
    message: str


def changes(before: State, recorded: Iterable[events.Recorded]) -> list[Change]:
    """Of the objects of git; those that are built in are nobody's news."""
    found: list[Change] = []
    for event in (one.event for one in recorded):
        old = before.objects.get(event.key)
        match event:
            case events.ObjectAdmitted() if not event.path.startswith(BUILTIN):
                known = old.desired if old is not None else None
                is_same = known is not None and known.spec_digest == event.spec_digest
                what = "new" if known is None else "moved" if is_same else "changed"
                found.append(Change(event.key, what, f"{event.path}:{event.line}"))
            case events.ObjectRejected():
                found.append(Change(event.key, "refused", event.problems[0] if event.problems else event.path))
            case events.ObjectWithdrawn():
                found.append(Change(event.key, "leaves", "its manifest is gone"))
            case events.PruneBlocked():
                found.append(Change(event.key, "refused", event.message))
    return found


def steps(state: State, recorded: Iterable[events.Recorded]) -> list[Next]:
    """Of every Task that has not ended, in the order of their names."""
    said: dict[Key, list[str]] = {}
    for event in (one.event for one in recorded):
        if isinstance(event, events.Decision) and not isinstance(event, events.Explained | events.SlotsTaken):
            said.setdefault(event.key, []).append(_said(event))
    return [Next(obj.key, tuple(said.get(obj.key, ())), obj.because) for obj in _open_tasks(state)]


def _said(event: events.Decision) -> str:
    line = narrate.narrate(event)
    if line is not None:
        return f"{line.reason}: {line.message}"
    return event.action.do.verb if isinstance(event, events.ActionStarted) else type(event).__name__


def shares(state: State) -> list[Share]:
    """Which agent, with which model, has which role in how many Tasks that have not ended."""
    tasks: dict[tuple[str, str, str], dict[Key, None]] = {}
    for obj in _open_tasks(state):
        plan = _plan_of(state, obj)
        for stage in plan.stages if plan is not None else ():
            if stage.agent is not None:
                tasks.setdefault((stage.role, stage.agent.name, stage.agent.model), {})[obj.key] = None
    running = _running(state)
    return [Share(*who, tuple(sorted(found)), running.get(who, 0)) for who, found in sorted(tasks.items())]


def blocked(state: State) -> list[Next]:
    """Tasks that could not start if they were let: something they name is missing or cannot be used now."""
    found = []
    for obj in _open_tasks(state):
        if obj.task is None:
            try:
                resolve.plan_of(View(state), obj, state.revision)
            except resolve.Unresolved as refusal:
                found.append(Next(obj.key, (), refusal.because))
    return found


def uses(state: State) -> list[Use]:
    """Every limit that is in use at all, the one of all sessions first."""
    capacity = Capacity()
    for obj in state.objects.values():
        capacity.moved(None, obj)
    keys = dict.fromkeys([ALL_SESSIONS, *sorted(capacity.used)])
    limits = [(key, capacity.limit(key)) for key in keys]
    return [Use(key, capacity.used.get(key, 0), limit) for key, limit in limits if limit is not None]


def _open_tasks(state: State) -> list[Object]:
    tasks = (obj for obj in state.objects.values() if kind_of(obj.key) == "Task" and obj.desired is not None)
    return sorted((obj for obj in tasks if not _is_over(obj)), key=lambda obj: obj.key)


def _is_over(obj: Object) -> bool:
    return obj.life.unstarted is not None or (obj.task is not None and obj.task.ended is not None)


def _plan_of(state: State, obj: Object) -> Plan | None:
    """The pinned plan, or what it would be; None when it cannot be resolved, which is what the Task waits for."""
    if obj.task is not None:
        return obj.task.plan
    try:
        return resolve.plan_of(View(state), obj, state.revision)
    except resolve.Unresolved:
        return None


def _running(state: State) -> dict[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for obj in state.objects.values():
        task = state.objects.get(obj.session.task) if obj.session is not None else None
        if obj.session is None or task is None or task.task is None:
            continue
        stage = task.task.plan.stages[min(obj.session.stage, len(task.task.plan.stages) - 1)]
        runs = any(one.purpose == "agent" and one.phase is Phase.RUNNING for one in attempts_of(obj))
        if runs and stage.agent is not None:
            who = (stage.role, stage.agent.name, stage.agent.model)
            found[who] = found.get(who, 0) + 1
    return found
