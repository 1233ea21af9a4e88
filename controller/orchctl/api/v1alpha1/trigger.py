"""Trigger: a schedule, an interval, a call or a change in git makes Tasks."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules
from orchctl.api.v1alpha1.children import TaskTemplate


class Concurrency(StrEnum):
    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class Schedule(fields.Model):
    cron: fields.Cron = Field(description="Five fields of cron.")
    time_zone: fields.TimeZone = Field(default="UTC", description="Time zone of the schedule.")
    starting_deadline: fields.Duration | None = Field(
        default=None, description="How late a missed one may still start; unset: any time."
    )


class Interval(fields.Model):
    every: fields.Duration = Field(description="How long from one to the next.")


class Webhook(fields.Model):
    secret: fields.Secret = Field(description="Key the call is signed with.")
    when: fields.Expression | None = Field(default=None, description="CEL over the call; false: it is left out.")


class GitChange(fields.Model):
    branch: fields.Branch = Field(description="Branch that is watched.")
    paths: fields.Globs = Field(default=(), description="Globs of the changes that count; empty: all.")


class TriggerSpec(fields.Model):
    RULES = (rules.one_of("schedule", "interval", "webhook", "git"),)

    schedule: Schedule | None = Field(default=None, description="At certain times.")
    interval: Interval | None = Field(default=None, description="Again and again.")
    webhook: Webhook | None = Field(default=None, description="On a signed call.")
    git: GitChange | None = Field(default=None, description="On a change of a branch.")
    suspend: bool = Field(default=False, description="It makes nothing while this is true.")
    concurrency_policy: Concurrency = Field(
        default=Concurrency.FORBID, description="What happens when the last Task still runs."
    )
    history_limit: Annotated[int, Field(ge=0, le=100)] = Field(default=5, description="How many ended Tasks stay.")
    template: TaskTemplate = Field(description="The Task that is made.")


class Trigger(meta.Manifest):
    RULES = (
        rules.Rule(
            "self.spec.template.spec.prompt != ''",
            "must have a prompt: nothing else says what is to be done",
            path=("spec", "template", "spec", "prompt"),
            code="missing",
        ),
    )

    spec: TriggerSpec = Field(description="The trigger as it should be.")
