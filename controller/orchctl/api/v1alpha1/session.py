"""Session: one agent run. The controller makes these in this release; one written by a user is admitted, not run."""

from __future__ import annotations

from pydantic import Field

from orchctl.api import fields, meta, rules


class SessionWorktree(fields.Model):
    RULES = (rules.at_most_one_of("name", "branch"),)

    name: fields.Name | None = Field(default=None, description="Worktree to join; as reader unless it is free.")
    branch: fields.Branch | None = Field(default=None, description="Branch of the session's own worktree.")


class ForkFrom(fields.Model):
    session: fields.Name = Field(description="Session whose conversation goes on here.")
    turn: fields.Count | None = Field(default=None, description="Turn after which it forks; unset: the last.")


class SessionSpec(fields.Model):
    RULES = (
        rules.Rule(
            "self.prompt != '' || has(self.forkFrom) || self.interactive",
            "must have a `prompt`, a `forkFrom` or `interactive: true`",
            code="missing",
        ),
    )

    project: fields.Name | None = Field(default=None, description="Project; unset: the only one of the namespace.")
    role: fields.Name | None = Field(default=None, description="Role of the agent.")
    agents: fields.Agents = Field(default=(), description="Agents in order of preference, as name or name/model.")
    prompt: fields.Text = Field(default="", description="What the agent is told.")
    worktree: SessionWorktree = Field(default_factory=SessionWorktree, description="Where it works.")
    fork_from: ForkFrom | None = fields.planned("The conversation it begins with.")
    executor: fields.Name | None = fields.planned("local, tmux or an engine; unset: local.")
    interactive: bool = fields.planned("Whether a person drives it.", False)
    ttl: fields.Duration | None = fields.planned("How long it may stay idle.")


class Session(meta.Manifest):
    spec: SessionSpec = Field(default_factory=SessionSpec, description="The run as it should be.")
