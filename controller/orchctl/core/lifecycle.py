"""Events of a Task's life beside its stages: what people ask of it, what it waits for, how it begins again.

A request is a fact: somebody has asked, by a file in the inbox, and its token makes sure that it counts once. The
others are decisions. All of them are listed in `events.EVENTS`.
"""

from __future__ import annotations

import dataclasses

from orchctl.core.happenings import Decision, Event
from orchctl.core.ids import Key
from orchctl.core.plan import Plan

# --- facts: requests --------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Request(Event):
    token: str  # of the file it came in; one has an effect once
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class SuspendRequested(Request):
    reason: str = ""
    until: float | None = None  # wall time


@dataclasses.dataclass(frozen=True, slots=True)
class ResumeRequested(Request):
    pass


@dataclasses.dataclass(frozen=True, slots=True)
class CancelRequested(Request):
    mode: str  # Now | AfterCleanup | AfterCurrent
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class RetryRequested(Request):
    from_stage: str = ""  # empty: the one it ended in


@dataclasses.dataclass(frozen=True, slots=True)
class RequestRefused(Request):
    """It could not be done as the object stood then; who asked reads here why."""

    verb: str
    reason: str


# --- decisions --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class SuspensionExpired(Decision):
    """The time somebody suspended it for is over."""


@dataclasses.dataclass(frozen=True, slots=True)
class TaskNeverStarted(Decision):
    """It ends before it has begun: nothing was pinned, made or run."""

    outcome: str  # Failed | Cancelled | Skipped
    reason: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class TaskRestarted(Decision):
    """A task that had ended goes on, with what it runs with pinned anew; attempts go on being counted."""

    plan: Plan
    stage: int
    cycle: int


@dataclasses.dataclass(frozen=True, slots=True)
class WorktreeReused(Decision):
    """Its task goes on in it: what was done to put it away no longer counts."""


@dataclasses.dataclass(frozen=True, slots=True)
class StageAsked(Decision):
    """The failure edge of this stage leads to a person."""

    stage: int
    reason: str
    message: str
    feedback: str


@dataclasses.dataclass(frozen=True, slots=True)
class StageContinued(Decision):
    """The stage has failed, and its pipeline says to go on all the same."""

    stage: int
    name: str
    reason: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class DependencyMet(Decision):
    """What it waited for in another task has come, and stays so whatever becomes of that one."""

    task: Key
    until: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class StartTimeReached(Decision):
    """Its `startAfter` has come; a clock that is set back does not undo that."""

    start_after: str


@dataclasses.dataclass(frozen=True, slots=True)
class ClockJumped(Decision):
    """The clock on the wall was set: by how many seconds against the time that has passed."""

    seconds: float


LIFECYCLE: tuple[type[Event], ...] = (
    SuspendRequested,
    ResumeRequested,
    CancelRequested,
    RetryRequested,
    RequestRefused,
    SuspensionExpired,
    TaskNeverStarted,
    TaskRestarted,
    WorktreeReused,
    StageAsked,
    StageContinued,
    DependencyMet,
    StartTimeReached,
    ClockJumped,
)
