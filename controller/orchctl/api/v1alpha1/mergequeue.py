"""MergeQueue: the queue of one project and target. Only the controller makes these."""

from __future__ import annotations

from pydantic import Field

from orchctl.api import fields, meta


class MergeQueueSpec(fields.Model):
    project: fields.Name = Field(description="Project whose merges take turns.")
    target: fields.Branch = Field(description="Branch they land on.")


class MergeQueue(meta.Manifest):
    spec: MergeQueueSpec = Field(description="Which queue this is.")
