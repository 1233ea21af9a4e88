"""The bases of all events. Everybody but the modules that define events takes them from `events`."""

from __future__ import annotations

import dataclasses

from orchctl.core.ids import Key


@dataclasses.dataclass(frozen=True, slots=True)
class Now:
    """The one `now` of a turn: `at` is wall time (shown), `t` controller time (durations survive restarts)."""

    at: float
    t: float


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    key: Key


@dataclasses.dataclass(frozen=True, slots=True)
class Decision(Event):
    """Made by the machine itself, never handed to it: a replay makes it again and compares."""
