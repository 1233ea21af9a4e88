"""Settings: what holds for the whole controller. One object, called default. Cluster-scoped."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules


class Verify(StrEnum):
    NONE = "None"
    HEAD = "Head"


class Notice(StrEnum):
    QUESTION = "Question"
    APPROVAL = "Approval"
    FAILED = "Failed"
    MERGED = "Merged"
    SUCCEEDED = "Succeeded"
    EXHAUSTED = "Exhausted"


class Prune(fields.Model):
    enabled: bool = Field(
        default=True, description="Whether an object leaves when its manifest does; false: none ever."
    )
    allow_empty: bool = Field(default=False, description="Whether the last ones may leave without a confirmation.")
    max_percent: fields.Percent = Field(
        default=50, description="Of more than ten, how many may leave at once without a confirmation."
    )


class Publish(fields.Model):
    ref: Annotated[fields.Line, Field(pattern=r"^refs/orch/[A-Za-z0-9._/-]{1,150}$")] = Field(
        default="refs/orch/status", description="Ref the status is published under, below refs/orch/."
    )
    min_interval: fields.Duration = Field(default="30s", description="The shortest time between two writes.")
    push: bool = Field(default=False, description="Whether it is pushed.")


class Source(fields.Model):
    RULES = (
        rules.Rule(
            "!item.contains('*') && !item.contains('?') && !item.contains('[')",
            "must be a folder, without `*`, `?` or `[`",
            each="paths",
        ),
    )

    paths: Annotated[tuple[fields.Glob, ...], Field(min_length=1, max_length=16)] = Field(
        default=("manifests",), description="Folders of the control repo that hold manifests; `.` is all of it."
    )
    verify: Verify = Field(
        default=Verify.NONE, description="Head: only a commit with a good signature of an allowed signer is taken up."
    )
    prune: Prune = Field(default_factory=Prune, description="What happens when manifests vanish.")
    interval: fields.Duration = Field(
        default="10s", description="How often a remote is asked, and the longest time between looks without a hint."
    )
    publish: Publish | None = fields.planned("Where the status is published; unset: nowhere.", harmless=True)


class WebhookTarget(fields.Model):
    url: fields.Line = Field(description="Address that is called.")
    secret: fields.Secret | None = Field(default=None, description="Key the call is signed with.")


class Notify(fields.Model):
    RULES = (rules.one_of("command", "file", "webhook"),)

    events: Annotated[tuple[Notice, ...], Field(min_length=1, max_length=8)] = Field(description="What is told.")
    command: fields.Argv | None = Field(default=None, description="Program that is run; the news come on stdin.")
    file: fields.Path | None = Field(default=None, description="File that is appended to.")
    webhook: WebhookTarget | None = Field(default=None, description="Address that is called.")


class SettingsSpec(fields.Model):
    source: Source = Field(default_factory=Source, description="Where the manifests come from.")
    limits: fields.SessionLimits = Field(default_factory=fields.SessionLimits, description="Concurrency.")
    min_free_memory: fields.Size | None = Field(default=None, description="With less than this nothing is started.")
    notify: Annotated[tuple[Notify, ...], Field(max_length=16)] = fields.planned("Who is told what.", (), harmless=True)


class Settings(meta.Manifest):
    RULES = (
        rules.Rule(
            "self.metadata.name == 'default'", "must be 'default': there is one Settings", path=("metadata", "name")
        ),
    )

    spec: SettingsSpec = Field(default_factory=SettingsSpec, description="The settings as they should be.")
