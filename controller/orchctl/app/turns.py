"""What one turn of a controller is, without any waiting: step the machine, record it, and only then hand out actions.

Used by the driver, which adds threads and timers, and by the simulator, which adds virtual ones. So both take over
what an earlier controller left, record, and know what runs in just the same way. Must never wait, nor do an effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from orchctl.app import scouting
from orchctl.core import actions, events, narrate, runtime, views
from orchctl.core.folds.parts import attempts_of
from orchctl.core.ids import AttemptId, Key, kind_of, name_of
from orchctl.core.ports import Phase
from orchctl.core.state import Object, State

SHOWN_KINDS = ("Task", "Session", "Manifest", "Source")  # whose news is said on the controller's own terminal


class Entry(NamedTuple):
    """What the ledger is given of a turn, in the order it takes it."""

    batch: tuple[events.Recorded, ...]
    rows: list[views.Row]
    removed: list[Key]
    after: State


class Taken(NamedTuple):
    """A step of the machine. Its actions are for `Turns.end` to hand out."""

    entry: Entry | None  # to be recorded first; None when nothing has happened
    actions: tuple[actions.Action, ...]


Show = Callable[[list[views.Row], list[Key], list[str]], None]


class Running(NamedTuple):
    """An attempt that runs as far as is known. `backend` says what its exit means; empty for checks and commits."""

    key: Key
    attempt: AttemptId
    backend: str


class BlockedLanding(NamedTuple):
    """A merge that uncommitted changes in the target's checkout keep from landing."""

    do: actions.LandWork
    tries: int


class Turns:
    def __init__(self, machine: runtime.Runtime, show: Show) -> None:
        self.machine = machine
        self._show = show  # publishes rows (status files) and lines for people, after they are recorded
        self.scout = scouting.Scout()
        self.unrecorded = False  # the machine is ahead of the ledger: nothing more may be recorded

    def under_way(self) -> list[actions.Action]:
        """What an earlier controller left open: to be carried out again, as every effect finds what was done of it."""
        state = self.machine.state
        found = [state.objects[key].open for key in state.open.values()]
        return [action for action in found if action is not None]

    def begin(self, facts: Sequence[events.Event], now: events.Now) -> Taken:
        """One step of the machine. Whoever asks records its entry, and only then ends the turn."""
        self.unrecorded = True
        step = self.machine.step(facts, now)
        if not step.recorded:
            return Taken(None, step.actions)
        self.scout.touched(step.touched)
        rows, removed = self._rows(step.touched)
        return Taken(Entry(step.recorded, rows, removed, self.machine.state), step.actions)

    def end(self, taken: Taken) -> tuple[actions.Action, ...]:
        """The step is durable: it is shown, and its actions are to be carried out."""
        if taken.entry is not None:
            self._show(taken.entry.rows, taken.entry.removed, _lines(taken.entry.batch))
        self.unrecorded = False
        return taken.actions

    def _rows(self, touched: Iterable[Key]) -> tuple[list[views.Row], list[Key]]:
        state = self.machine.state
        found = [(key, state.objects.get(key)) for key in touched]
        rows = [views.row(state, obj) for _, obj in found if obj is not None]
        return rows, [key for key, obj in found if obj is None]

    # --- what there is to look at -------------------------------------------------------------------------------

    def running(self) -> Iterator[Running]:
        for obj in self.machine.state.objects.values():
            for attempt in attempts_of(obj):
                if attempt.phase is Phase.RUNNING:
                    yield Running(obj.key, attempt.id, self._backend(obj) if attempt.purpose == "agent" else "")

    def _backend(self, obj: Object) -> str:
        session = obj.session
        task = self.machine.state.objects.get(session.task) if session is not None else None
        if session is None or task is None or task.task is None:
            return ""
        agent = task.task.plan.stages[session.stage].agent
        return agent.backend if agent is not None else ""

    def blocked_landings(self) -> dict[Key, BlockedLanding]:
        found = {}
        for obj in self.machine.state.objects.values():
            task = obj.task
            if task is not None and task.dirty and task.candidate is not None and task.ended is None:
                plan, made = task.plan, task.candidate
                do = actions.LandWork(plan.project, plan.repo, task.branch, new=made.commit, old=made.target)
                found[obj.key] = BlockedLanding(do, task.dirty_tries)
        return found

    def rests(self, *, under_way: bool) -> bool:
        """Nothing is under way, nothing runs, and no clock will change that."""
        if under_way or self.machine.state.open or not self.machine.rests:
            return False
        return not any(True for _ in self.running())


def _lines(recorded: Iterable[events.Recorded]) -> list[str]:
    """What the controller says on its own terminal about a turn."""
    lines = []
    for one in recorded:
        line = narrate.narrate(one.event)
        if line is not None and kind_of(one.event.key) in SHOWN_KINDS:
            lines.append(f"{kind_of(one.event.key).lower()}/{name_of(one.event.key)} {line.reason}: {line.message}")
    return lines
