"""What is true outside of the controller: repositories, worktrees, processes. The oracles look at this and at nothing
the controller believes.

The parts of a world change only through their own modules; what an oracle needs to have seen is written down here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from orchctl.core.ids import AttemptId, Oid
from orchctl.core.ports import Phase
from orchctl.testing.sim.agenda import Agenda
from orchctl.testing.sim.chance import Chance
from orchctl.testing.sim.faults import Swarm
from orchctl.testing.sim.objects import Objects


@dataclasses.dataclass(slots=True)
class Repository:
    """Somebody's repository: the control repo, or that of a project. `dirty` are uncommitted edits of its checkout."""

    name: str
    branch: str
    head: Oid
    dirty: dict[str, str] = dataclasses.field(default_factory=dict)
    gone: dict[Oid, None] = dataclasses.field(default_factory=dict)  # commits that were collected as garbage


@dataclasses.dataclass(slots=True)
class Hub:
    refs: dict[str, Oid] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class Clone:
    """A worktree or a gate room: its own branch, and files as they lie there."""

    path: str
    project: str
    branch: str  # empty for a room
    head: Oid
    files: dict[str, str]
    unfinished: bool = False  # a merge that nobody ended

    @property
    def is_room(self) -> bool:
        return not self.branch


@dataclasses.dataclass(slots=True)
class Process:
    """One attempt that came to life, and what became of it."""

    attempt: AttemptId
    purpose: str  # agent | commit | check
    cwd: str
    argv: tuple[str, ...]
    env: dict[str, str]
    started: float
    phase: Phase = Phase.RUNNING
    exit_code: int | None = None
    ended: float | None = None
    disowned: bool = False  # who started it was told that it had not started
    tree: Oid | None = None  # of a check: what lay in its room when it began
    output_bytes: int = 0
    subject: str = ""  # what chance about it goes by: the same whatever its ids are

    @property
    def lives(self) -> bool:
        return self.ended is None


@dataclasses.dataclass(frozen=True, slots=True)
class Landed:
    """The target branch was moved by the controller."""

    project: str
    before: Oid
    after: Oid
    task: str  # as the commit's message says
    work: Oid
    at: float


@dataclasses.dataclass(slots=True)
class World:
    seed: int
    chance: Chance
    agenda: Agenda
    swarm: Swarm
    objects: Objects
    control: Repository
    projects: dict[str, Repository]
    hubs: dict[str, Hub] = dataclasses.field(default_factory=dict)
    clones: dict[str, Clone] = dataclasses.field(default_factory=dict)  # by path
    processes: dict[AttemptId, Process] = dataclasses.field(default_factory=dict)
    made_in: dict[Oid, str] = dataclasses.field(default_factory=dict)  # the clone a commit was made in
    landings: list[Landed] = dataclasses.field(default_factory=list)
    verdicts: dict[tuple[str, Oid], dict[bool, None]] = dataclasses.field(default_factory=dict)  # (command, tree)
    limits: dict[str, int] = dataclasses.field(default_factory=dict)  # the highest ever said for a project
    protected: tuple[str, ...] = ()
    checks: dict[str, dict[tuple[str, ...], None]] = dataclasses.field(default_factory=dict)  # ever said for a project
    runs_max: int = 10  # how often a task's agents may run, by any pipeline
    times: dict[str, int] = dataclasses.field(default_factory=dict)
    wall_offset: float = 0.0
    violations: list[str] = dataclasses.field(default_factory=list)
    told: list[Callable[[Process], None]] = dataclasses.field(default_factory=list)  # who hears of ends
    trace: Callable[[str], None] = lambda line: None

    def nth(self, subject: str) -> int:
        """How often this was asked for the same subject, from 1."""
        self.times[subject] = self.times.get(subject, 0) + 1
        return self.times[subject]

    def complain(self, *complaints: str | None) -> None:
        self.violations += [one for one in complaints if one is not None]

    def living(self, purpose: str = "") -> list[Process]:
        return [one for one in self.processes.values() if one.lives and purpose in ("", one.purpose)]

    def offline(self, project: str) -> bool:
        """Whether the project's repository cannot be reached in this stretch of time."""
        rate = self.swarm.rates.get("offline", 0.0) if self.swarm.raging else 0.0
        return self.chance.happens(rate, "offline", project, int(self.agenda.now // 120))
