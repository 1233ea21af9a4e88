"""The built-in roles, pipelines and agents, read from the files that ship with the package.

Called by admission (an object of the same name overrides a built-in) and by lint. In a wheel the files are package
data; in a source checkout they are `manifests/` at its top. They are ours: one that does not load is a bug.
"""

from __future__ import annotations

import functools
from pathlib import Path

from orchctl.adapters.manifests import loader
from orchctl.adapters.manifests.problems import Document

_PACKAGE = Path(__file__).resolve().parents[2]


def folder() -> Path:
    """Where the catalogue is: in the wheel, else in the checkout this package is part of."""
    packaged = _PACKAGE / "_catalog"
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / "manifests"


@functools.cache
def documents() -> tuple[Document, ...]:
    """All built-ins, in the order of their paths."""
    found: list[Document] = []
    root = folder()
    for file in sorted(root.rglob("*.yaml")):
        loaded = loader.parse(file.read_bytes(), f"builtin:{file.relative_to(root).as_posix()}")
        assert not loaded.problems, "\n".join(map(str, loaded.problems))
        found += loaded.documents
    assert found, f"there is no catalogue in {root}"
    return tuple(found)
