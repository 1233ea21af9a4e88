"""Role: what an agent is for."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from orchctl.api import fields, meta


class Access(StrEnum):
    READ_ONLY = "ReadOnly"
    READ_WRITE = "ReadWrite"


class RoleSpec(fields.Model):
    agents: fields.Agents = Field(default=(), description="Agents in order of preference, as name or name/model.")
    access: Access = Field(default=Access.READ_WRITE, description="What the agent may do to the worktree.")
    system: fields.Text = Field(default="", description="System prompt, put before the stage's prompt.")


class Role(meta.Manifest):
    spec: RoleSpec = Field(default_factory=RoleSpec, description="The role as it should be.")
