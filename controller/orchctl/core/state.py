"""The state every decision reads: a fold of the ledger and nothing else.

One `Object` per key holds what is desired (from git), what has happened (per kind) and what is open. All values are
frozen; `evolve` is the only thing that makes new ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from orchctl.api.conditions import Condition
from orchctl.core.actions import Action
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.gates.verdicts import Finding
from orchctl.core.ids import ActionKey, AttemptId, Key, Oid
from orchctl.core.judgements import CommitLine, FoundWindow, Principal, Standing
from orchctl.core.plan import Plan
from orchctl.core.ports import Phase
from orchctl.core.questions import QuestionState
from orchctl.core.versioned import Versioned


@dataclasses.dataclass(frozen=True, slots=True)
class Desired:
    uid: str
    generation: int
    spec_digest: str
    spec: str
    path: str
    line: int
    blob: str
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    unsupported: tuple[str, ...] = ()  # fields that are set and have no behaviour yet; `kind`: the kind as such
    harmless: tuple[str, ...] = ()  # those of them without which what is done stays the same

    @property
    def in_the_way(self) -> tuple[str, ...]:
        """Fields nobody may go on without: what would be done would be something else than what is asked."""
        return tuple(field for field in self.unsupported if field not in self.harmless)


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """One process under a shim: an agent run, the commit of leftovers, or a check."""

    id: AttemptId
    purpose: str  # agent | commit | check
    name: str
    submitted: Now
    stage: str = ""  # of a check: the stage it guards
    check_digest: str = ""  # of a check: what it runs
    tree: str = ""  # of a check: what it judges
    phase: Phase = Phase.STARTING
    pid: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    output_bytes: int = 0
    reason: str = ""
    message: str = ""
    tail: str = ""
    ended: Now | None = None
    cancelling: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """What one check said about one tree. Equal tree and equal check: it need not run again (GATE-1)."""

    check: str
    digest: str
    tree: Oid
    passed: bool
    exit_code: int | None
    message: str
    tail: str
    attempt: AttemptId
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class StageRecord:
    state: str = "Pending"  # Pending | Running | Passed | Failed
    started: Now | None = None
    ended: Now | None = None
    message: str = ""
    loops: int = 0  # how often its failure edge was taken in this run


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """The last verdict of one gate, and since when it is that."""

    finding: Finding
    since: Now


@dataclasses.dataclass(frozen=True, slots=True)
class Gating:
    """What the gates of a task that are no commands have said and rest on."""

    judged: tuple[Judged, ...] = ()
    windows: tuple[FoundWindow, ...] = ()
    approvals: tuple[Key, ...] = ()  # those that name the task, whatever they are worth
    revoked: tuple[Key, ...] = ()  # those taken back after the merge that rested on them


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """The merge commit that would land, and the target it was computed on."""

    target: Oid
    commit: Oid
    tree: Oid
    paths: tuple[str, ...]
    protected: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Ending:
    outcome: str
    reason: str
    message: str
    at: Now
    mode: str = ""  # of a task that is to end: Now | AfterCleanup | AfterCurrent


@dataclasses.dataclass(frozen=True, slots=True)
class Suspension:
    """Somebody has asked that it stands still, beside what its manifest says."""

    actor: str
    reason: str
    since: Now
    until: float | None  # wall time


@dataclasses.dataclass(frozen=True, slots=True)
class Cancellation:
    actor: str
    reason: str
    mode: str
    at: Now


@dataclasses.dataclass(frozen=True, slots=True)
class Handled:
    """The last request that was taken up: who asked looks for its token here."""

    token: str
    verb: str
    actor: str
    at: Now
    refused: str = ""  # why nothing came of it


@dataclasses.dataclass(frozen=True, slots=True)
class Life:
    """What people have asked of a Task, and what it knows before it starts."""

    suspension: Suspension | None = None
    cancellation: Cancellation | None = None
    handled: Handled | None = None
    unstarted: Ending | None = None  # how it ended without ever having started
    met: tuple[tuple[Key, str], ...] = ()  # the dependencies that have come: which task, how far
    start_reached: str = ""  # the `startAfter` that has come


@dataclasses.dataclass(frozen=True, slots=True)
class Rendering:
    """What the templates of a stage became, once per cycle."""

    stage: int
    cycle: int
    digest: str
    texts: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Retry:
    """It is to go on after its end, and waits for that."""

    from_stage: str
    was: Ending


@dataclasses.dataclass(frozen=True, slots=True)
class TaskState:
    plan: Plan
    started: Now
    stages: tuple[StageRecord, ...]
    requester: Principal | None = None  # who asked for the work it runs with
    stage: int = 0
    cycle: int = 0  # how often it has gone back to a stage or on after an end; its attempts are one more
    feedback: str = ""
    rendering: Rendering | None = None  # the last one
    branch: str = ""  # the target branch, once known
    target: Oid | None = None  # head of the target branch when last fetched
    base: Oid | None = None  # the commit the worktree was made from
    head: Oid | None = None  # the imported work
    head_tree: Oid | None = None
    imported: tuple[int, int] = (-1, -1)  # the (stage, cycle) whose work that is
    paths: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()  # those of the changed paths that no agent may change
    outside: tuple[str, ...] = ()  # those that the task did not say it touches
    changed: int = 0  # how many paths the work changes, also those not kept in `paths`
    offending: tuple[tuple[str, tuple[str, ...]], ...] = ()  # by the digest of a files rule, the paths it forbids
    commits: int = 0
    log: tuple[CommitLine, ...] = ()  # the first of the work's commits
    gating: Gating = Gating()
    control: bool = False  # the project's repo is the one the manifests are in
    checks: tuple[Attempt, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    room: str = ""
    room_commit: Oid | None = None
    room_begun: bool = False  # one may be on disk, whatever came of making it
    candidate: Candidate | None = None
    target_fresh: bool = False  # fetched for this try at merging
    conflicts: tuple[str, ...] = ()
    dirty: tuple[str, ...] = ()  # paths that keep the merge from landing
    dirty_tries: int = 0  # landings in a row that found some
    landed: Oid | None = None
    slots: tuple[Key, ...] = ()  # what it has its part of, by the objects that limit it; none while it waits
    waited_s: float = 0.0  # time spent waiting for people, which does not count against the timeout
    stopping: Ending | None = None
    ended: Ending | None = None
    asked: Ending | None = None  # a stage has failed for good, and a person has to say what follows
    asks: int = 0  # how often that has been
    findings: str = ""  # of the last failure that was about the work
    retry: Retry | None = None
    restarted: Now | None = None  # when it last went on after an end
    former: tuple[str, ...] = ()  # stages with an agent, of what it ran with before
    checks_before: int = 0  # how many of `checks` are of earlier runs

    @property
    def began(self) -> Now:
        """When this run of it began."""
        return self.restarted or self.started


@dataclasses.dataclass(frozen=True, slots=True)
class SessionState:
    uid: str
    task: Key
    worktree: Key
    stage: int
    cycle: int
    number: int
    prompt: str
    created: Now
    agent: str = ""
    attempts: tuple[Attempt, ...] = ()
    succeeded: bool | None = None
    reason: str = ""
    message: str = ""
    ended: Now | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class WorktreeState:
    uid: str
    task: Key
    project: str
    branch: str
    commit: Oid
    created: Now
    path: str = ""
    attempts: tuple[Attempt, ...] = ()  # commits of what is left in it, before it is removed
    removed: Now | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class SourceState:
    """What there is to say about where the manifests come from. Told only of a source that is more than a branch."""

    remote: str = ""  # what is fetched from
    synced: Now | None = None  # the first fetch that went well after one that did not
    unreachable: str = ""  # why the last fetch failed
    offline: bool = False  # of that: nothing answered
    synced_at: float = 0.0  # of that: wall time of the last fetch that went well
    refused: Oid | None = None  # the commit the ref is at and that is not taken up
    refusal: str = ""
    verified: Oid | None = None  # the commit in force, where a signature was asked for
    signer: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Failures:
    """Consecutive failures of the same verb, for backing off and for giving up."""

    verb: str
    count: int
    last: Now
    transient: bool
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """What was found, when it was last looked for, of the program that an Agent runs."""

    name: str  # as the Agent calls it
    spec_digest: str  # of the Agent it was looked for
    path: str  # absolute; empty when it is not there
    version: str  # empty when it does not say, or nobody knows how to ask it
    mark: str  # of the file: another one when the file has changed
    problem: str  # why it cannot be run, and empty when it can
    since: Now


@dataclasses.dataclass(frozen=True, slots=True)
class Keyring:
    """Whether the files that an Account names could be read when they were last looked at."""

    spec_digest: str
    problem: str
    since: Now


@dataclasses.dataclass(frozen=True, slots=True)
class Object:
    key: Key
    created: Now
    desired: Desired | None = None
    problems: tuple[str, ...] = ()
    problems_path: str = ""
    withdrawn: bool = False
    life: Life = Life()
    task: TaskState | None = None
    session: SessionState | None = None
    worktree: WorktreeState | None = None
    principal: Principal | None = None  # who said what is desired now, where that matters
    said: Now | None = None  # when that was taken up
    standing: Standing | None = None  # of an Approval
    question: QuestionState | None = None
    program: Program | None = None  # of an Agent
    keyring: Keyring | None = None  # of an Account
    source: SourceState | None = None
    open: Action | None = None  # the one action of this object under way
    actions: int = 0  # ordinal of the next action
    failures: Failures | None = None
    because: Because | None = None
    because_since: Now | None = None
    conditions: tuple[Condition, ...] = ()
    seq: int = 0  # of the last event that touched it
    stalled: str = ""  # an event of our own did not fit: this object stands still, the loop does not


@dataclasses.dataclass(frozen=True, slots=True)
class Revision:
    ref: str
    commit: Oid
    tree: Oid
    roots: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class BlockedPrune:
    """What may not be withdrawn until a person says so, or it is less. The objects are named in the event."""

    revision: str
    digest: str  # of their keys
    message: str
    reason: str = ""
    confirmed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class MemoryShort:
    """Less memory is free than Settings want before anything is started; in bytes, as it was when that began."""

    free: int
    wanted: int


WORK_KINDS = frozenset({"Task", "Session", "Worktree", "Question"})  # as many as there is work; all others are few


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    seq: int = 0
    turn: int = 0
    revision: Revision | None = None
    blocked: BlockedPrune | None = None
    pressed: str = ""  # the disk of the ledger is full: what is said of it
    tokens: tuple[str, ...] = ()  # of the last requests that were taken up
    memory: MemoryShort | None = None
    wall: float | None = None  # wall time minus controller time, when the clock was last known to be set
    groups: Mapping[Key, tuple[Key, ...]] = dataclasses.field(default_factory=dict)  # Tasks that land together
    objects: Mapping[Key, Object] = dataclasses.field(default_factory=Versioned)
    open: Mapping[ActionKey, Key] = dataclasses.field(default_factory=Versioned)
    declared: Mapping[Key, None] = dataclasses.field(default_factory=Versioned)  # the few objects that only say things
