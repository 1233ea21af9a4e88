"""Role: what an agent is for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from orchctl.api import fields, formats, meta, rules


class Access(StrEnum):
    READ_ONLY = "ReadOnly"
    READ_WRITE = "ReadWrite"


class Tool(StrEnum):
    READ = "Read"
    SEARCH = "Search"
    EDIT = "Edit"
    SHELL = "Shell"
    TEST = "Test"
    WEB = "Web"


class Contract(StrEnum):
    """Contracts are lower case: they are names of built-in schemas."""

    DEV = "dev"
    REVIEW = "review"
    FIX = "fix"
    PLAN = "plan"
    SCORE = "score"
    CAPSULE = "capsule"


class Decision(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"
    ASK = "Ask"
    PRESET = "Preset"
    SKIP = "Skip"


class OnTimeout(StrEnum):
    ESCALATE = "Escalate"
    DENY = "Deny"
    FAIL = "Fail"


SCHEMA_BYTES_MAX = 16_384
FreeSchema = Annotated[
    dict[str, Any],
    AfterValidator(formats.json_within(SCHEMA_BYTES_MAX)),
    WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
]


class Output(fields.Model):
    RULES = (rules.one_of("contract", "schema"),)

    contract: Contract | None = Field(default=None, description="A built-in schema.")
    schema_: FreeSchema | None = Field(default=None, alias="schema", description="A JSON Schema of your own.")


class McpServer(fields.Model):
    name: fields.Name = Field(description="Name of the server.")
    command: fields.Argv = Field(description="Program and arguments that serve MCP on stdin and stdout.")


class Tools(fields.Model):
    RULES = (rules.unique("mcp"),)

    allow: Annotated[tuple[Tool, ...], Field(max_length=6)] = Field(
        default=(), description="What the agent may use; empty: what its access allows."
    )
    mcp: Annotated[tuple[McpServer, ...], Field(max_length=16)] = Field(default=(), description="Servers of tools.")


class Waiting(fields.Model):
    """What happens when an agent stops and waits for somebody."""

    permission: Decision | None = Field(default=None, description="When it asks for a permission.")
    trust: Decision | None = Field(default=None, description="When it asks whether to trust the folder.")
    question: Decision | None = Field(default=None, description="When it asks a question.")
    login: Decision | None = Field(default=None, description="When it wants a login.")
    update: Decision | None = Field(default=None, description="When it offers an update of itself.")
    timeout: fields.Duration | None = Field(default=None, description="How long an answer is waited for.")
    on_timeout: OnTimeout = Field(default=OnTimeout.ESCALATE, description="What follows when none comes.")


class RoleSpec(fields.Model):
    agents: fields.Agents = Field(default=(), description="Agents in order of preference, as name or name/model.")
    access: Access = Field(
        default=Access.READ_WRITE,
        description="What the agent may do to the worktree.",
        json_schema_extra={**fields.only("ReadWrite"), fields.HARMLESS: True},
    )
    tools: Tools | None = fields.planned("What the agent may use.")
    system: fields.Text = Field(default="", description="System prompt, put before the stage's prompt.")
    output: Output | None = fields.planned("What the agent must hand back.")
    limits: fields.SessionLimits | None = fields.planned("Concurrency.")
    budget: fields.Amounts | None = fields.planned("What one session may consume.")
    waiting: Waiting | None = fields.planned("What happens when the agent waits for somebody.")


class Role(meta.Manifest):
    spec: RoleSpec = Field(default_factory=RoleSpec, description="The role as it should be.")
