"""Milestone: issue documents of a repository become Tasks with dependencies."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta
from orchctl.api.v1alpha1.children import TaskTemplate

Key = Annotated[fields.Line, Field(max_length=63)]


class Match(fields.Model):
    key: Key = Field(default="milestone", description="Key in a document's head that says where it belongs.")
    value: fields.Line = Field(description="Its value in the documents of this milestone.")


class Keys(fields.Model):
    id: Key = Field(default="id", description="Key of the name.")
    title: Key = Field(default="title", description="Key of the title.")
    depends_on: Annotated[tuple[Key, ...], Field(max_length=8)] = Field(
        default=("depends_on", "blocked_by"), description="Keys of what must come first."
    )


class MilestoneSpec(fields.Model):
    project: fields.Name | None = Field(default=None, description="Project; unset: the only one of the namespace.")
    documents: Annotated[fields.Globs, Field(min_length=1)] = Field(description="Globs of the documents.")
    match: Match | None = Field(default=None, description="Which of them belong here; unset: all.")
    keys: Keys = Field(default_factory=Keys, description="What the keys in a document's head are called.")
    template: TaskTemplate = Field(default_factory=TaskTemplate, description="The Task made of each.")
    logs: fields.InsidePath | None = Field(default=None, description="Folder of the control repo for the reports.")


class Milestone(meta.Manifest):
    spec: MilestoneSpec = Field(description="The milestone as it should be.")
