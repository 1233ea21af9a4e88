"""Approval: a decision on one gate, bound to the content it was made on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from orchctl.api import fields, meta


class Decided(StrEnum):
    APPROVED = "Approved"
    DENIED = "Denied"
    REVOKED = "Revoked"


class Subject(fields.Model):
    kind: Literal["Task"] = Field(default="Task", description="Kind of the object decided on.")
    name: fields.Name = Field(description="Name of the object decided on.")
    uid: Annotated[fields.Line, Field(max_length=64)] = Field(
        description="Its uid: a later one of that name is another."
    )
    stage: fields.Name = Field(description="Stage the gate guards.")
    gate: fields.Name = Field(description="Gate decided on.")
    attempt: fields.Count = Field(description="Attempt of the stage.")
    commit: fields.Oid = Field(description="Commit decided on.")
    work_digest: fields.Digest = Field(description="Digest of the pinned work.")
    evidence_digest: fields.Digest = Field(description="Digest of what the gates had found.")
    policy_digest: fields.Digest = Field(description="Digest of the policy it is made under.")


class ApprovalSpec(fields.Model):
    subject: Subject = Field(description="What is decided on.")
    decision: Decided = Field(description="The decision; Revoked takes an earlier one back.")
    comment: Annotated[fields.Text, Field(max_length=4_096)] = Field(default="", description="Why.")
    expires_at: fields.Timestamp | None = Field(default=None, description="After this time it counts no longer.")


class Approval(meta.Manifest):
    spec: ApprovalSpec = Field(description="The decision.")
