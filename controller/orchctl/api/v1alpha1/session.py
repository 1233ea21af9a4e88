"""Session: one agent run. The controller makes these in this release; one written by a user is admitted, not run."""

from __future__ import annotations

from pydantic import Field

from orchctl.api import fields, meta


class SessionWorktree(fields.Model):
    name: fields.Name | None = Field(default=None, description="Worktree to join.")
    branch: fields.Branch | None = Field(default=None, description="Branch of the session's own worktree.")


class SessionSpec(fields.Model):
    project: fields.Name | None = Field(default=None, description="Project; unset: the only one of the namespace.")
    role: fields.Name | None = Field(default=None, description="Role of the agent.")
    agents: fields.Agents = Field(default=(), description="Agents in order of preference, as name or name/model.")
    prompt: fields.Text = Field(default="", description="What the agent is told.")
    worktree: SessionWorktree = Field(default_factory=SessionWorktree, description="Where it works.")


class Session(meta.Manifest):
    spec: SessionSpec = Field(default_factory=SessionSpec, description="The run as it should be.")
