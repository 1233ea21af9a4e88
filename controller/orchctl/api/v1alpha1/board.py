"""Board: a view of Tasks in columns. The layout is computed; only pins are written down."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules

PINS_MAX = 500
Coordinate = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class PinKind(StrEnum):
    TASK = "Task"
    SESSION = "Session"
    WORKTREE = "Worktree"


class BoardColumn(fields.Model):
    name: Annotated[fields.Line, Field(max_length=63)] = Field(description="Title of the column.")
    when: fields.Expression = Field(description="CEL; the first column for which it is true has the Task.")


class Pin(fields.Model):
    kind: PinKind = Field(description="Kind of the object.")
    name: fields.Name = Field(description="Name of the object.")
    x: Coordinate = Field(description="Place from the left.")
    y: Coordinate = Field(description="Place from the top.")


class BoardSpec(fields.Model):
    RULES = (rules.unique("columns"),)

    selector: fields.Selector = Field(default_factory=fields.Selector, description="The Tasks on it.")
    columns: Annotated[tuple[BoardColumn, ...], Field(max_length=32)] = Field(default=(), description="The columns.")
    pins: Annotated[tuple[Pin, ...], Field(max_length=PINS_MAX)] = Field(
        default=(), description="Objects with a place of their own."
    )


class Board(meta.Manifest):
    spec: BoardSpec = Field(default_factory=BoardSpec, description="The board as it should be.")
