"""Replay: a ledger followed turn by turn, each decision made again from the facts alone and compared (LOG-3).

What a turn was given are its facts, what it made of them are its decisions; both are recorded, so no repo, process or
clock is asked for anything. A difference means that this release would decide otherwise than the one that did.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence

from orchctl.core import events, evolve, runtime
from orchctl.core.ids import SOURCE
from orchctl.core.state import State


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """The first place in a turn where what was decided and what is decided now part."""

    turn: int
    seq: int  # of the recorded event, or of the last one before it
    recorded: events.Event | None  # None: nothing more was decided then
    decided: events.Event | None  # None: nothing more is decided now


_NOTHING = State()


def state_at(recorded: Iterable[events.Recorded], seq: int, base: State = _NOTHING) -> State:
    """The state after that event."""
    return fold(base, itertools.takewhile(lambda one: one.seq <= seq, recorded))


def fold(state: State, recorded: Iterable[events.Recorded]) -> State:
    for one in recorded:
        state = evolve.evolve(state, one)
    return state


def verify(recorded: Iterable[events.Recorded], base: State = _NOTHING) -> Iterator[Difference]:
    """Every turn that would go otherwise now. After a difference it goes on from what was recorded."""
    machine = runtime.Runtime(base)
    for _, turn in itertools.groupby(recorded, key=lambda one: one.turn):
        batch = list(turn)
        if any(isinstance(one.event, events.ControllerStarted) for one in batch):
            machine = runtime.Runtime(machine.state)  # who waits for what is known to one run only
        before = machine.state
        difference = _again(machine, batch)
        if difference is not None:
            yield difference
            machine = _resumed(fold(before, batch), batch[-1])


def _resumed(state: State, last: events.Recorded) -> runtime.Runtime:
    """A machine at this state that knows who reads what and when to look again; what it would decide is put aside."""
    machine = runtime.Runtime(state)
    machine.step([events.ControllerStarted(SOURCE, release="")], last.now)
    machine.rewind(state)
    return machine


def _again(machine: runtime.Runtime, batch: Sequence[events.Recorded]) -> Difference | None:
    facts = [one.event for one in batch if not isinstance(one.event, events.Decision)]
    step = machine.step(facts, batch[0].now)
    last = batch[0].seq - 1
    for was, now in itertools.zip_longest(batch, step.recorded):
        if was is None or now is None or was.event != now.event:
            recorded = was.event if was is not None else None
            decided = now.event if now is not None else None
            return Difference(batch[0].turn, was.seq if was is not None else last, recorded, decided)
        last = was.seq
    return None
