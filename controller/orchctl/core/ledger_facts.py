"""Facts about the ledger and who writes it: a start, its disk, a recovery. Part of `events`, where others take them."""

from __future__ import annotations

import dataclasses

from orchctl.core.happenings import Event


@dataclasses.dataclass(frozen=True, slots=True)
class ControllerStarted(Event):
    """A run of a controller begins: what it decided when no longer matters, everything is decided once."""

    release: str


@dataclasses.dataclass(frozen=True, slots=True)
class DiskPressed(Event):
    """The disk of the ledger is so full that the space set aside had to be used: no new work is begun."""

    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class DiskEased(Event):
    """There is room again."""


@dataclasses.dataclass(frozen=True, slots=True)
class LedgerRecovered(Event):
    """A damaged ledger was made anew from what of it could be read. What it no longer knows, the world still does."""

    lost: int  # events that were recorded and are not here
    folder: str  # where the damaged files are kept
    base: str = ""  # digest of the objects it was gone on from, where the events before could not be folded


@dataclasses.dataclass(frozen=True, slots=True)
class LedgerSealed(Event):
    """The oldest events were moved to a segment file. What they led to is in the objects, so nothing else changes."""

    first: int
    last: int
    hash: str  # of the last event: the next one follows it
    digest: str  # of the file
    state: str  # digest of all objects and counters as the last event left them
