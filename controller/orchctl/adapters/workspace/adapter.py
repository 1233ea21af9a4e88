"""The Workspace port by git, put together from its parts; each method says no more than which part does it.

Called by the effect runner in app, from several threads at once. Must never hold state that the disk does not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pygit2

from orchctl.adapters.workspace import git as gits
from orchctl.adapters.workspace import hubs, landing, merging, places, trees
from orchctl.core.ids import Oid
from orchctl.core.ports import Conflicted, Identity, Imported, Landing, Merged, PermanentError, Synced, TransientError


class GitWorkspace:
    """`effects_fd` goes to every git, so a restarted controller can wait until an earlier one's have ended."""

    def __init__(self, state_dir: Path, effects_fd: int | None = None, git: str = "git") -> None:
        layout = places.Layout(state_dir)
        self._owner = places.Owner(layout.state_dir / "owners")
        fds = [self._owner.fd] if effects_fd is None else [self._owner.fd, effects_fd]
        runner = gits.Git(git, fds)
        self._hubs = hubs.Hubs(layout, self._owner, runner)
        self._trees = trees.Trees(layout, self._owner, self._hubs, runner)
        self._merging = merging.Merging(self._hubs, runner)
        self._lander = landing.Lander(self._owner, self._hubs, runner)

    def close(self) -> None:
        self._owner.close()

    def sweep(self) -> None:
        """At a start, while no other controller of this state directory runs: what dead ones held is let go."""
        self._owner.sweep()

    def sync(self, project: str, repo: str, branch: str) -> Synced:
        with _world():
            return self._hubs.sync(project, repo, branch)

    def create_tree(self, project: str, name: str, branch: str, commit: Oid) -> str:
        with _world():
            return self._trees.create_tree(project, name, branch, commit)

    def tree_path(self, project: str, name: str) -> str | None:
        with _world():
            return self._trees.tree_path(project, name)

    def import_work(self, project: str, name: str, ref: str, base: Oid) -> Imported:
        with _world():
            return self._trees.import_work(project, name, ref, base)

    def move_branch(self, project: str, branch: str, new: Oid) -> None:
        with _world():
            self._hubs.move_branch(project, branch, new)

    def drop_branch(self, project: str, branch: str) -> None:
        with _world():
            self._hubs.drop_branch(project, branch)

    def create_room(self, project: str, name: str, commit: Oid) -> str:
        with _world():
            return self._trees.create_room(project, name, commit)

    def merge(self, project: str, target: Oid, head: Oid, message: str, by: Identity) -> Merged | Conflicted:
        with _world():
            return self._merging.merge(project, target, head, message, by)

    def land(self, project: str, repo: str, branch: str, new: Oid, old: Oid) -> Landing:
        with _world():
            return self._lander.land(project, repo, branch, new, old)

    def blocked_by(self, project: str, repo: str, branch: str, new: Oid, old: Oid) -> tuple[str, ...]:
        with _world():
            return self._lander.blocked_by(project, repo, branch, new, old)

    def salvage(self, project: str, name: str, ref_prefix: str) -> tuple[str, ...]:
        with _world():
            return self._trees.salvage(project, name, ref_prefix)

    def remove_tree(self, project: str, name: str) -> None:
        with _world():
            self._trees.remove(project, name)


@contextlib.contextmanager
def _world() -> Iterator[None]:
    """The port raises WorldErrors only: what a library or the system says is turned into one here."""
    try:
        yield
    except pygit2.GitError as error:
        raise PermanentError(f"a repository cannot be read: {error}") from error
    except OSError as error:
        raise TransientError(f"{error.filename or 'a file'}: {error.strerror or error}") from error
