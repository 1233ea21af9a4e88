"""Checks manifests of the working tree, uncommitted edits too, the way the controller will when they are committed.

Called by `orchctl lint`. It only reads, needs no controller and no ledger, and reports every problem of every file.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from orchctl.adapters import manifests
from orchctl.app.read import failures

SUFFIXES = (".yaml", ".yml")
FILES_MAX = 20_000
FILE_BYTES_MAX = 1024 * 1024 + 1  # the loader's own limit is lower and located; this only bounds memory


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    path: str
    line: int
    column: int
    field: str
    message: str
    code: str
    severity: str = "error"  # or note: nothing is wrong, and somebody should know

    def __str__(self) -> str:
        field = f"{self.field}: " if self.field else ""
        return f"{self.path}:{self.line}:{self.column}: {self.severity}: {field}{self.message} [{self.code}]"


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    findings: tuple[Finding, ...]
    objects: int
    files: int
    notes: tuple[Finding, ...] = ()  # what is asked for and has no behaviour yet

    @property
    def summary(self) -> str:
        errors = _counted(len(self.findings), "error") if self.findings else "no errors"
        return f"{_counted(self.objects, 'object')} in {_counted(self.files, 'file')}: {errors}"


def lint(paths: Sequence[str], base: str, around: str | None = None) -> Report:
    """`paths` are files or folders, relative to `base`; findings name files as they were given.

    What lies in the folder `around` counts as there for references, but is not reported on.
    """
    documents: list[manifests.Document] = []
    problems: list[manifests.Problem] = []
    judged: dict[str, str] = {os.path.realpath(os.path.join(base, path)): path for path in _files(paths, base)}
    for path in judged.values():
        loaded = manifests.parse(_read(os.path.join(base, path)), path)
        documents.extend(loaded.documents)
        problems.extend(loaded.problems)
    others = _others(around, judged)
    together = manifests.check_references([*documents, *others])
    problems.extend(problem for problem in together if problem.path in judged.values())
    findings = {
        Finding(problem.path, problem.line, problem.column, problem.field, problem.message, problem.code)
        for problem in problems
    }
    order = sorted(findings, key=lambda found: (found.path, found.line, found.column, found.field, found.message))
    return Report(tuple(order), len(documents), len(judged), tuple(_notes(documents)))


def _notes(documents: Sequence[manifests.Document]) -> Iterator[Finding]:
    """What the status will say as `Supported=False`, said before anything is committed."""
    for document in documents:
        for field in document.unsupported:
            message = "is read and checked, and has no behaviour in this release"
            if field not in document.harmless and document.kind in ("Task", "Pipeline", "Role", "Agent", "Project"):
                message += ": no task that needs it will start"
            shown = document.kind if field == "kind" else field
            place = (document.path, document.line, 1)
            yield Finding(*place, shown, message, "not_implemented", severity="note")


def documents_in(folder: str) -> list[manifests.Document]:
    """What is valid in the manifests of a folder, which need not be there."""
    return _others(folder, ())


def _others(around: str | None, judged: Container[str]) -> list[manifests.Document]:
    if around is None or not os.path.isdir(around):
        return []
    paths = [path for path in _files([around], "/") if os.path.realpath(path) not in judged]
    return [document for path in paths for document in manifests.parse(_read(path), path).documents]


def _files(paths: Sequence[str], base: str) -> Iterator[str]:
    seen: set[str] = set()
    for path in paths:
        for found in _below(path, base):
            if os.path.normpath(found) in seen:
                continue
            seen.add(os.path.normpath(found))
            if len(seen) > FILES_MAX:
                raise failures.CommandError(f"there are more than {FILES_MAX} manifests: lint them by folder")
            yield found


def _below(path: str, base: str) -> Iterator[str]:
    full = Path(base, path)
    if full.is_file():
        yield path
    elif full.is_dir():
        for folder, names, files in os.walk(full):
            names[:] = sorted(name for name in names if not name.startswith("."))
            for name in sorted(files):
                entry = Path(folder, name)
                if name.endswith(SUFFIXES) and not entry.is_symlink():  # links are no manifests (GIT-8)
                    yield os.path.join(path, os.path.relpath(entry, full))
    else:
        raise failures.CommandError(f"{path}: no such file or folder", failures.USAGE)


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(FILE_BYTES_MAX)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
