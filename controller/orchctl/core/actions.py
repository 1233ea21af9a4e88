"""Everything the controller can do to the world, as values.

An effect says what to do and with what; an Action is one intended occurrence of it, named by a key that is the hash
of all that makes it that occurrence. The ledger holds the action before it is done and its outcome after, so that at
restart each open action can be probed by its key instead of guessed about.

Adding an effect means: a class here, an entry in `EFFECTS`, a handler in `app.effects` that finds what an earlier call
of it did. The crash test enumerates `EFFECTS`, so an effect that no test kills the controller around fails the build.
"""

from __future__ import annotations

import dataclasses
import hashlib

from orchctl.core.ids import ActionKey, AttemptId, Key, Oid
from orchctl.core.plan import FilesRule, WindowRule


class Effect:
    """Base of all effects. Each has a field `verb` equal to its class name: that is its tag in the ledger."""

    __slots__ = ()
    verb: str


@dataclasses.dataclass(frozen=True, slots=True)
class SyncHub(Effect):
    """Fetch the project's target branch into its hub. Repeatable."""

    project: str
    repo: str
    branch: str
    verb: str = "SyncHub"


@dataclasses.dataclass(frozen=True, slots=True)
class CreateTree(Effect):
    """Make the worktree. Probeable: it is renamed into place."""

    project: str
    name: str
    branch: str
    commit: Oid
    verb: str = "CreateTree"


@dataclasses.dataclass(frozen=True, slots=True)
class RenderPrompt(Effect):
    """Render a stage's templates. Repeatable: the result follows from what is here."""

    texts: tuple[tuple[str, str], ...]  # name of the field, for people, and its template
    roots: str  # canonical JSON of what expressions may name
    verb: str = "RenderPrompt"


@dataclasses.dataclass(frozen=True, slots=True)
class RunAgent(Effect):
    """Start the agent of a session under a shim. Probeable: a shim starts at most once per attempt id."""

    attempt: AttemptId
    backend: str
    agent: str
    command: tuple[str, ...]
    prompt: str
    cwd: str
    env: tuple[tuple[str, str], ...]
    number: int  # which agent run of this task it is, from 1
    model: str = ""  # empty: the program's own choice
    secrets: tuple[tuple[str, str], ...] = ()  # variables, each with the file of its value
    verb: str = "RunAgent"


@dataclasses.dataclass(frozen=True, slots=True)
class CommitLeftovers(Effect):
    """Commit what the agent left uncommitted, in its own worktree with its own rights. Probeable as RunAgent."""

    attempt: AttemptId
    cwd: str
    message: str
    env: tuple[tuple[str, str], ...]
    verb: str = "CommitLeftovers"


@dataclasses.dataclass(frozen=True, slots=True)
class ImportWork(Effect):
    """Bring the worktree's HEAD into the hub and move the task's branch there. Repeatable: refs move to a value."""

    project: str
    name: str
    ref: str
    branch: str
    base: Oid
    protected: tuple[str, ...]  # globs of paths the work must not change
    touches: tuple[str, ...] = ()  # globs of all it may change; empty: any
    files: tuple[FilesRule, ...] = ()  # of the gates that will judge it
    verb: str = "ImportWork"


@dataclasses.dataclass(frozen=True, slots=True)
class FindWindow(Effect):
    """Look up when a window opens and closes. Repeatable: it follows from the schedule and the moment asked about."""

    stage: str
    gate: str
    rule: WindowRule
    at: float
    verb: str = "FindWindow"


@dataclasses.dataclass(frozen=True, slots=True)
class CreateRoom(Effect):
    """Make a fresh gate room at a commit. Repeatable: it replaces what was there."""

    project: str
    name: str
    commit: Oid
    verb: str = "CreateRoom"


@dataclasses.dataclass(frozen=True, slots=True)
class RunCheck(Effect):
    """Run one check in the gate room as an attempt. Probeable as RunAgent."""

    attempt: AttemptId
    check: str
    run: str
    check_digest: str
    tree: Oid  # what is judged: the evidence is valid for this tree only
    cwd: str
    env: tuple[tuple[str, str], ...]
    verb: str = "RunCheck"


@dataclasses.dataclass(frozen=True, slots=True)
class CancelAttempt(Effect):
    """End an attempt and everything it started. Repeatable."""

    attempt: AttemptId
    grace_s: float
    reason: str
    verb: str = "CancelAttempt"


@dataclasses.dataclass(frozen=True, slots=True)
class MergeWork(Effect):
    """Compute the merge commit without a checkout. Repeatable: the same inputs give the same object id."""

    project: str
    target: Oid
    head: Oid
    message: str
    at: int
    protected: tuple[str, ...]  # globs of paths the result must not change on the target
    verb: str = "MergeWork"


@dataclasses.dataclass(frozen=True, slots=True)
class LandWork(Effect):
    """Move the project's branch to the merge commit by compare-and-swap. Probeable: does the branch hold it?"""

    project: str
    repo: str
    branch: str
    new: Oid
    old: Oid
    verb: str = "LandWork"


@dataclasses.dataclass(frozen=True, slots=True)
class RemoveTree(Effect):
    """Salvage every ref of a worktree into the hub, then remove it, and the task's branch once merged. Repeatable."""

    project: str
    name: str
    salvage: str  # ref prefix in the hub; empty for a gate room, which holds nothing of anyone
    branch: str = ""  # of the hub, to be removed too: its work is on the target and under refs/orch
    verb: str = "RemoveTree"


EFFECTS: dict[str, type[Effect]] = {
    effect.__name__: effect
    for effect in (
        SyncHub,
        CreateTree,
        RenderPrompt,
        RunAgent,
        CommitLeftovers,
        ImportWork,
        FindWindow,
        CreateRoom,
        RunCheck,
        CancelAttempt,
        MergeWork,
        LandWork,
        RemoveTree,
    )
}


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    key: ActionKey
    object: Key
    do: Effect


def action_key(*parts: str | int) -> ActionKey:
    """Hash of everything that makes this action itself; parts are separated so that no two lists can collide."""
    text = "\x1f".join(str(part) for part in parts)
    return ActionKey(hashlib.sha256(text.encode()).hexdigest()[:32])
