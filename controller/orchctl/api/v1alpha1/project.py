"""Project: a repository to work on. Without any Project the control repo itself is the project."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules
from orchctl.api.v1alpha1 import surroundings
from orchctl.api.v1alpha1.surroundings import Keep

__all__ = ["Keep", "Project", "ProjectSpec"]


class Submodules(StrEnum):
    NONE = "None"
    CHECKOUT = "Checkout"


class Filter(StrEnum):
    LFS = "lfs"


class BaseFrom(StrEnum):
    LOCAL = "Local"
    REMOTE = "Remote"


class Fetch(StrEnum):
    WHEN_ONLINE = "WhenOnline"
    REQUIRED = "Required"
    NEVER = "Never"


class Scope(StrEnum):
    WORKER = "Worker"
    INTEGRATION = "Integration"


class Trailer(StrEnum):
    TASK = "Task"
    SESSION = "Session"
    ATTEMPT = "Attempt"


class QueueVia(StrEnum):
    QUEUE = "Queue"
    BRANCH = "Branch"
    PULL_REQUEST = "PullRequest"


class Repo(fields.Model):
    url: fields.Path | None = Field(
        default=None,
        description="Path or URL of the repository, relative to the control repo; unset: the control repo.",
    )
    branch: fields.Branch | None = Field(
        default=None, description="Branch work starts from and lands on; unset: the repository's default branch."
    )
    filters: Annotated[tuple[Filter, ...], Field(max_length=4)] = fields.planned(
        "Git filters that may run in a worktree.", ()
    )
    submodules: Submodules = fields.planned("Whether submodules are checked out.", Submodules.NONE)


class Base(fields.Model):
    from_: BaseFrom = Field(
        default=BaseFrom.LOCAL, alias="from", description="Which copy of the branch work starts on."
    )
    fetch: Fetch = Field(default=Fetch.WHEN_ONLINE, description="When the remote is asked.")


class Defaults(fields.Model):
    pipeline: fields.Name | None = Field(default=None, description="Pipeline of Tasks that name none.")
    agents: fields.Agents = Field(default=(), description="Agents in order of preference, as name or name/model.")
    policy: fields.Name | None = Field(default=None, description="Policy of approvals that name none; unset: solo.")
    timeout: fields.Duration | None = Field(default=None, description="Longest time a Task may take.")
    budget: fields.Amounts | None = fields.planned("What one Task may consume.")


class Junit(fields.Model):
    file: fields.InsidePath = Field(description="Report the command writes, in the JUnit form.")
    min_tests: fields.Count = Field(default=1, description="The check fails with fewer tests run.")


class Coverage(fields.Model):
    file: fields.InsidePath = Field(description="Report the command writes, in the Cobertura form.")
    min_percent: fields.Percent = Field(description="The lowest coverage that passes.")


class Check(fields.Model):
    name: fields.Name = Field(description="Name of the check, unique in the project.")
    run: fields.Command = Field(description="Shell command; exit code 0 passes. Never a template.")
    timeout: fields.Duration = Field(default="10m", description="The check fails if it takes longer.")
    scopes: Annotated[tuple[Scope, ...], Field(max_length=2)] = fields.planned(
        "On what it is run: an agent's work, the result of a merge; empty: both.", ()
    )
    junit: Junit | None = fields.planned("A test report that must be there.")
    coverage: Coverage | None = fields.planned("A coverage report that must be there.")
    when: fields.Expression | None = fields.planned("CEL: the check is left out unless this is true.")


class CommitRules(fields.Model):
    pattern: fields.Regex | None = Field(default=None, description="Regular expression of the first line.")
    trailers: Annotated[tuple[Trailer, ...], Field(max_length=3)] = Field(
        default=(), description="Trailers each commit gets."
    )


class Guardrails(fields.Model):
    branch: fields.BranchTemplate | None = fields.planned("Template of a Task's branch; unset: orch/<name>.")
    commit: CommitRules | None = Field(default=None, description="What commits must look like.")
    protected_branches: fields.Branches = fields.planned("Globs of branches no work may land on but by a merge.", ())
    protected_paths: fields.Globs = Field(default=(), description="Globs an agent's work must not change.")


class MergeQueueRules(fields.Model):
    branch: fields.Branch = Field(default="orch/integration", description="Branch on which merges are tried.")
    batch: Annotated[int, Field(ge=1, le=32)] = Field(default=1, description="How many are tried together.")
    via: QueueVia = Field(default=QueueVia.QUEUE, description="The way to the target.")


class Memory(fields.Model):
    path: fields.InsidePath = Field(description="Folder of the repository with what agents should know.")
    max_size: fields.Size = Field(default="64Ki", description="How much of it at most.")


class ProjectSpec(fields.Model):
    RULES = (rules.unique("checks"),)

    repo: Repo = Field(default_factory=Repo, description="Where the code is.")
    base: Base | None = fields.planned("Which copy of the branch work starts on.")
    defaults: Defaults = Field(default_factory=Defaults, description="What Tasks get that do not say.")
    checks: Annotated[tuple[Check, ...], Field(max_length=fields.LIST_ITEMS_MAX)] = Field(
        default=(), description="Commands that must pass before work is merged."
    )
    guardrails: Guardrails = Field(default_factory=Guardrails, description="What work must leave alone.")
    limits: fields.SessionLimits = Field(default_factory=fields.SessionLimits, description="Concurrency.")
    worktrees: surroundings.Worktrees = Field(
        default_factory=surroundings.Worktrees, description="Worktrees of the project."
    )
    merge_queue: MergeQueueRules | None = fields.planned("How merges take turns.")
    isolation: surroundings.Isolation | None = fields.planned("How far agents are kept from the machine.")
    memory: Memory | None = fields.planned("What agents should know of the project.", harmless=True)


class Project(meta.Manifest):
    spec: ProjectSpec = Field(default_factory=ProjectSpec, description="The project as it should be.")
