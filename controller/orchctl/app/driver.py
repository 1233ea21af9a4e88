"""The loop around the machine: collects facts, takes a step, records it, and only then acts on it.

One asyncio loop owns the runtime, one thread writes the ledger. Facts that come while a turn is being written make up
the next one, so a slow disk makes turns larger and not the loop slow. Effects, looks at attempts and reads of git run
in a bounded pool of threads and come back as facts. Nothing here decides anything; every wait has a deadline.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import math
import os
import time
from collections.abc import Callable
from typing import Protocol

import orchctl
from orchctl.adapters.host import clock as clocks
from orchctl.app import scouting, turns
from orchctl.core import actions, events, lifecycle, runtime, sources, views
from orchctl.core.ids import SOURCE, AttemptId, Key
from orchctl.core.ports import WorldError
from orchctl.core.state import State

POLL_S = 2.0  # how late a commit is seen at the latest when no hint arrives
LOOK_S = 5.0  # how often running attempts are looked at although nothing has told of their end
AGAIN_S = 0.2  # how soon something that could not be told now is looked at again: git busy, an attempt without a shim
TARGET_S_MAX = 60.0
FAILURES_UNSAID_MAX = 5  # looks at git that fail in a row before a person is told
TARGET_S = 1.0  # how often a dirty target is looked at
THREADS = 8
SCOUTS = 2
DRAIN_S = 10.0  # how long effects under way may take to end when the controller stops


class Recorder(Protocol):
    """Where turns are recorded: the ledger, or a test's wrapping of it."""

    def append(
        self, batch: tuple[events.Recorded, ...], rows: list[views.Row], removed: list[Key], after: State
    ) -> None: ...


class Doer(Protocol):
    """What carries out actions: `app.effects.Effects`, or a test's wrapping of it."""

    def execute(self, action: actions.Action) -> list[events.Event]: ...

    def look(self, key: Key, attempt: AttemptId, backend: str) -> events.Event | None: ...

    def exit_fd(self, attempt: AttemptId) -> int | None: ...

    def target_is_clean(self, do: actions.LandWork) -> bool: ...

    def look_for(self, look: scouting.Look) -> list[events.Event]: ...


class Facts(Protocol):
    """What is new outside of the attempts: `app.admission.Admission` with the requests of people, or a test's."""

    def facts(self, state: State) -> list[events.Event]: ...


class Driver:
    def __init__(
        self,
        machine: runtime.Runtime,
        recorder: Recorder,
        doer: Doer,
        admission: Facts,
        clock: clocks.Clock,
        show: turns.Show,
    ) -> None:
        self._machine = machine
        self._turns = turns.Turns(machine, show)
        self._recorder = recorder
        self._doer = doer
        self._admission = admission
        self._clock = clock
        self._show = show
        self._pool = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="effect")
        # Git has a thread of its own: slow effects may fill the others, and the loop waits for git.
        self._git_pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="git")
        self._ledger_pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._facts: list[events.Event] = []
        self._awake = asyncio.Event()
        self._stopping = False
        self._look_at_git = True
        # Programs that are slow to say who they are keep no effect waiting.
        self._scout_pool = concurrent.futures.ThreadPoolExecutor(SCOUTS, thread_name_prefix="scout")
        self._git_failures = 0  # in a row
        self.abandoned = False  # effects still ran when the wait for them was over
        self._work: set[asyncio.Future[None]] = set()
        self._defect: BaseException | None = None
        self._watched: dict[AttemptId, int] = {}  # attempt -> exit descriptor
        self._unwatched: dict[AttemptId, float] = {}  # running, but nothing tells of its end: when to look again
        self._loop = asyncio.get_running_loop()
        self._git_due = self._look_due = 0.0
        self._targets: dict[Key, float] = {}  # tasks that wait for a clean target -> when to look again

    # --- from outside -------------------------------------------------------------------------------------------

    def hint(self) -> None:
        """The watched ref may have moved. Called from any thread."""
        self._loop.call_soon_threadsafe(self._hinted)

    def _hinted(self) -> None:
        self._look_at_git = True
        self._awake.set()

    def stop(self) -> None:
        """End after the current turn. Running attempts go on and are taken over by the next controller."""
        self._stopping = True
        self._awake.set()

    # --- the loop -----------------------------------------------------------------------------------------------

    async def run(self, *, until_idle: bool) -> None:
        try:
            await self._recover()
            while not self._stopping:
                await self._turn()
                if until_idle and self._idle():
                    return
                await self._sleep()
        finally:
            await self._drain()
        if self._defect is not None:
            raise self._defect

    async def _recover(self) -> None:
        """Carry out again what was under way: every effect finds by itself what was done of it."""
        for action in self._turns.under_way():
            self._spawn(lambda action=action: self._doer.execute(action))  # type: ignore[misc]
        facts = await self._admission_facts()
        await self._take_step([events.ControllerStarted(SOURCE, release=orchctl.__version__), *facts])

    async def _turn(self) -> None:
        now = time.monotonic()
        if self._look_at_git or now >= self._git_due:
            poll_s = min(POLL_S, sources.in_force(self._machine.state).interval_s)
            self._look_at_git, self._git_due = False, now + poll_s
            found = await self._admission_facts()
            self._facts += found
            # What was confirmed is withdrawn by the next look: it must find the confirmation recorded.
            # New Settings may say that something else is to be read.
            taken = events.PruneConfirmed | lifecycle.Request
            self._look_at_git |= any(isinstance(fact, taken) or fact.key == sources.SETTINGS for fact in found)
        facts, self._facts = self._facts, []
        if facts or self._machine.pause_s(self._clock.now()) == 0.0:
            await self._take_step(facts)
        self._watch_attempts(now)
        self._watch_targets(now)
        self._watch_programs(now)

    async def _admission_facts(self) -> list[events.Event]:
        state = self._machine.state
        try:
            found = await self._loop.run_in_executor(self._git_pool, self._admission.facts, state)
        except WorldError as error:  # git was in the middle of something, or the repo cannot be read now
            self._git_failures += 1
            self._git_due = time.monotonic() + min(POLL_S, AGAIN_S * 2**self._git_failures)
            if self._git_failures == FAILURES_UNSAID_MAX:
                self._show([], [], [f"warning: the manifests cannot be read: {error}"])
            return []
        self._git_failures = 0
        return found

    async def _take_step(self, facts: list[events.Event]) -> None:
        for action in await self._record(facts):
            self._spawn(lambda action=action: self._doer.execute(action))  # type: ignore[misc]

    async def _record(self, facts: list[events.Event]) -> tuple[actions.Action, ...]:
        """One step of the machine, durable when this returns; the actions are then to be carried out."""
        taken = self._turns.begin(facts, self._clock.now())
        if taken.entry is not None:
            await self._loop.run_in_executor(self._ledger_pool, self._recorder.append, *taken.entry)
        return self._turns.end(taken)

    async def _sleep(self) -> None:
        if self._facts or self._look_at_git:
            return
        due = min(
            self._git_due, self._look_due, self._turns.scout.due, *self._unwatched.values(), *self._targets.values()
        )
        pause_s = due - time.monotonic()
        until_due = self._machine.pause_s(self._clock.now())
        if until_due is not None:
            pause_s = min(pause_s, until_due)
        try:
            async with asyncio.timeout(max(0.0, pause_s)):
                await self._awake.wait()
        except TimeoutError:
            pass
        self._awake.clear()

    def _idle(self) -> bool:
        """Nothing is under way, nothing is known that has not been decided, and no clock will change that."""
        if self._facts or self._look_at_git or self._git_failures:
            return False
        return self._turns.rests(under_way=bool(self._work))

    async def _drain(self) -> None:
        for descriptor in self._watched.values():
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
        self._watched.clear()
        if self._work:
            _, left = await asyncio.wait(self._work, timeout=DRAIN_S)
            self.abandoned = bool(left)
        facts, self._facts = self._facts, []
        if facts and not self._turns.unrecorded:
            await self._record(facts)  # what follows from it is found open at the next start
        for pool in (self._pool, self._git_pool, self._scout_pool):
            pool.shutdown(wait=False, cancel_futures=True)
        self._ledger_pool.shutdown()  # whoever closes the ledger finds nobody writing to it

    # --- work in threads ----------------------------------------------------------------------------------------

    def _spawn(self, work: Callable[[], list[events.Event]], pool: concurrent.futures.Executor | None = None) -> None:
        future = asyncio.ensure_future(self._in_pool(work, pool or self._pool))
        self._work.add(future)
        future.add_done_callback(self._done)

    async def _in_pool(self, work: Callable[[], list[events.Event]], pool: concurrent.futures.Executor) -> None:
        found = await self._loop.run_in_executor(pool, work)
        self._facts += found  # only now: while this waited, the list may have been taken and replaced

    def _done(self, future: asyncio.Future[None]) -> None:
        """A defect in an effect stops the controller: what it has begun stays open and is found at the next start."""
        self._work.discard(future)
        defect = None if future.cancelled() else future.exception()
        if defect is not None:
            self._defect = self._defect or defect
            self._stopping = True
        self._awake.set()  # last: who wakes now finds this work gone and its facts there

    def _watch_attempts(self, now: float) -> None:
        """Every running attempt has a descriptor that tells of its end, and is looked at now and then all the same."""
        look = now >= self._look_due
        if look:
            self._look_due = now + LOOK_S
        running = {attempt: (key, backend) for key, attempt, backend in self._turns.running()}
        for attempt in [attempt for attempt in self._unwatched if attempt not in running]:
            del self._unwatched[attempt]
        for attempt, (key, backend) in running.items():
            if attempt in self._watched:
                if look:
                    self._look(key, attempt, backend)
            elif now >= self._unwatched.get(attempt, 0.0):
                self._watch(key, attempt, backend)

    def _watch(self, key: Key, attempt: AttemptId, backend: str) -> None:
        descriptor = self._doer.exit_fd(attempt)
        if descriptor is None:
            self._unwatched[attempt] = time.monotonic() + AGAIN_S
            self._look(key, attempt, backend)
            return
        self._unwatched.pop(attempt, None)
        self._watched[attempt] = descriptor
        self._loop.add_reader(descriptor, self._exited, key, attempt, backend)

    def _exited(self, key: Key, attempt: AttemptId, backend: str) -> None:
        descriptor = self._watched.pop(attempt)
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        self._unwatched[attempt] = time.monotonic() + AGAIN_S
        self._look(key, attempt, backend)

    def _look(self, key: Key, attempt: AttemptId, backend: str) -> None:
        def look() -> list[events.Event]:
            seen = self._doer.look(key, attempt, backend)
            return [seen] if seen is not None else []

        self._spawn(look)

    def _watch_targets(self, now: float) -> None:
        """Look whether what keeps a merge from landing is gone: one look at a time, less often the less it helps."""
        waiting = self._turns.blocked_landings()
        self._targets = {key: self._targets.get(key, 0.0) for key in waiting}
        for key, (do, tries) in waiting.items():
            if now >= self._targets[key]:
                self._targets[key] = math.inf  # until this look has been had
                self._spawn(functools.partial(self._look_at_target, key, do, tries))

    def _look_at_target(self, key: Key, do: actions.LandWork, tries: int) -> list[events.Event]:
        clean = self._doer.target_is_clean(do)
        pause_s = min(TARGET_S_MAX, TARGET_S * 2.0 ** (tries - 1))
        self._loop.call_soon_threadsafe(self._targets.__setitem__, key, time.monotonic() + pause_s)
        return [events.TargetCleaned(key)] if clean else []

    def _watch_programs(self, now: float) -> None:
        """Look for the programs of agents, and tell what is news."""
        for look in self._turns.scout.looks(self._machine.state, now):
            self._spawn(functools.partial(self._look_for, look), self._scout_pool)

    def _look_for(self, look: scouting.Look) -> list[events.Event]:
        found = self._doer.look_for(look)
        self._loop.call_soon_threadsafe(self._turns.scout.done, look)
        return found
