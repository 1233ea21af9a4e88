"""Policy: who may approve what, and what bots may decide."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules


class Signature(StrEnum):
    NONE = "None"
    SSH = "Ssh"
    GPG = "Gpg"


class Sticky(StrEnum):
    NEVER = "Never"
    SAME_DIFF = "SameDiff"


class BotDecision(StrEnum):
    APPROVED = "Approved"
    DENIED = "Denied"


class Group(fields.Model):
    name: fields.Name = Field(description="Name of the group, unique in the policy.")
    users: Annotated[fields.Lines, Field(min_length=1)] = Field(description="Who is in it, by address.")


class Approvers(fields.Model):
    RULES = (rules.unique("groups"),)

    users: fields.Lines = Field(
        default=(), description="Who may approve, by address; `*`: whoever can commit to the control repo."
    )
    groups: Annotated[tuple[Group, ...], Field(max_length=16)] = Field(default=(), description="Groups who may.")
    owners: bool = fields.planned("Whether the owners of the files changed may.", False)


class MinimumOf(fields.Model):
    human: Annotated[int, Field(ge=0, le=16)] = Field(default=0, description="How many must be people.")


class Approvals(fields.Model):
    RULES = (
        rules.Rule(
            "self.required == 0 || (has(self.approvers) && (size(self.approvers.users) > 0"
            " || size(self.approvers.groups) > 0 || self.approvers.owners))",
            "must name somebody when `required` is more than 0",
            path=("approvers",),
            code="missing",
        ),
        rules.Rule(
            "!has(self.minimum) || self.minimum.human <= self.required",
            "must be at most `required`",
            path=("minimum",),
        ),
    )

    required: Annotated[int, Field(ge=0, le=16)] = Field(default=1, description="How many must approve.")
    approvers: Approvers | None = Field(default=None, description="Who may approve.")
    prevent_self: bool = Field(default=True, description="Whether whoever asked for the work may not approve it.")
    signature: Signature = Field(default=Signature.NONE, description="Which signature the commit must have.")
    sticky: Sticky = Field(
        default=Sticky.NEVER,
        description="Whether it outlives a change of the work.",
        json_schema_extra=fields.only("Never"),
    )
    any_deny_blocks: bool = Field(default=True, description="Whether one denial is enough to block.")
    max_age: fields.Duration | None = Field(default=None, description="How long an approval counts.")
    minimum: MinimumOf | None = Field(default=None, description="How many of each class at least.")


class Bot(fields.Model):
    name: fields.Name = Field(description="Name of the rule, unique in the policy.")
    when: fields.GateExpression = Field(description="CEL; when true the decision is made.")
    decision: BotDecision = Field(description="The decision.")
    comment: fields.Line | None = Field(default=None, description="Why.")


class PolicySpec(fields.Model):
    RULES = (rules.unique("bot"),)

    approvals: Approvals = Field(description="Who may approve, and how many must.")
    bot: Annotated[tuple[Bot, ...], Field(max_length=16)] = Field(default=(), description="What is decided by rule.")


class Policy(meta.Manifest):
    spec: PolicySpec = Field(description="The policy as it should be.")
