"""Worktree: one checkout on one branch. The controller makes these in this release, one per Task."""

from __future__ import annotations

from pydantic import Field

from orchctl.api import fields, meta
from orchctl.api.v1alpha1.surroundings import Keep


class Base(fields.Model):
    branch: fields.Branch | None = Field(default=None, description="Branch to start from; unset: the project's.")


class WorktreeSpec(fields.Model):
    project: fields.Name | None = Field(default=None, description="Project; unset: the only one of the namespace.")
    branch: fields.Branch | None = Field(default=None, description="Branch checked out in it.")
    base: Base = Field(default_factory=Base, description="Where the branch starts.")
    sparse: fields.Paths = fields.planned("Folders to check out; empty: all.", ())
    keep: Keep = Field(default=Keep.ON_FAILURE, description="When it stays after its use.")
    ttl: fields.Duration | None = fields.planned("How long it stays unused.")
    quota: fields.Size | None = fields.planned("How much it may hold.")


class Worktree(meta.Manifest):
    spec: WorktreeSpec = Field(default_factory=WorktreeSpec, description="The worktree as it should be.")
