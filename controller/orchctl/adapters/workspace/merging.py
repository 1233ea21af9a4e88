"""Merges without a checkout, the same object id for the same arguments.

Called by the adapter. Must never move a ref: the caller decides what becomes of the commit.
"""

from __future__ import annotations

from pathlib import Path

import pygit2

from orchctl.adapters.workspace import git as gits
from orchctl.adapters.workspace import hubs
from orchctl.core.ids import Oid
from orchctl.core.ports import Conflicted, Identity, Merged, PermanentError

_CONFLICTS = 1


class Merging:
    def __init__(self, hubs_: hubs.Hubs, git: gits.Git) -> None:
        self._hubs = hubs_
        self._git = git

    def merge(self, project: str, target: Oid, head: Oid, message: str, by: Identity) -> Merged | Conflicted:
        """One parent, the target: the work's own commits stay under refs/orch/, its history is not the target's."""
        hub = self._hubs.repository(project)
        onto, work = self._hubs.commit(hub, target), self._hubs.commit(hub, head)
        done = self._git.run(
            gits.Place(Path(hub.path)),
            *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories"),
            *(str(onto.id), str(work.id)),
            ok=(0, _CONFLICTS),
        )
        tree_oid, *paths = done.out.split(b"\0")
        if done.code == _CONFLICTS:
            names = dict.fromkeys(path.decode("utf-8", "backslashreplace") for path in paths if path)
            return Conflicted(tuple(names))
        tree = hub[tree_oid.decode()].peel(pygit2.Tree)
        try:
            who = pygit2.Signature(by.name, by.email, by.at, 0, "utf-8")
        except (ValueError, pygit2.GitError) as error:
            raise PermanentError(f"{by.name!r} <{by.email}> cannot be a commit's author: {error}") from error
        text = message if message.endswith("\n") else f"{message}\n"
        commit = hub.create_commit(None, who, who, text, tree.id, [onto.id])
        return Merged(Oid(str(commit)), Oid(str(tree.id)), hubs.changed_paths(onto.tree, tree))
