"""What a Task runs with, pinned when it starts.

A Plan is the result of resolving everything the Task left out. It is recorded in the ledger with the start of the
Task and nothing edited later changes it, so a running Task never shifts under an agent's feet.
"""

import dataclasses
import hashlib

from orchctl.core.ids import Key

ALL_SESSIONS = Key("Settings//default")  # limits the sessions of all projects together


@dataclasses.dataclass(frozen=True, slots=True)
class Resolved:
    """One resolved field, for `status.resolved`: where did this value come from?"""

    field: str
    name: str
    source: str  # Task | Stage | Role | Project | BuiltIn
    digest: str = ""  # of the object's spec as it was then; empty for what is no object
    passed_over: tuple[str, ...] = ()  # what would have come first, and why it was not taken


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    name: str
    run: str
    timeout_s: int

    @property
    def digest(self) -> str:
        """What the check does, not what it is called or how long it may take: equal commands share evidence."""
        return hashlib.sha256(self.run.encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True, slots=True)
class FilesRule:
    deny: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()  # empty: any
    max_changed: int | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr((self.deny, self.allow)).encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True, slots=True)
class CommitRule:
    pattern: str = ""
    trailers: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class WindowRule:
    cron: str
    duration_s: int
    time_zone: str


@dataclasses.dataclass(frozen=True, slots=True)
class GatePlan:
    """A gate that is no command: which of the members is set is its type."""

    name: str
    type: str
    files: FilesRule | None = None
    commit: CommitRule | None = None
    expression: str = ""
    delay_s: int = 0
    window: WindowRule | None = None
    policy: str = ""  # of an approval


@dataclasses.dataclass(frozen=True, slots=True)
class AgentPlan:
    name: str
    backend: str
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    model: str = ""  # empty: the program's own choice
    account: str = ""  # empty: nobody's secrets are handed to it


@dataclasses.dataclass(frozen=True, slots=True)
class StagePlan:
    name: str
    role: str = ""  # empty for a stage without an agent
    system: str = ""  # the role's system prompt
    prompt: str = ""
    agent: AgentPlan | None = None
    timeout_s: int = 3600
    checks: tuple[Check, ...] = ()
    wants_checks: bool = False  # has a `checks` gate: with no checks to run it asks instead of passing
    gates: tuple[GatePlan, ...] = ()  # all but checks and commands, in the order they were written
    goto: int = 0  # the stage the failure edge leads to
    limit: int = 0  # how often that edge may be taken
    then: str = "Fail"  # what follows when it may not be taken again: Fail | Ask | Continue
    merge: bool = False
    into: str = ""  # the branch a merge stage lands on
    limited_by: tuple[Key, ...] = ()  # the objects whose `limits` count its sessions: Agent, Role, Account


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    project: str  # hub name, `namespace/name`
    repo: str  # absolute path or URL of the project's repository
    branch: str  # the project's target branch
    task_branch: str
    title: str
    prompt: str
    stages: tuple[StagePlan, ...]
    env: tuple[tuple[str, str], ...] = ()
    keep: str = "OnFailure"  # what happens to the worktree: OnFailure | Always | Never
    protected: tuple[str, ...] = ()  # globs of paths no agent may change
    commit: CommitRule | None = None  # what the commit that lands must look like
    params: tuple[tuple[str, str], ...] = ()
    manifest_roots: tuple[str, ...] = ()  # as well, where the project's repo is the control repo
    default_timeout_s: int = 4 * 3600  # for a Task that says none itself
    resolved: tuple[Resolved, ...] = ()
    pinned_digest: str = ""  # of the pinned fields of the Task's own spec when it started
    work_digest: str = ""
    touches: tuple[str, ...] = ()  # globs of paths the work may change, kept from other tasks; empty: any, none kept

    def slots(self, stage: int | None) -> tuple[Key, ...]:
        """What a session of this stage takes part of; None: work of the task that no agent does."""
        project = (ALL_SESSIONS, Key(f"Project/{self.project}"))
        return project if stage is None else (*project, *self.stages[stage].limited_by)
