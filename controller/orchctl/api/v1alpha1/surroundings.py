"""What surrounds an agent: its worktree's environment, and how far it is kept from the machine.

Called by Project, Session and Worktree.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields


class Keep(StrEnum):
    ON_FAILURE = "OnFailure"
    ALWAYS = "Always"
    NEVER = "Never"


class Mode(StrEnum):
    ISOLATED = "Isolated"
    LINKED = "Linked"


class Ignored(StrEnum):
    NONE = "None"
    ALL = "All"


class Level(StrEnum):
    AUTO = "Auto"
    NONE = "None"
    RLIMITS = "Rlimits"
    LANDLOCK = "Landlock"
    BWRAP = "Bwrap"


class Minimum(StrEnum):
    NONE = "None"
    RLIMITS = "Rlimits"
    LANDLOCK = "Landlock"
    BWRAP = "Bwrap"


class Network(StrEnum):
    NONE = "None"
    MODEL_ONLY = "ModelOnly"
    FULL = "Full"


class Isolation(fields.Model):
    level: Level = Field(default=Level.AUTO, description="How far; Auto: as far as this machine can.")
    minimum: Minimum = Field(default=Minimum.NONE, description="With less than this nothing is started.")
    network: Network = Field(default=Network.MODEL_ONLY, description="What an agent may reach.")


class Ports(fields.Model):
    from_: Annotated[int, Field(ge=1_024, le=65_535)] = Field(alias="from", description="The first port.")
    count: Annotated[int, Field(ge=1, le=64)] = Field(description="How many each worktree gets.")


class Salvage(fields.Model):
    ignored: Ignored = Field(default=Ignored.NONE, description="Which ignored files are kept too.")


class Worktrees(fields.Model):
    mode: Mode = fields.planned("A clone of its own, or one that shares the repository's objects.", Mode.ISOLATED)
    setup: fields.Commands = fields.planned("Commands run once in a fresh worktree.", ())
    teardown: fields.Commands = fields.planned("Commands run before a worktree is removed.", ())
    keep: Keep = Field(default=Keep.ON_FAILURE, description="When a Task's worktree stays after its end.")
    env: fields.Environment = Field(default_factory=dict, description="Environment of every process in a worktree.")
    secrets: fields.Secrets = fields.planned("Environment with values from files.", ())
    copy_files: fields.Paths = fields.planned("Untracked files of the repository put into each worktree.", ())
    ports: Ports | None = fields.planned("Ports each worktree has to itself.")
    sparse: fields.Paths = fields.planned("Folders to check out; empty: all.", ())
    ttl: fields.Duration | None = fields.planned("How long a kept worktree stays.")
    quota: fields.Size | None = fields.planned("How much a worktree may hold.")
    salvage: Salvage | None = fields.planned("What is kept of a worktree that is removed.")
