"""The control repo for the production informer: refs, raw trees as git writes them, blobs, and garbage collection."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from typing import ClassVar

from orchctl.adapters.gitsource import repository, source
from orchctl.adapters.manifests import Document, Loaded, cache, catalog
from orchctl.core.ids import Oid
from orchctl.testing.sim.objects import Files
from orchctl.testing.sim.world import World

REF = "refs/heads/main"
USED_BUILTINS = ("Role//coder", "Role/default/coder")  # the others would only make every world larger
BLOBS_KEPT_MAX = 10_000


def builtins() -> list[Document]:
    return [document for document in catalog.documents() if document.key in USED_BUILTINS]


class ControlRepo(repository.ControlRepo):
    """Reads what the world holds; what was collected as garbage is not there. One for all runs of a controller."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._roots: dict[Oid, Oid] = {}  # tree of the world -> tree as git names it
        self._trees: dict[Oid, bytes] = {}
        self._blobs: dict[Oid, str] = {}

    def resolve(self, ref: str) -> Oid | None:
        self._trouble("resolve")
        return self._world.control.head if ref == REF else None

    def tree_of(self, commit: Oid, path: str = "") -> Oid | None:
        found = self._world.objects.commits.get(commit)
        if found is None or commit in self._world.control.gone:
            return None
        return self._root(found.tree)

    def has_tree(self, oid: Oid) -> bool:
        """By what the ref reaches, and what of it was not collected as garbage."""
        world = self._world
        kept = (one for one in world.objects.commits if one not in world.control.gone)
        return any(self._roots.get(world.objects.commits[one].tree) == oid for one in kept)

    def contains(self, commit: Oid, earlier: Oid) -> bool:
        return earlier not in self._world.control.gone and self._world.objects.contains(commit, earlier)

    def read_tree(self, oid: Oid) -> bytes:
        self._trouble("read_tree")
        return self._trees[oid]

    def read_blob(self, oid: Oid, size_max: int) -> bytes:
        self._trouble("read_blob")
        return self._blobs[oid].encode()

    def _trouble(self, what: str) -> None:
        self._world.swarm.trouble("busy-control", "", what, "control")

    def _root(self, tree: Oid) -> Oid:
        if tree not in self._roots:
            self._roots[tree] = self._folder(self._world.objects.trees[tree])
        return self._roots[tree]

    def _folder(self, files: Files) -> Oid:
        """Makes the raw trees of a folder and of all below it, in git's own form."""
        below: dict[str, dict[str, str]] = {}
        entries: list[tuple[bytes, bytes, Oid]] = []
        for path, text in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = text
            else:
                oid = blob_oid(text)
                self._blobs[oid] = text
                entries.append((name.encode(), b"100644", oid))
        entries += [(name.encode(), b"40000", self._folder(inside)) for name, inside in below.items()]
        entries.sort(key=lambda entry: entry[0] + (b"/" if entry[1] == b"40000" else b""))
        raw = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for name, mode, oid in entries)
        oid = Oid(hashlib.sha1(b"tree %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest())
        self._trees[oid] = raw
        return oid


class Source(source.GitSource):
    def __init__(self, repo: ControlRepo) -> None:
        self.repo = repo
        self.ref = REF
        self._at = None


class Parsed(cache.ParseCache):
    """What files said, kept over all simulations of this process: texts recur, and parsing says the same each time."""

    _known: ClassVar[dict[tuple[Oid, str], Loaded]] = {}

    def __init__(self, repo: ControlRepo) -> None:
        self._repo = repo
        self._here: dict[tuple[Oid, str], None] = {}  # what this simulation has read itself
        self._asked: dict[Oid, str] = {}

    def find(self, oid: Oid, path: str) -> Loaded | None:
        """What only others have read is read here too, as that may go wrong."""
        self._asked[oid] = path
        found = self._known.get((oid, path))
        if found is not None and (oid, path) not in self._here:
            self._repo.read_blob(oid, source.MANIFEST_BYTES_MAX)
            self._here[oid, path] = None
        return found

    def keep(self, oid: Oid, loaded: Loaded) -> None:
        path = self._asked[oid]
        self._known[oid, path] = loaded
        self._here[oid, path] = None

    def flush(self) -> None:
        """Nothing is kept anywhere else."""

    def drop_all_but(self, oids: Iterable[Oid]) -> None:
        """The texts are few, by how scenarios are made."""


@functools.lru_cache(maxsize=BLOBS_KEPT_MAX)
def blob_oid(text: str) -> Oid:
    data = text.encode()
    return Oid(hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest())
