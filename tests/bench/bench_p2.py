"""P2: one manifest changed among 100,000, from the ref to the changed path; the floor is libgit2's own diff."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pygit2

from orchctl.adapters.gitsource import GitSource
from orchctl.core.ids import Oid
from tests.bench import harness

ROUNDS = 15
FOLDER_SIZE = 1000
WHO = pygit2.Signature("Bench", "bench@example.invalid", 1_700_000_000, 0)


def figures(folder: Path) -> Iterable[harness.Figure]:
    by_count: dict[int, harness.Figure] = {}
    for count, folder_size, goal_s in ((10_000, FOLDER_SIZE, 0.002), (100_000, FOLDER_SIZE, 0.002), (100_000, 0, 0.1)):
        figure = _figure(folder / f"{count}-{folder_size}", count, folder_size or count, goal_s)
        by_count.setdefault(count, figure)
        yield figure
    small, large = by_count[10_000], by_count[100_000]
    yield harness.Figure("100k-against-10k", large.value_s, small.value_s, goal=2.0)


def _figure(folder: Path, count: int, folder_size: int, goal_s: float) -> harness.Figure:
    repo = pygit2.init_repository(str(folder), bare=True, initial_head="main")
    old, new = (_commit(repo, count, folder_size, edition) for edition in (b"old", b"new"))
    source = GitSource(folder, "main")

    def ours() -> None:
        head = source.head()
        assert head is not None
        seen = source.observe(head, old, ("manifests",))
        assert len(seen.changes) == 1

    def floor() -> None:
        assert len(list(repo.diff(old, new).deltas)) == 1

    name = f"one-of-{count // 1000}k{'-flat' if folder_size == count else ''}"
    return harness.compare(name, ours, floor, goal=goal_s, runs=ROUNDS, absolute=True)


def _commit(repo: pygit2.Repository, count: int, folder_size: int, edition: bytes) -> Oid:
    """Blobs are named but not stored: only trees are read."""
    folders = []
    for first in range(0, count, folder_size):
        rows = []
        for n in range(first, min(first + folder_size, count)):
            text = b"%d %s" % (n, edition if n == count // 2 else b"same")
            rows.append(b"100644 m%07d.yaml\0%s" % (n, hashlib.sha1(text, usedforsecurity=False).digest()))
        folders.append(repo.write(pygit2.enums.ObjectType.TREE, b"".join(rows)))
    if len(folders) > 1:
        rows = [b"40000 d%07d\0%s" % (n, oid.raw) for n, oid in enumerate(folders)]
        folders = [repo.write(pygit2.enums.ObjectType.TREE, b"".join(rows))]
    root = repo.write(pygit2.enums.ObjectType.TREE, b"40000 manifests\0" + folders[0].raw)
    parents = [repo.references["refs/heads/main"].target] if "refs/heads/main" in repo.references else []
    repo.create_commit("refs/heads/main", WHO, WHO, "m", root, parents)
    return Oid(str(root))
