"""Facts about the machine the controller runs on: programs, secrets, memory. Taken from `events` by all others."""

from __future__ import annotations

import dataclasses

from orchctl.core.happenings import Event


@dataclasses.dataclass(frozen=True, slots=True)
class AgentProbed(Event):
    """What is found of an Agent's program on this machine is other than it was, or is known for the first time."""

    program: str
    spec_digest: str  # of the Agent it was looked for
    path: str
    version: str
    mark: str
    problem: str


@dataclasses.dataclass(frozen=True, slots=True)
class AccountProbed(Event):
    """Whether the files of an Account can be read is other than it was, or is known for the first time."""

    spec_digest: str  # of the Account they were looked for
    problem: str  # which of them cannot be used, and why; never what is in one


@dataclasses.dataclass(frozen=True, slots=True)
class MemoryObserved(Event):
    """Free memory fell below what Settings want for starting anything, or rose well above it again; in bytes."""

    free: int
    wanted: int
    short: bool
