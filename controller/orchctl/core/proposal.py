"""The answer of `propose`: what an object would do next, and why, as a value nobody has acted on yet."""

import dataclasses

from orchctl.core import events
from orchctl.core.actions import Effect
from orchctl.core.because import Because
from orchctl.core.state import Object


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """At most one of `decisions` and `do` is filled: an object takes one step at a time."""

    because: Because
    decisions: tuple[events.Decision, ...] = ()
    do: Effect | None = None
    needs_slot: bool = False  # taking the step means starting work that counts against the session limits
    requested: bool = False  # a person asked for just this step: it goes before what nobody asked for
    wake_at: float | None = None  # controller time at which to decide again although nothing has changed
    wall_at: float | None = None  # the same in wall time
    resting: bool = False  # the wake-up is only to look again: the object itself waits for nothing but a person


def busy(obj: Object) -> Proposal:
    """The object has an action under way: what it was started for stays the answer to why."""
    assert obj.open is not None
    return Proposal(obj.because or Because("LOG-2", f"{obj.open.do.verb} is under way"))
