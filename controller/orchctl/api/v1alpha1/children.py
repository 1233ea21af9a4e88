"""Tasks made by other objects: the template of a Task and what it is filled with.

Called by Pipeline (a stage of child Tasks), Trigger and Milestone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, rules
from orchctl.api.v1alpha1.task import TaskFields, Until


class ChildFailure(StrEnum):
    FAIL = "Fail"
    CONTINUE = "Continue"


class TemplateMetadata(fields.Model):
    labels: fields.Labels = Field(default_factory=dict, description="Labels of the Tasks made.")
    annotations: fields.Annotations = Field(default_factory=dict, description="Annotations of the Tasks made.")


class TaskTemplateSpec(TaskFields):
    prompt: fields.Text = Field(default="", description="What is to be done; empty: what the maker has for it.")


class TaskTemplate(fields.Model):
    metadata: TemplateMetadata = Field(default_factory=TemplateMetadata, description="Metadata of the Tasks made.")
    spec: TaskTemplateSpec = Field(default_factory=TaskTemplateSpec, description="Spec of the Tasks made.")


class ForEach(fields.Model):
    RULES = (rules.one_of("stage", "items", "param"),)

    stage: fields.Name | None = Field(default=None, description="Earlier stage whose plan lists the items.")
    items: Annotated[tuple[fields.Line, ...], Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The items themselves."
    )
    param: fields.ParameterName | None = Field(default=None, description="Parameter that lists them, comma-separated.")


class TasksStage(fields.Model):
    for_each: ForEach = Field(description="What there is one Task for.")
    parallel: fields.Count = Field(default=4, description="How many at once.")
    max: Annotated[int, Field(ge=1, le=200)] = Field(default=20, description="How many at most; more is an error.")
    until: Until = Field(default=Until.MERGED, description="How far each must get.")
    on_failure: ChildFailure = Field(default=ChildFailure.FAIL, description="What a failed one does to the stage.")
    template: TaskTemplate = Field(default_factory=TaskTemplate, description="The Task that is made.")
