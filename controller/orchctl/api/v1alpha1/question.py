"""Question: a task waits for a person to say what is to follow. The controller asks, a person answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules


class SubjectKind(StrEnum):
    SESSION = "Session"
    TASK = "Task"


class QuestionSubject(fields.Model):
    kind: SubjectKind = Field(description="Kind of the object that waits.", json_schema_extra=fields.only("Task"))
    name: fields.Name = Field(description="Name of the object that waits.")


class Answer(fields.Model):
    RULES = (rules.Rule("has(self.option) || self.text != ''", "must have an `option` or a `text`", code="missing"),)

    option: fields.Name | None = Field(default=None, description="One of the options offered.")
    text: Annotated[fields.Text, Field(max_length=16_384)] = Field(
        default="", description="A remark, kept with the answer."
    )


class QuestionSpec(fields.Model):
    subject: QuestionSubject = Field(description="Who waits.")
    answer: Answer | None = Field(default=None, description="The answer; unset: still open.")


class Question(meta.Manifest):
    spec: QuestionSpec = Field(description="The question and its answer.")
