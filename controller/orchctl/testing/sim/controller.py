"""One run of a controller, from its start to its end by whatever cause: the production parts on the world's ports.

What the driver does with threads and timers is done here with entries of the agenda. A turn, what an earlier run left,
and what runs are those of `app.turns`, so only the waiting is the simulator's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from orchctl.app import admission, requests, scouting, turns
from orchctl.core import actions, events, runtime, views
from orchctl.core.ids import SOURCE, AttemptId, Key
from orchctl.core.ports import WorldError
from orchctl.core.state import State
from orchctl.testing.sim import control, doing, gitports, oracles, processes
from orchctl.testing.sim.inbox import Inbox
from orchctl.testing.sim.ledger import Ledger
from orchctl.testing.sim.world import Process, World

POLL_S = 20.0  # the driver's are shorter; here each look costs as much as any other step
LOOK_S = 30.0
AGAIN_S = 1.0
SOON_S = 0.01
SLOW_S = 60.0
STARTED = events.ControllerStarted(SOURCE, release="simulated")
LATE_S = (1.0, 240.0)


class Clock:
    """Controller time goes on from where the ledger left it; the wall's is moved about."""

    def __init__(self, world: World, ahead: float) -> None:
        self._world = world
        self._ahead = ahead  # of controller time before virtual time

    def now(self) -> events.Now:
        now = self._world.agenda.now
        return events.Now(at=round(1_800_000_000.0 + now + self._world.wall_offset, 3), t=round(now + self._ahead, 3))


class Stopped(BaseException):
    """A call by a controller that is no more: nothing of it reaches the world."""


class Controller:
    def __init__(self, world: World, ledger: Ledger, parts: Parts, epoch: int, ahead: float) -> None:
        self._world = world
        self._ledger = ledger
        self.epoch = epoch
        self.clock = Clock(world, ahead)
        self.alive = True
        self.machine = runtime.Runtime(ledger.state())
        self.turns = turns.Turns(self.machine, lambda rows, removed, lines: None)
        self._doer = doing.Effects(
            world,
            processes.Executor(world, parts.machine, self._check_alive),
            gitports.Workspace(world, self._check_alive),
            oracles.CallLog(),
        )
        informer = admission.Admission(parts.source, "sim", parts.builtins, parts.parsed)
        self._intake = requests.Intake(parts.inbox, informer, lambda line: None)
        self._facts: list[events.Event] = []
        self._under_way = 0
        self._turn_due: float | None = None
        self._seen_git = False
        self._targets: dict[Key, float] = {}
        self._after = 0

    # --- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._world.told.append(self._told)
        for action in self.turns.under_way():
            self._spawn(action)
        self._take([STARTED, *self._look_at_git()])
        self._every(POLL_S, "poll", self._poll)
        self._every(LOOK_S, "look", self._look_at_all)

    def end(self) -> None:
        """As by SIGKILL."""
        self.alive = False
        if self._told in self._world.told:
            self._world.told.remove(self._told)

    def stop(self) -> None:
        """As by SIGTERM, with nothing slow under way: what is known is recorded, and nothing more is begun."""
        facts, self._facts = self._facts, []
        if facts and not self.turns.unrecorded:
            self.record(facts)
        self.end()

    def _check_alive(self) -> None:
        if not self.alive:
            raise Stopped

    def look_at_everything(self) -> None:
        """As a controller that has just started does."""
        self._take([STARTED])

    def idle(self) -> bool:
        unseen = (
            self._facts or self._targets or not self._seen_git or self.machine.pause_s(self.clock.now()) is not None
        )
        return not unseen and self.turns.rests(under_way=bool(self._under_way))

    # --- turns --------------------------------------------------------------------------------------------------

    def record(self, facts: Sequence[events.Event]) -> tuple[actions.Action, ...]:
        """As the driver does, without waiting for the disk."""
        taken = self.turns.begin(facts, self.clock.now())
        if taken.entry is not None:
            self._append(*taken.entry)
        return self.turns.end(taken)

    def _append(
        self, batch: tuple[events.Recorded, ...], rows: list[views.Row], removed: list[Key], after: State
    ) -> None:
        for one in batch:
            self._world.trace(f"#{one.seq} {type(one.event).__name__} {one.event.key}{_detail(one.event)}")
        if any(isinstance(one.event, events.ObjectWithdrawn) for one in batch):
            self._world.complain(oracles.git5_not_too_many_leave_at_once(self._ledger.folded(), batch))
        self._ledger.append(self.epoch, batch, rows, removed, after)

    def _take(self, facts: Sequence[events.Event]) -> None:
        for action in self.record(facts):
            self._spawn(action)
        self._watch_targets()
        for look in self.turns.scout.looks(self.machine.state, self._world.agenda.now):
            self._later(SOON_S, f"looks for {look.key}", functools.partial(self._look_for, look))
        self._turn_when_due()

    def _turn_at(self, when: float) -> None:
        if self._turn_due is None or when < self._turn_due:
            self._turn_due = when
            self._later(when - self._world.agenda.now, "turn", lambda: self._turn(when))

    def _turn(self, when: float) -> None:
        if self._turn_due != when:
            return
        self._turn_due = None
        facts, self._facts = self._facts, []
        if facts or self.machine.pause_s(self.clock.now()) == 0.0:
            self._take(facts)
        else:
            self._turn_when_due()

    def _turn_when_due(self) -> None:
        pause_s = self.machine.pause_s(self.clock.now())
        if pause_s is not None:
            self._turn_at(self._world.agenda.now + pause_s + SOON_S)

    def _hear(self, facts: list[events.Event]) -> None:
        if facts:
            self._facts += facts
            self._turn_at(self._world.agenda.now + SOON_S)

    def _later(self, seconds: float, what: str, act: Callable[[], None]) -> None:
        def when_alive() -> None:
            if self.alive:
                act()

        self._world.agenda.after(seconds, f"{what} #{self.epoch}", when_alive)

    def _every(self, seconds: float, what: str, act: Callable[[], None]) -> None:
        def again() -> None:
            self._later(seconds, what, again)
            act()

        self._later(seconds, what, again)

    # --- effects ------------------------------------------------------------------------------------------------

    def _spawn(self, action: actions.Action) -> None:
        self._under_way += 1
        chance, subject = self._world.chance, f"{action.do.verb} {action.object}"
        delay = chance.between(0.0, 0.3, "effect", subject, self._world.nth(subject))
        if self._world.swarm.strikes("slow", subject):
            delay += SLOW_S * chance.share("how slow", action.key)
        self._later(delay, subject, lambda: self._execute(action))

    def _execute(self, action: actions.Action) -> None:
        self._world.trace(f"does {action.do.verb} {action.object} {action.key[:8]}")
        facts, chance = self._doer.execute(action), self._world.chance
        if self._world.swarm.strikes("late", action.do.verb):
            self._deliver(facts, self._world.chance.between(*LATE_S, "late", action.key))
        else:
            self._deliver(facts, SOON_S)
        if self._world.swarm.strikes("doubled", action.do.verb):
            at_once = chance.happens(0.5, "doubled at once", action.key)
            again = chance.between(0.02, 2.0, "doubled", action.key) if at_once else LATE_S[1]
            self._later(again, "doubled", lambda: self._hear(facts))

    def _deliver(self, facts: list[events.Event], seconds: float) -> None:
        def heard() -> None:
            self._under_way -= 1
            self._hear(facts)

        self._later(seconds, "outcome", heard)

    # --- looking around -----------------------------------------------------------------------------------------

    def hinted(self) -> None:
        """The control repo, or the inbox, may hold something new."""
        self._seen_git = False
        if not self._world.swarm.strikes("no-hint", "control"):
            self._later(SOON_S, "hint", self._poll)

    def _poll(self) -> None:
        found = self._look_at_git()
        facts, self._facts = [*self._facts, *found], []
        if facts:
            self._take(facts)
        if any(isinstance(fact, events.PruneConfirmed) for fact in found):
            self._later(AGAIN_S, "poll", self._poll)

    def _look_at_git(self) -> list[events.Event]:
        try:
            found = self._intake.facts(self.machine.state)
        except WorldError:
            self._later(AGAIN_S, "poll", self._poll)
            return []
        self._seen_git = True
        return found

    def _told(self, process: Process) -> None:
        if not self._world.swarm.strikes("no-notice", process.attempt):
            self._later(SOON_S, f"notice {process.attempt}", lambda: self._look_at(process.attempt))

    def _look_at(self, attempt: AttemptId) -> None:
        for running in self.turns.running():
            if running.attempt == attempt:
                self._look(running)

    def _look_at_all(self) -> None:
        for running in self.turns.running():
            self._look(running)

    def _look_for(self, look: scouting.Look) -> None:
        self.turns.scout.done(look)
        self._hear(self._doer.look_for(look))

    def _look(self, running: turns.Running) -> None:
        seen = self._doer.look(running.key, running.attempt, running.backend)
        if seen is not None:
            self._hear([seen])

    def _watch_targets(self) -> None:
        waiting = self.turns.blocked_landings()
        now = self._world.agenda.now
        self._targets = {key: self._targets.get(key, 0.0) for key in waiting}
        for key, (do, tries) in waiting.items():
            if self._targets[key] <= now:
                self._targets[key] = now + POLL_S * min(8, 2.0 ** (tries - 1))
                self._later(self._targets[key] - now, f"target {key}", functools.partial(self._target, key, do))

    def _target(self, key: Key, do: actions.LandWork) -> None:
        if self._doer.target_is_clean(do):
            self._hear([events.TargetCleaned(key)])
        else:
            self._watch_targets()


class Parts:
    """What all runs of a controller share: the machine it is on, and the repository it reads."""

    def __init__(self, world: World) -> None:
        self.machine = processes.Machine(world)
        repo = control.ControlRepo(world)
        self.source = control.Source(repo)
        self.builtins = control.builtins()
        self.parsed = control.Parsed(repo)
        self.inbox = Inbox()


def _detail(event: events.Event) -> str:
    """What tells two events of one type apart, for the trace."""
    match event:
        case events.ActionStarted():
            return f" {event.action.do.verb} {event.action.key[:8]}"
        case events.ActionFailed():
            return f" {event.verb}: {event.message}"
        case events.AttemptEnded():
            return f" {event.attempt} {event.phase} {event.reason}"
        case events.TaskEnded() | events.StageFailed() | events.SessionEnded():
            return f" {event.reason}: {event.message}"
        case events.Explained():
            return f" {event.because.rule} {event.because.text}"
        case events.LandTried():
            return f" {event.result} {event.commit[:8]}"
        case events.ObjectStalled():
            return f" {event.defect}"
        case _:
            return ""
