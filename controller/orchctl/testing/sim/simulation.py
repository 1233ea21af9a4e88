"""One simulation: a story in which things go wrong, then a time in which nothing does and all must come to an end.

Phase one may end controllers at any call and any record; phase two asks for liveness (L1 to L4) and for what must be
true once nothing moves any more. A broken invariant ends the run where it is seen.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import traceback
from collections.abc import Callable

from orchctl.app import requests
from orchctl.testing.sim import ending
from orchctl.testing.sim.controller import Controller, Parts, Stopped
from orchctl.testing.sim.faults import STRETCH_S, Killed
from orchctl.testing.sim.ledger import DiskError, Ledger
from orchctl.testing.sim.people import People
from orchctl.testing.sim.scenario import STORY_S, Story, world_of

CALM_S_MAX = 5 * 3600.0  # of phase two: every timeout of the manifests fits in
QUIET_S = 1_300.0  # how long an idle system must stay silent: two looks at what a person has to mend fit in
SETTLED_S = 60.0  # idle for so long: nothing more is to come
STEPS_MAX = 30_000  # of one seed, which takes a thousand: more is a loop that never rests
NO_NEWS = ("ControllerStarted", "ClockJumped")  # what a turn notes of itself, whatever there is to do
SAMPLE_EVERY = 40  # turns between two looks at whether state, rows and events agree


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    seed: int
    steps: int
    events: int
    virtual_s: float
    digest: str  # of the trace: equal runs have equal ones
    violations: tuple[str, ...]
    outcomes: tuple[tuple[str, str], ...]  # task -> how it ended
    struck: tuple[tuple[str, int], ...]  # fault -> how often


class Simulation:
    def __init__(self, story: Story, steps_max: int = STEPS_MAX, trace: Callable[[str], None] | None = None) -> None:
        self.story = story
        self.world = world_of(story)
        self.world.trace = self._trace
        self.ledger = Ledger(self.world.swarm)
        self.parts = Parts(self.world)
        self.controller: Controller | None = None
        self.people = People(self.world, story, self._confirm, self._moved)
        self.steps = 0
        self._steps_max = steps_max
        self._shown = trace
        self._digest = hashlib.blake2b(digest_size=12)
        self._epoch = 0
        self._ahead = 0.0  # of controller time before virtual time: a machine that restarts loses its boot clock
        self._sampled = 0

    # --- a run --------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        world = self.world
        self.people.plan()
        self._plan_stretches()
        world.agenda.at(0.0, "start", self._start)
        if self._run_until(STORY_S):
            self._calm_down()
            if self._run_until(STORY_S + CALM_S_MAX, settled=True):
                self._judge_the_end()
        found = dict.fromkeys(world.violations)
        return Result(
            seed=self.story.seed,
            steps=self.steps,
            events=len(self.ledger.entries),
            virtual_s=world.agenda.now,
            digest=self._digest.hexdigest(),
            violations=tuple(found),
            outcomes=ending.outcomes(self.ledger.folded()) if not found else (),
            struck=tuple(sorted(world.swarm.struck.items())),
        )

    def _run_until(self, until: float, *, settled: bool = False) -> bool:
        """Whether nothing was broken till then; with `settled`, ends as soon as nothing more is to come."""
        idle_since: float | None = None
        while self.steps < self._steps_max:
            entry = self.world.agenda.next(until)
            if entry is None:
                return not self.world.violations
            self.steps += 1
            self._guarded(*entry)
            if self.world.violations:
                return False
            if settled:
                now = self.world.agenda.now
                idle = self.controller is not None and self.controller.idle()
                idle_since = (idle_since if idle_since is not None else now) if idle else None
                if idle_since is not None and now - idle_since >= SETTLED_S:
                    return True
        if self.steps >= STEPS_MAX:
            self.world.complain(f"L3: {STEPS_MAX} steps and no end")
        return False

    def _guarded(self, what: str, act: Callable[[], None]) -> None:
        """What ends a controller ends nothing else; what is no such end is a defect that was found."""
        self._trace(f"{self.world.agenda.now:.3f} {what}")
        try:
            act()
        except (Killed, DiskError) as end:
            self._trace(f"controller {self._epoch} ends: {end}")
            self._ended()
        except Stopped:
            self.world.complain("X1: a controller that had ended called a port")
        except Exception as defect:
            place = traceback.extract_tb(defect.__traceback__)[-1]
            self.world.complain(f"X1: {type(defect).__name__}: {defect} at {place.name} in {place.filename}")
            self._trace("".join(traceback.format_exception(defect)))
        self._sample()

    def _sample(self) -> None:
        controller = self.controller
        if controller is None or controller.turns.unrecorded or len(self.ledger.entries) < self._sampled + SAMPLE_EVERY:
            return
        self._compare(controller)

    def _compare(self, controller: Controller) -> None:
        since, self._sampled = self._sampled, len(self.ledger.entries)
        self.world.complain(
            self.ledger.i7_live_state_equals_the_fold(controller.machine.state),
            self.ledger.i7_rows_equal_the_fold(),
            self.ledger.i8_no_gap(since),
            self.ledger.i13_epochs_only_grow(since),
            ending.x1_nothing_is_stalled(controller.machine.state),
        )

    # --- controllers --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Only one runs: a second one finds the lease taken (F21)."""
        if self.lease_is_held():
            return
        self._epoch += 1
        self.world.complain(
            self.ledger.i8_nothing_acknowledged_is_lost(), self.ledger.i8_no_gap(), self.ledger.i7_rows_equal_the_fold()
        )
        self.controller = Controller(self.world, self.ledger, self.parts, self._epoch, self._ahead)
        self._trace(f"controller {self._epoch} starts")
        self.controller.start()

    def lease_is_held(self) -> bool:
        return self.controller is not None and self.controller.alive

    def _ended(self) -> None:
        if self.controller is not None:
            self.controller.end()
            self.controller = None
        delay = self.world.chance.between(0.5, 90.0, "restart", self._epoch)
        self.world.agenda.after(delay, "restart", self._start)

    # --- what happens to the machine ----------------------------------------------------------------------------

    def _plan_stretches(self) -> None:
        for number in range(int(STORY_S / STRETCH_S)):
            at = self.world.chance.between(number * STRETCH_S, (number + 1) * STRETCH_S, "stretch", number)
            self.world.agenda.at(at, "stretch", functools.partial(self._stretch, number))

    def _stretch(self, number: int) -> None:
        swarm, chance = self.world.swarm, self.world.chance
        if swarm.strikes("clock-jump", "wall"):
            self.world.wall_offset += chance.one_of((-86_400.0, -30.0, 30.0, 86_400.0), "jump", number)
        if swarm.strikes("rival", "controller"):
            self._start()
        if swarm.strikes("stop", "controller") and self.controller is not None:
            self.controller.stop()
            self._ended()
        if swarm.strikes("reboot", "machine"):
            self.parts.machine.end_all()
            last, at = self.ledger.last, self.world.agenda.now
            wall = 1_800_000_000.0 + at + self.world.wall_offset
            self._ahead = (last.t + max(0.0, wall - last.at) if last is not None else 0.0) - at
            self._ended()

    def _moved(self) -> None:
        if self.controller is not None:
            self.controller.hinted()

    def _confirm(self) -> None:
        """A person sees what is blocked, as the ledger has it, and says that it is meant."""
        blocked = self.ledger.folded().blocked
        if blocked is not None:
            self.parts.inbox.submit({"verb": requests.CONFIRM_PRUNE, "revision": blocked.revision})
            self._moved()

    # --- the end ------------------------------------------------------------------------------------------------

    def _calm_down(self) -> None:
        self.world.swarm.raging = False
        self.people.mend()
        if self.controller is None:
            self._guarded("the last start", self._start)

    def _judge_the_end(self) -> None:
        """Nothing is to come any more: first that this is so, then that it is the right end."""
        controller, world = self.controller, self.world
        if controller is None or not controller.idle():
            world.complain("L1: no end is reached although nothing goes wrong: " + ending.unsettled(self))
            return
        before = len(self.ledger.entries)
        self._run_until(world.agenda.now + QUIET_S)
        world.complain(self._news("L3: an idle system is not silent", before))
        self._guarded("a look at everything", controller.look_at_everything)
        world.complain(self._news("L1: nobody was woken for what there was to do", before))
        self._compare(controller)
        world.complain(*(judge(world, controller.machine.state) for judge in ending.AT_THE_END))

    def _news(self, what: str, before: int) -> str | None:
        found = [one for one in self.ledger.entries[before:] if one.type not in NO_NEWS]
        named = ", ".join(f"{one.type} {one.data[:120]}" for one in found[:3])
        return f"{what}: {len(found)} events: {named}" if found else None

    def _trace(self, line: str) -> None:
        self._digest.update(line.encode())
        if self._shown is not None:
            self._shown(line)
