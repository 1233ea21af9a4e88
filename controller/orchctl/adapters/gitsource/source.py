"""What the control repository wants now, as changes since a tree that was already taken in.

Called by the informer, from one thread. A rewritten branch is no error: only trees are compared, never history.
Must never raise for what a manifest holds; that is for who parses it.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from orchctl.adapters.gitsource import repository, treediff
from orchctl.core.ids import Oid
from orchctl.core.ports import PermanentError, TransientError

MANIFEST_BYTES_MAX = 1024 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Observation:
    commit: Oid
    tree: Oid
    changes: tuple[treediff.Change, ...]
    full: bool  # every manifest is listed, as there was no earlier tree to compare with


class GitSource:
    def __init__(self, repo_path: str | Path, ref: str, at: Oid | None = None) -> None:
        """`at` stands for where the ref is: what would be, were it there."""
        self.repo = repository.ControlRepo.open(repo_path)
        self.ref = ref
        self._at = at

    def head(self) -> Oid | None:
        """Where the ref is now; None while it does not exist."""
        return self._at or self.repo.resolve(self.ref)

    def observe(self, commit: Oid, last_tree: Oid | None, roots: tuple[str, ...]) -> Observation:
        """The manifests below the roots. A last tree that is gone (gc, forced push) makes a full listing."""
        tree = self.repo.tree_of(commit)
        if tree is None:
            raise TransientError(f"the tree of {commit} cannot be read now")
        known = last_tree if last_tree is not None and self.repo.has_tree(last_tree) else None
        if known is not None:
            # A gc may have taken what is below a tree that is still there.
            with contextlib.suppress(PermanentError):
                return Observation(commit, tree, treediff.changes(self.repo.read_tree, known, tree, roots), full=False)
        return Observation(commit, tree, treediff.changes(self.repo.read_tree, None, tree, roots), full=True)

    def read(self, oid: Oid) -> bytes:
        """A manifest's bytes; PermanentError when there are more than MANIFEST_BYTES_MAX."""
        return self.repo.read_blob(oid, MANIFEST_BYTES_MAX)
