"""Copies the built-in roles, pipelines and agents into a repository, to be read there and changed.

Called by `orchctl init --catalog`. Overwrites nothing, and leaves out what the repository says already: two manifests
of one name would be an error. A copy of the same name takes the place of the built-in one.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from orchctl.adapters import manifests
from orchctl.adapters.manifests import catalog
from orchctl.app import authoring, linting
from orchctl.app.read import failures, locate

FOLDER = f"{authoring.MANIFESTS}/catalog"


@dataclasses.dataclass(frozen=True, slots=True)
class Copied:
    written: tuple[str, ...]
    left: tuple[str, ...]  # not written, as the repository has a file or an object of that name


def copy(place: locate.Place) -> Copied:
    if place.worktree is None:
        raise failures.CommandError(f"{place.root} is a bare repository: do this in a clone of it", failures.USAGE)
    root = Path(place.worktree)
    known = {document.key for document in linting.documents_in(str(root / authoring.MANIFESTS))}
    written: list[str] = []
    left: list[str] = []
    for file in sorted(catalog.folder().rglob("*.yaml")):
        path = f"{FOLDER}/{file.relative_to(catalog.folder()).as_posix()}"
        data = file.read_bytes()
        keys = {document.key for document in manifests.parse(data, path).documents}
        (written if not keys & known and _write(root, path, data) else left).append(path)
    return Copied(tuple(written), tuple(left))


def _write(root: Path, path: str, data: bytes) -> bool:
    full = root / path
    if not os.path.realpath(full).startswith(os.path.realpath(root) + os.sep):
        raise failures.CommandError(f"{path} leads out of the repository through a link", failures.CONFLICT)
    full.parent.mkdir(parents=True, exist_ok=True)
    try:
        with full.open("xb") as stream:
            stream.write(data)
    except FileExistsError:
        return False
    return True
