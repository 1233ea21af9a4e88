"""Task: one piece of work. Only the prompt is required; all else resolves through the project and the built-ins."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules

ATTEMPTS_MAX = 100


class Until(StrEnum):
    VERIFIED = "Verified"
    MERGED = "Merged"


class DependencyFailure(StrEnum):
    FAIL = "Fail"
    SKIP = "Skip"
    CONTINUE = "Continue"


class Shutdown(StrEnum):
    NOW = "Now"
    AFTER_CLEANUP = "AfterCleanup"
    AFTER_CURRENT = "AfterCurrent"


class TaskBase(fields.Model):
    RULES = (rules.one_of("branch", "task", "session"),)

    branch: fields.Branch | None = Field(default=None, description="Branch to start from.")
    task: fields.Name | None = Field(default=None, description="Task on whose work this one is stacked.")
    session: fields.Name | None = Field(default=None, description="Session whose branch to start from.")


class Dependency(fields.Model):
    task: fields.Reference = Field(description="Task that must get that far first, as name or namespace/name.")
    until: Until = Field(default=Until.MERGED, description="How far.")
    on_failure: DependencyFailure = Field(
        default=DependencyFailure.FAIL, description="What its failure does to this Task."
    )


class Read(fields.Model):
    RULES = (rules.one_of("project", "task"),)

    project: fields.Reference | None = Field(default=None, description="Project whose branch is checked out.")
    task: fields.Reference | None = Field(default=None, description="Task whose work is checked out.")


class TaskFields(fields.Model):
    """All of a Task but its prompt; also what a template may set."""

    RULES = (
        rules.Rule(
            "!has(self.startAfter) || !has(self.deadline) || timestamp(self.startAfter) < timestamp(self.deadline)",
            "must be later than `startAfter`",
            path=("deadline",),
        ),
        rules.unique("dependsOn", "task"),
    )

    project: fields.Name | None = Field(default=None, description="Project; unset: the only one of the namespace.")
    pipeline: fields.Name | None = Field(default=None, description="Pipeline; unset: the project's default.")
    title: fields.Line | None = Field(default=None, description="One line for people; unset: the prompt's first.")
    params: fields.Parameters = fields.planned("Values of the pipeline's parameters.", {})
    agents: fields.Agents = Field(default=(), description="Agents in order of preference, as name or name/model.")
    base: TaskBase | None = fields.planned("Where the work starts; unset: the project's branch.")
    touches: fields.Touches = Field(
        default=(), description="Globs of all the work may change; Tasks that overlap take turns. Empty: anything."
    )
    sparse: fields.Paths = fields.planned("Folders to check out; empty: all.", ())
    reads: Annotated[tuple[Read, ...], Field(max_length=8)] = fields.planned(
        "What is checked out, read-only, beside the worktree.", ()
    )
    depends_on: Annotated[tuple[Dependency, ...], Field(max_length=fields.LIST_ITEMS_MAX)] = Field(
        default=(), description="Tasks that must come first."
    )
    merge_group: fields.Name | None = Field(
        default=None, description="None of the Tasks of a group lands before all could."
    )
    priority: Annotated[int, Field(ge=-fields.PRIORITY_MAX, le=fields.PRIORITY_MAX)] = Field(
        default=0, description="Higher goes first when capacity is short."
    )
    timeout: fields.Duration | None = Field(default=None, description="Longest time from start to end.")
    attempts: Annotated[int, Field(ge=1, le=ATTEMPTS_MAX)] = Field(
        default=10, description="How many attempts it may make in all, over loops and retries."
    )
    start_after: fields.Timestamp | None = Field(default=None, description="It does not start before this time.")
    deadline: fields.Timestamp | None = Field(default=None, description="It fails if it is not done by then.")
    budget: fields.Amounts | None = fields.planned("What all its sessions together may consume.")
    suspend: bool = Field(default=False, description="It stands still, at a safe point, while this is true.")
    shutdown: Shutdown | None = Field(default=None, description="It is cancelled, in this way, even while suspended.")


# What a Task runs with is pinned when it starts; an edit of these shows as RestartRequired until it runs again.
PINNED = ("project", "pipeline", "title", "prompt", "params", "agents", "base", "touches", "sparse", "reads")
# These may be edited while it runs, and the edit counts at once.
LIVE = (
    "dependsOn",
    "mergeGroup",
    "priority",
    "timeout",
    "attempts",
    "startAfter",
    "deadline",
    "budget",
    "suspend",
    "shutdown",
)


class TaskSpec(TaskFields):
    prompt: fields.Prompt = Field(description="What is to be done. Never a template.")


class Task(meta.Manifest):
    spec: TaskSpec = Field(description="The work as it should be done.")
