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


PROBLEMS_MAX = 200  # of one file; more help nobody, and the rest of the file is not read

# Faults after which the rest of a document, or of the file, was not read.
_HIDING = frozenset(
    {
        "yaml_syntax",
        "encoding",
        "control_character",
        "too_large",
        "too_many_aliases",
        "too_deep",
        "unknown_alias",
        "bad_key",
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]  # sorted by position

    @property
    def whole(self) -> bool:
        """Whether all the file names is known: no fault hides a part of it, or whose object it is."""
        if len(self.problems) >= PROBLEMS_MAX:
            return False
        return not any(problem.key is None or problem.code in _HIDING for problem in self.problems)


def by_position(problem: Problem) -> tuple[str, int, int, str, str]:
    return (problem.path, problem.line, problem.column, problem.field, problem.message)
