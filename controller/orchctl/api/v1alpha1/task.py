"""Task: one piece of work. Only the prompt is required; all else resolves through the project and the built-ins."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta


class TaskSpec(fields.Model):
    project: fields.Name | None = Field(default=None, description="Project; unset: the only one of the namespace.")
    pipeline: fields.Name | None = Field(default=None, description="Pipeline; unset: the project's default.")
    title: fields.Line | None = Field(default=None, description="One line for people; unset: the prompt's first.")
    prompt: fields.Prompt = Field(description="What is to be done. Never a template.")
    agents: fields.Agents = Field(default=(), description="Agents in order of preference, as name or name/model.")
    priority: Annotated[int, Field(ge=-fields.PRIORITY_MAX, le=fields.PRIORITY_MAX)] = Field(
        default=0, description="Higher goes first when capacity is short."
    )
    timeout: fields.Duration | None = Field(default=None, description="Longest time from start to end.")


class Task(meta.Manifest):
    spec: TaskSpec = Field(description="The work as it should be done.")
