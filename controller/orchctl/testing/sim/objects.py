"""Git's objects as values: trees are mappings from path to text, commits name a tree and parents.

One store for all repositories of a simulation; which objects a repository may use is told by what its refs reach.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping

from orchctl.core.ids import Oid

Files = Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Commit:
    oid: Oid
    tree: Oid
    parents: tuple[Oid, ...]
    message: str


def _oid(*parts: str) -> Oid:
    return Oid(hashlib.sha1("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest())


class Objects:
    def __init__(self) -> None:
        self.trees: dict[Oid, Files] = {}
        self.commits: dict[Oid, Commit] = {}

    def tree(self, files: Files) -> Oid:
        oid = _oid("tree", *(f"{path}\x1e{files[path]}" for path in sorted(files)))
        if oid not in self.trees:
            self.trees[oid] = dict(files)
        return oid

    def commit(self, files: Files, parents: tuple[Oid, ...], message: str) -> Oid:
        """The same content, parents and message are the same commit."""
        tree = self.tree(files)
        oid = _oid("commit", tree, *parents, message)
        self.commits.setdefault(oid, Commit(oid, tree, parents, message))
        return oid

    def files_of(self, commit: Oid) -> Files:
        return self.trees[self.commits[commit].tree]

    def changed(self, before: Oid, after: Oid) -> tuple[str, ...]:
        """Paths that differ between two commits."""
        return differing(self.files_of(before), self.files_of(after))

    def history(self, *heads: Oid) -> Iterator[Oid]:
        """The commits and all they descend from, each once, the nearest first."""
        queue, seen = list(heads), dict.fromkeys(heads)
        for oid in queue:
            yield oid
            for parent in self.commits[oid].parents:
                if parent not in seen:
                    seen[parent] = None
                    queue.append(parent)

    def contains(self, commit: Oid, earlier: Oid) -> bool:
        return any(oid == earlier for oid in self.history(commit))

    def merge_base(self, one: Oid, other: Oid) -> Oid | None:
        theirs = dict.fromkeys(self.history(other))
        return next((oid for oid in self.history(one) if oid in theirs), None)

    def merged(self, target: Oid, head: Oid) -> dict[str, str] | tuple[str, ...]:
        """The files of a three-way merge, or the paths both sides have changed differently."""
        base = self.merge_base(target, head)
        was = self.files_of(base) if base is not None else {}
        ours, theirs = self.files_of(target), self.files_of(head)
        result: dict[str, str] = {}
        conflicts: list[str] = []
        for path in sorted({**was, **ours, **theirs}):
            old, mine, yours = was.get(path), ours.get(path), theirs.get(path)
            if mine != yours and old not in (mine, yours):
                conflicts.append(path)
            chosen = yours if mine == old else mine
            if chosen is not None:
                result[path] = chosen
        return tuple(conflicts) or result


def differing(before: Files, after: Files) -> tuple[str, ...]:
    return tuple(path for path in sorted({**before, **after}) if before.get(path) != after.get(path))
