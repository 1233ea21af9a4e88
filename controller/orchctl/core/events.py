"""What happened, as plain frozen values: the only input of `evolve` and the content of the ledger.

Three families. Facts come from outside and pass `accept` first: admission, outcomes of actions, ends of attempts.
Decisions are our own and change state without an effect. Intents (`ActionStarted`) announce an effect before it is
done. Names may change freely until the first tagged release.
"""

from __future__ import annotations

import dataclasses

from orchctl.core.actions import Action
from orchctl.core.because import Because
from orchctl.core.happenings import Decision as Decision
from orchctl.core.happenings import Event as Event
from orchctl.core.happenings import Now as Now
from orchctl.core.ids import ActionKey, AttemptId, Key, Oid
from orchctl.core.judgements import JUDGEMENTS, CommitLine, FoundWindow, Principal
from orchctl.core.ledger_facts import ControllerStarted as ControllerStarted
from orchctl.core.ledger_facts import DiskEased as DiskEased
from orchctl.core.ledger_facts import DiskPressed as DiskPressed
from orchctl.core.ledger_facts import LedgerRecovered as LedgerRecovered
from orchctl.core.ledger_facts import LedgerSealed as LedgerSealed
from orchctl.core.lifecycle import LIFECYCLE
from orchctl.core.plan import Check, Plan
from orchctl.core.ports import LandResult, Phase
from orchctl.core.questions import QUESTIONS
from orchctl.core.surroundings import AccountProbed as AccountProbed
from orchctl.core.surroundings import AgentProbed as AgentProbed
from orchctl.core.surroundings import MemoryObserved as MemoryObserved
from orchctl.core.upstream import UPSTREAM

# --- facts: admission -------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class RevisionObserved(Event):
    ref: str
    commit: Oid
    tree: Oid
    roots: tuple[str, ...]  # the paths manifests are read from
    rewritten: bool = False  # the ref moved to a commit that does not contain the one before
    signer: str = ""  # whose good signature the commit has, where one is asked for


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectAdmitted(Event):
    uid: str
    generation: int
    spec_digest: str
    spec: str  # canonical JSON; the ledger keeps it once per digest
    path: str  # where in the control repo, or `builtin:...`
    line: int
    blob: str
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    unsupported: tuple[str, ...] = ()  # fields that are set and have no behaviour yet; `kind`: the kind as such
    harmless: tuple[str, ...] = ()  # those of them without which what is done stays the same
    principal: Principal | None = None  # who said so, of the kinds where that matters


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectRejected(Event):
    """A manifest that may not be taken up. The last good spec, if any, stays in force (GIT-3)."""

    path: str
    problems: tuple[str, ...]  # each `file:line:col: error: ...`


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectWithdrawn(Event):
    """Its manifest left the tree (GIT-5). It leaves through its finalizers."""


@dataclasses.dataclass(frozen=True, slots=True)
class PruneBlocked(Event):
    """More would be withdrawn than is allowed at once without a person saying so."""

    keys: tuple[str, ...]
    message: str
    revision: str = ""  # the commit in which they were first found gone
    reason: str = ""  # Disabled | Empty | Percent | Outside


@dataclasses.dataclass(frozen=True, slots=True)
class PruneConfirmed(Event):
    """A person has said that what was blocked at this commit may go, and nothing else."""

    revision: Oid
    token: str  # of the request; one has an effect once
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class PruneLifted(Event):
    """Nothing is kept from being withdrawn any more: it was confirmed, came back, or became few enough."""


# --- facts: outcomes of actions ---------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome(Event):
    """Closes the action it names."""

    action: ActionKey


@dataclasses.dataclass(frozen=True, slots=True)
class ActionFailed(Outcome):
    verb: str
    transient: bool
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class HubSynced(Outcome):
    branch: str  # the target branch, also where the project names none
    head: Oid
    tree: Oid
    control: bool = False  # the project's repo is the one that holds the manifests


@dataclasses.dataclass(frozen=True, slots=True)
class TreeCreated(Outcome):
    path: str


@dataclasses.dataclass(frozen=True, slots=True)
class PromptRendered(Outcome):
    digest: str  # of the texts: two agents with equal digests were told the same
    texts: tuple[tuple[str, str], ...]  # by the field names of the effect


@dataclasses.dataclass(frozen=True, slots=True)
class AttemptStarted(Outcome):
    attempt: AttemptId
    pid: int


@dataclasses.dataclass(frozen=True, slots=True)
class WorkImported(Outcome):
    commit: Oid
    tree: Oid
    paths: tuple[str, ...]  # the first of the changed ones; `protected` is judged on all of them
    protected: tuple[str, ...]
    commits: int
    outside: tuple[str, ...] = ()  # the first of those no glob of `touches` means; judged on all paths
    changed: int = 0  # how many paths in all
    offending: tuple[tuple[str, tuple[str, ...]], ...] = ()  # by the digest of a files rule, the paths it forbids
    log: tuple[CommitLine, ...] = ()  # the first of the commits


@dataclasses.dataclass(frozen=True, slots=True)
class WindowFound(Outcome):
    found: FoundWindow


@dataclasses.dataclass(frozen=True, slots=True)
class RoomCreated(Outcome):
    path: str
    commit: Oid


@dataclasses.dataclass(frozen=True, slots=True)
class CancelDone(Outcome):
    attempt: AttemptId


@dataclasses.dataclass(frozen=True, slots=True)
class MergeMade(Outcome):
    target: Oid
    commit: Oid
    tree: Oid
    paths: tuple[str, ...]
    protected: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class MergeConflicted(Outcome):
    target: Oid
    paths: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class LandTried(Outcome):
    result: LandResult
    commit: Oid
    paths: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TreeRemoved(Outcome):
    name: str


# --- facts: from the running world ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class AttemptEnded(Event):
    attempt: AttemptId
    phase: Phase
    exit_code: int | None
    signal: int | None
    output_bytes: int
    reason: str  # CamelCase, what the backend or the check made of it
    message: str
    tail: str = ""  # the last lines of output, kept where a decision or a prompt needs them


@dataclasses.dataclass(frozen=True, slots=True)
class TargetCleaned(Event):
    """The paths that kept a merge from landing are clean again in the user's checkout."""


# --- decisions --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class TaskStarted(Decision):
    plan: Plan


@dataclasses.dataclass(frozen=True, slots=True)
class SlotsTaken(Decision):
    """A task that has started may go on: with the agent of its stage, or after a wait."""

    slots: tuple[Key, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ChecksAdopted(Decision):
    """A task that had nothing to be checked by takes up the checks its project has gained meanwhile."""

    checks: tuple[Check, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class WorktreeRequested(Decision):
    uid: str
    task: Key
    project: str
    branch: str
    commit: Oid


@dataclasses.dataclass(frozen=True, slots=True)
class SessionCreated(Decision):
    uid: str
    task: Key
    worktree: Key
    stage: int
    cycle: int
    number: int
    prompt: str
    agent: str = ""  # its name


@dataclasses.dataclass(frozen=True, slots=True)
class SessionEnded(Decision):
    succeeded: bool
    reason: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class StagePassed(Decision):
    stage: int
    name: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class StageFailed(Decision):
    """The stage's failure edge is taken: cycle counts how often."""

    stage: int
    goto: int
    cycle: int
    reason: str
    message: str
    feedback: str
    findings: str = ""  # of what the work is like and what is wrong with it; equal: nothing has changed


@dataclasses.dataclass(frozen=True, slots=True)
class TaskStopping(Decision):
    """The task is to end without finishing; said again when it is to end sooner than was said before."""

    outcome: str  # Failed | Cancelled
    reason: str
    message: str
    mode: str = "AfterCleanup"  # Now | AfterCleanup | AfterCurrent


@dataclasses.dataclass(frozen=True, slots=True)
class TaskEnded(Decision):
    outcome: str  # Merged | Succeeded | Failed | Cancelled
    reason: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectRemoved(Decision):
    """Withdrawn and finished: it leaves the read model; its history stays."""


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectStalled(Event):
    """Deciding this object, or folding an event of it, found a defect of ours: it stands still, the others go on.

    No decision: a release without the defect would not make it again, and what follows from it is history all the same.
    """

    defect: str


@dataclasses.dataclass(frozen=True, slots=True)
class Explained(Decision):
    """The answer to `why` changed."""

    because: Because


# --- intents ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class ActionStarted(Decision):
    action: Action


EVENTS: dict[str, type[Event]] = {
    event.__name__: event
    for event in (
        ControllerStarted,
        DiskPressed,
        DiskEased,
        LedgerRecovered,
        LedgerSealed,
        RevisionObserved,
        *UPSTREAM,
        ObjectAdmitted,
        ObjectRejected,
        ObjectWithdrawn,
        PruneBlocked,
        PruneConfirmed,
        PruneLifted,
        AgentProbed,
        AccountProbed,
        ActionFailed,
        HubSynced,
        TreeCreated,
        PromptRendered,
        AttemptStarted,
        WorkImported,
        WindowFound,
        RoomCreated,
        CancelDone,
        MergeMade,
        MergeConflicted,
        LandTried,
        TreeRemoved,
        AttemptEnded,
        TargetCleaned,
        MemoryObserved,
        TaskStarted,
        SlotsTaken,
        ChecksAdopted,
        WorktreeRequested,
        SessionCreated,
        SessionEnded,
        StagePassed,
        StageFailed,
        TaskStopping,
        TaskEnded,
        ObjectRemoved,
        ObjectStalled,
        Explained,
        ActionStarted,
        *LIFECYCLE,
        *JUDGEMENTS,
        *QUESTIONS,
    )
}


@dataclasses.dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its place in the ledger."""

    seq: int
    turn: int
    now: Now
    event: Event
