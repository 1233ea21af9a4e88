"""Agent: one way to run a model or a program. Cluster-scoped."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules


class Backend(StrEnum):
    """Plugin ids are lower case, unlike the other enums."""

    ACP = "acp"
    AIDER = "aider"
    CLAUDE = "claude"
    CODEX = "codex"
    COMMAND = "command"
    CRUSH = "crush"
    GEMINI = "gemini"
    MINI = "mini"
    OPENAI = "openai"
    OPENCODE = "opencode"
    SCRIPT = "script"


class Backoff(fields.Model):
    duration: fields.Duration = Field(default="5s", description="The first pause.")
    factor: Annotated[int, Field(ge=1, le=10)] = Field(default=2, description="How much longer each next one is.")
    max_duration: fields.Duration = Field(default="5m", description="The longest pause.")


class Retry(fields.Model):
    limit: Annotated[int, Field(ge=0, le=fields.LOOPS_MAX)] = Field(default=3, description="How often at most.")
    backoff: Backoff = Field(default_factory=Backoff, description="How long to wait in between.")


class Breaker(fields.Model):
    failures: fields.Count = Field(default=5, description="So many failures within the window stop its use.")
    window: fields.Duration = Field(default="10m", description="Within which time they count.")
    half_open_after: fields.Duration = Field(default="2m", description="After which time it is tried again.")


class AgentSpec(fields.Model):
    RULES = (
        rules.Rule(
            "self.backend != 'command' || size(self.command) > 0",
            "must name a program for backend 'command'",
            path=("command",),
            code="missing",
        ),
        rules.Rule(
            "size(self.command) == 0 || size(self.command[0]) > 0",
            "must be the program to run and not empty",
            path=("command", 0),
            code="bad_format",
        ),
    )

    backend: Backend = Field(
        description="How it is driven: 'command' gets the prompt on stdin, 'script' runs the prompt's script block.",
        json_schema_extra=fields.only("command", "script"),
    )
    command: Annotated[tuple[fields.Argument, ...], Field(max_length=fields.LIST_ITEMS_MAX)] = Field(
        default=(), description="Program and arguments; the prompt comes on stdin, or as {prompt_file}."
    )
    model: fields.Line | None = Field(
        default=None, description="Model it is asked to use, as ORCH_MODEL and for `{model}`; unset: its own choice."
    )
    account: fields.Name | None = Field(default=None, description="Account that pays: it gives the secrets.")
    env: fields.Environment = Field(default_factory=dict, description="Environment variables of the agent.")
    limits: fields.SessionLimits = Field(default_factory=fields.SessionLimits, description="Concurrency.")
    retry: Retry | None = fields.planned("What happens after a failure of transport.", harmless=True)
    breaker: Breaker | None = fields.planned("When it is left alone for a while.", harmless=True)


class Agent(meta.Manifest):
    spec: AgentSpec = Field(description="The agent as it should be run.")
