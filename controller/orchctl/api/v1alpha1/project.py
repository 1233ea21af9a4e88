"""Project: a repository to work on. Without any Project the control repo itself is the project."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta


class Keep(StrEnum):
    ON_FAILURE = "OnFailure"
    ALWAYS = "Always"
    NEVER = "Never"


class Repo(fields.Model):
    url: fields.Path | None = Field(
        default=None,
        description="Path or URL of the repository, relative to the control repo; unset: the control repo.",
    )
    branch: fields.Branch | None = Field(
        default=None, description="Branch work starts from and lands on; unset: the repository's default branch."
    )


class Defaults(fields.Model):
    pipeline: fields.Name | None = Field(default=None, description="Pipeline of Tasks that name none.")
    agents: fields.Agents = Field(default=(), description="Agents in order of preference, as name or name/model.")
    timeout: fields.Duration | None = Field(default=None, description="Longest time a Task may take.")


class Check(fields.Model):
    name: fields.Name = Field(description="Name of the check, unique in the project.")
    run: fields.Command = Field(description="Shell command; exit code 0 passes. Never a template.")
    timeout: fields.Duration = Field(default="10m", description="The check fails if it takes longer.")


class Guardrails(fields.Model):
    protected_paths: Annotated[tuple[fields.Glob, ...], Field(max_length=fields.LIST_ITEMS_MAX)] = Field(
        default=(), description="Globs an agent's work must not change."
    )


class Worktrees(fields.Model):
    keep: Keep = Field(default=Keep.ON_FAILURE, description="When a Task's worktree stays after its end.")
    env: fields.Environment = Field(default_factory=dict, description="Environment of every process in a worktree.")


class ProjectSpec(fields.Model):
    repo: Repo = Field(default_factory=Repo, description="Where the code is.")
    defaults: Defaults = Field(default_factory=Defaults, description="What Tasks get that do not say.")
    checks: Annotated[tuple[Check, ...], Field(max_length=fields.LIST_ITEMS_MAX)] = Field(
        default=(), description="Commands that must pass before work is merged."
    )
    guardrails: Guardrails = Field(default_factory=Guardrails, description="What work must leave alone.")
    limits: fields.SessionLimits = Field(default_factory=fields.SessionLimits, description="Concurrency.")
    worktrees: Worktrees = Field(default_factory=Worktrees, description="Worktrees of the project.")


class Project(meta.Manifest):
    spec: ProjectSpec = Field(default_factory=ProjectSpec, description="The project as it should be.")
