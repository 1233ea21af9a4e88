"""P2: one manifest changed among 100,000, from the ref to the changed path; the floor is libgit2's own diff."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable

import pygit2

from orchctl.adapters.gitsource import GitSource
from orchctl.core.ids import Oid

ROUNDS = 15
FOLDER_SIZE = 1000
WHO = pygit2.Signature("Bench", "bench@example.invalid", 1_700_000_000, 0)


def figures(scale: int = 1) -> Iterable[tuple[str, float, float, float]]:
    """(label, ms, floor in ms, goal: at most so many ms); `scale` divides the number of files."""
    for label, count, folder_size, goal_ms in (
        ("P2 1 of 10k, folders of 1000", 10_000, FOLDER_SIZE, 2.0),
        ("P2 1 of 100k, folders of 1000", 100_000, FOLDER_SIZE, 2.0),
        ("P2 1 of 100k, one flat folder", 100_000, 100_000, 100.0),
    ):
        with tempfile.TemporaryDirectory() as folder:
            repo = pygit2.init_repository(folder, bare=True, initial_head="main")
            trees = [_commit(repo, count // scale, folder_size, edition) for edition in (b"old", b"new")]
            source = GitSource(folder, "main")

            def ours(source: GitSource = source, old: Oid = trees[0]) -> int:
                seen = source.observe(old)
                assert seen is not None
                return len(seen.changes)

            def floor(repo: pygit2.Repository = repo, pair: list[Oid] = trees) -> int:
                return len(list(repo.diff(pair[0], pair[1]).deltas))

            yield label, _median_ms(ours), _median_ms(floor), goal_ms


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


def _median_ms(work: Callable[[], int]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        assert work() == 1
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)
