"""What the core's decisions need done in the world, as protocols that the adapters fulfil.

A port is here only when it has a fake or a second real implementation. Every call is blocking, carries its own
deadline, and may be made again with the same arguments after a crash: it then finds what the first call did.
Calls raise `WorldError` subclasses and nothing else.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from typing import Protocol

from orchctl.core.ids import AttemptId, Oid


class WorldError(Exception):
    """The world did not do what was asked. The message is one sentence a person can act on."""


class TransientError(WorldError):
    """It may work if tried again later (a lock, a busy disk, a missing network)."""


class PermanentError(WorldError):
    """Trying again changes nothing; a person has to act (no such branch, not a repository)."""


class Phase(enum.StrEnum):
    ABSENT = "Absent"  # never submitted here
    STARTING = "Starting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"  # exit code 0
    FAILED = "Failed"  # any other exit code, or a signal
    CANCELLED = "Cancelled"  # ended because cancel() was called
    LOST = "Lost"  # its shim is gone and left no exit record
    UNKNOWN = "Unknown"  # cannot tell now: keep the slot

    @property
    def ended(self) -> bool:
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED, Phase.LOST)


@dataclasses.dataclass(frozen=True, slots=True)
class AttemptSpec:
    """One process to run under a shim. `env` is complete: nothing of the controller's own environment is added."""

    attempt: AttemptId
    argv: tuple[str, ...]
    cwd: str
    env: tuple[tuple[str, str], ...]
    stdin: str = ""
    secrets: tuple[str, ...] = ()  # values masked in the output before it is written
    output_limit: int = 64 * 1024 * 1024  # bytes of raw log kept (head and tail)


@dataclasses.dataclass(frozen=True, slots=True)
class Observation:
    attempt: AttemptId
    phase: Phase
    exit_code: int | None = None
    signal: int | None = None
    pid: int | None = None  # of the agent process, while it runs
    output_bytes: int = 0
    detail: str = ""  # one line for people: why Lost, why Unknown, what could not be started


class Executor(Protocol):
    """Places, observes and kills attempts; never retries and never decides."""

    def submit(self, spec: AttemptSpec) -> Observation:
        """Start the attempt, at most once ever for its id; a second call only observes."""

    def observe(self, attempt: AttemptId) -> Observation: ...

    def list(self) -> Sequence[Observation]:
        """Every attempt this executor still holds records of."""

    def read(self, attempt: AttemptId, offset: int, limit: int) -> bytes:
        """Raw output from an absolute offset; empty at the end or when unknown."""

    def cancel(self, attempt: AttemptId, grace_s: float) -> Observation:
        """TERM, then KILL after the grace; returns when the whole process tree is seen gone."""

    def exit_fd(self, attempt: AttemptId) -> int | None:
        """A descriptor that becomes readable when the attempt's shim ends (caller closes it), else None."""

    def forget(self, attempt: AttemptId) -> None:
        """Drop what is only needed while it runs (sockets, locks); records and logs stay."""

    def close(self) -> None:
        """Let go of helpers such as the zygote; running attempts go on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Synced:
    head: Oid  # of the target branch in the project's repo, now also in the hub
    tree: Oid


@dataclasses.dataclass(frozen=True, slots=True)
class Imported:
    commit: Oid
    tree: Oid
    paths: tuple[str, ...]  # all that changed against the base
    commits: int  # how many commits since the base
    log: tuple[tuple[Oid, str], ...] = ()  # the newest of them, each with its message


@dataclasses.dataclass(frozen=True, slots=True)
class Merged:
    commit: Oid
    tree: Oid
    paths: tuple[str, ...]  # changed against the target


@dataclasses.dataclass(frozen=True, slots=True)
class Conflicted:
    paths: tuple[str, ...]


class LandResult(enum.StrEnum):
    LANDED = "Landed"
    MOVED = "Moved"  # the target is not what it was: compute the merge again
    DIRTY = "Dirty"  # the target is checked out and a changed path has uncommitted edits there


@dataclasses.dataclass(frozen=True, slots=True)
class Landing:
    result: LandResult
    paths: tuple[str, ...] = ()  # the dirty ones


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit of ours is by, and when; fixed by the intent, so doing it again gives the same object id."""

    name: str
    email: str
    at: int  # seconds since the epoch; the zone is always +0000


class Workspace(Protocol):
    """Hubs, worktrees, gate rooms and merges of one controller. `project` is the hub's name, `ns/name`."""

    def sync(self, project: str, repo: str, branch: str) -> Synced:
        """Make the hub if there is none and fetch the project's branch into it."""

    def create_tree(self, project: str, name: str, branch: str, commit: Oid) -> str:
        """An isolated clone with `branch` checked out at `commit`; returns its path. Renamed into place."""

    def tree_path(self, project: str, name: str) -> str | None:
        """Where that worktree is, if it exists."""

    def import_work(self, project: str, name: str, ref: str, base: Oid) -> Imported:
        """Fetch the clone's HEAD, fsck'd, into the hub's `ref` (refs/orch/...) and say what it changed."""

    def move_branch(self, project: str, branch: str, new: Oid) -> None:
        """Point the hub's branch at `new`, by compare-and-swap."""

    def drop_branch(self, project: str, branch: str) -> None:
        """Remove the hub's branch; absent is fine. Its commits stay reachable from refs/orch."""

    def create_room(self, project: str, name: str, commit: Oid) -> str:
        """A fresh checkout of `commit` for checks; replaces what an earlier run left there."""

    def merge(self, project: str, target: Oid, head: Oid, message: str, by: Identity) -> Merged | Conflicted:
        """Merge commit without a checkout, one parent (Squash): deterministic in its arguments."""

    def land(self, project: str, repo: str, branch: str, new: Oid, old: Oid) -> Landing:
        """Move the project's branch from `old` to `new`, its checkout too; LANDED also if it already holds `new`."""

    def blocked_by(self, project: str, repo: str, branch: str, new: Oid, old: Oid) -> tuple[str, ...]:
        """The dirty paths that would keep `land` from landing now. Changes nothing."""

    def salvage(self, project: str, name: str, ref_prefix: str) -> tuple[str, ...]:
        """Keep every ref, stash included, and uncommitted work's commit of the clone under the hub's `ref_prefix`."""

    def remove_tree(self, project: str, name: str) -> None:
        """Remove a worktree or room; absent is fine."""
