"""What the loader hands out: the documents it accepts and the problems it found, each with its place in the file."""

from __future__ import annotations

import dataclasses

from orchctl.core.ids import Key, key_of


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """A name in a document that must be one of another object, and where it stands."""

    field: str
    line: int
    column: int
    kind: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """One accepted object. `spec_json` is canonical: validated, defaulted, sorted; unset optional fields are absent."""

    kind: str
    namespace: str  # empty for cluster-scoped kinds
    name: str
    spec_json: str
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    path: str
    index: int  # which document of the file, from 0
    line: int  # where it begins, from 1
    references: tuple[Reference, ...] = ()
    unsupported: tuple[str, ...] = ()  # fields that are set and have no behaviour yet; `kind`: the kind as such
    harmless: tuple[str, ...] = ()  # those of them without which what is done stays the same

    @property
    def key(self) -> Key:
        return key_of(self.kind, self.namespace, self.name)


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing a person has to change, and where. `line` and `column` count from 1; `field` may be empty."""

    path: str
    line: int
    column: int
    field: str
    message: str
    code: str
    key: Key | None = None  # the object concerned, if that much can be read

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return f"{self.path}:{self.line}:{self.column}: error: {where}{self.message} [{self.code}]"


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]  # sorted by position


def by_position(problem: Problem) -> tuple[str, int, int, str, str]:
    return (problem.path, problem.line, problem.column, problem.field, problem.message)
