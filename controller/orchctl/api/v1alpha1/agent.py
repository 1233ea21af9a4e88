"""Agent: one way to run a model or a program. Cluster-scoped."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta


class Backend(StrEnum):
    """Plugin ids are lower case, unlike the other enums."""

    COMMAND = "command"
    SCRIPT = "script"


class AgentSpec(fields.Model):
    backend: Backend = Field(
        description="How it is driven: 'command' gets the prompt on stdin, 'script' runs the prompt's script block."
    )
    command: Annotated[tuple[fields.Argument, ...], Field(max_length=fields.LIST_ITEMS_MAX)] = Field(
        default=(), description="Program and arguments; the prompt comes on stdin."
    )
    env: fields.Environment = Field(default_factory=dict, description="Environment variables of the agent.")
    limits: fields.SessionLimits = Field(default_factory=fields.SessionLimits, description="Concurrency.")


class Agent(meta.Manifest):
    spec: AgentSpec = Field(description="The agent as it should be run.")
