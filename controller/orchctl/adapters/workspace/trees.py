"""Isolated clones for agents and fresh ones for gates, and the only ways anything of them comes back.

Called by the adapter. A clone borrows the hub's objects and is otherwise its agent's: nothing in it may be run, read
as configuration or believed, so what it holds enters the hub by a checked fetch alone. Must never run git inside one
after it was put in place.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pygit2

from orchctl.adapters.workspace import git as gits
from orchctl.adapters.workspace import hubs, places
from orchctl.core.ids import Oid
from orchctl.core.ports import Imported, PermanentError

SALVAGED_REFS_MAX = 10_000
STASHES_MAX = 1000
_SMALL_FILE_BYTES_MAX = 1024 * 1024
_STASH_LINE = re.compile(rb"^[0-9a-f]{40} ([0-9a-f]{40}) ", re.MULTILINE)
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogAllRefUpdates = true\n"


class Trees:
    def __init__(self, layout: places.Layout, owner: places.Owner, hubs_: hubs.Hubs, git: gits.Git) -> None:
        self._layout = layout
        self._owner = owner
        self._hubs = hubs_
        self._git = git

    def create_tree(self, project: str, name: str, branch: str, commit: Oid) -> str:
        final = self._layout.tree(project, name)
        if self.tree_path(project, name) is None:
            self._clone(project, final, commit, hubs.full_branch(branch))
        _untampered(final, self._hubs.path(project))
        return str(final)

    def tree_path(self, project: str, name: str) -> str | None:
        path = self._layout.tree(project, name)
        return str(path) if _is_folder(path) else None

    def create_room(self, project: str, name: str, commit: Oid) -> str:
        final = self._layout.room(project, name)
        places.discard(self._owner, final)
        self._clone(project, final, commit, None)
        return str(final)

    def remove(self, project: str, name: str) -> None:
        for path in (self._layout.tree(project, name), self._layout.room(project, name)):
            places.discard(self._owner, path)
            places.sweep(self._owner, path.parent)

    def import_work(self, project: str, name: str, ref: str, base: Oid) -> Imported:
        hub = self._hubs.repository(project)
        onto = self._hubs.commit(hub, base)
        git_dir = self._git_dir(project, name)
        try:
            self._hubs.fetch(Path(hub.path), str(git_dir), f"+HEAD:{hubs.checked_ref(ref)}")
        except PermanentError as error:
            if "couldn't find remote ref HEAD" in str(error):
                raise PermanentError(f"the worktree {name} has no commit at its HEAD") from error
            raise
        hub = self._hubs.repository(project)
        head = hub.references[ref].peel(pygit2.Commit)
        paths = hubs.changed_paths(onto.tree, head.tree)
        oid = Oid(str(head.id))
        counted, log = hubs.commits_since(hub, base, oid), hubs.messages_since(hub, base, oid)
        return Imported(oid, Oid(str(head.tree.id)), paths, counted, log)

    def salvage(self, project: str, name: str, ref_prefix: str) -> tuple[str, ...]:
        """Refs, HEAD and every stash entry; work that is in no commit is committed by the session, not here."""
        hub = self._hubs.path(project)
        prefix = hubs.checked_ref(ref_prefix)
        git_dir = self._git_dir(project, name)
        listed = self._git.run(
            gits.Place(hub), "ls-remote", "--quiet", f"--upload-pack={gits.UPLOAD_PACK}", str(git_dir)
        )
        wanted: dict[str, str] = {}
        for line in listed.out.decode("utf-8", "surrogateescape").splitlines()[:SALVAGED_REFS_MAX]:
            ref = line.partition("\t")[2]
            if ref == "HEAD" or (ref.startswith("refs/") and not ref.endswith("^{}")):
                wanted[ref] = f"{prefix}/{ref.removeprefix('refs/')}"
        for place, oid in enumerate(_stashes(git_dir)):
            wanted[oid] = f"{prefix}/stashes/{place}"
        if not wanted:
            return ()
        self._hubs.fetch(hub, str(git_dir), *(f"+{source}:{kept}" for source, kept in wanted.items()))
        return tuple(sorted(wanted.values()))

    def _git_dir(self, project: str, name: str) -> Path:
        tree = self._layout.tree(project, name)
        if not _is_folder(tree):
            raise PermanentError(f"the worktree {name} of {project} is gone")
        _untampered(tree, self._hubs.path(project))
        return tree / ".git"

    def _clone(self, project: str, final: Path, commit: Oid, branch: str | None) -> None:
        """What `git clone --shared` makes, without its three processes and without a remote."""
        hub = self._hubs.repository(project)
        self._hubs.commit(hub, commit)
        with places.made_whole(self._owner, final) as temporary:
            git_dir = temporary / ".git"
            for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "hooks"):
                (git_dir / folder).mkdir(parents=True)
            (git_dir / "objects/info/alternates").write_text(f"{_objects(Path(hub.path))}\n")
            (git_dir / "config").write_text(_CONFIG)
            (git_dir / "info/exclude").touch()
            (git_dir / "HEAD").write_text(f"ref: {branch}\n" if branch else f"{commit}\n")
            if branch:
                (git_dir / branch).parent.mkdir(parents=True, exist_ok=True)
                (git_dir / branch).write_text(f"{commit}\n")
            place = gits.Place(git_dir, temporary)
            self._git.run(place, "read-tree", "--reset", "-u", commit, deadline_s=gits.CHECKOUT_DEADLINE_S)


def _objects(hub: Path) -> Path:
    return hub / "objects"


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _untampered(tree: Path, hub: Path) -> None:
    """That the clone is still the repository we made, not a pointer to one that the agent chose."""
    git_dir = tree / ".git"
    whole = all(_is_folder(git_dir / part) for part in (".", "objects", "refs"))
    for part in ("HEAD", "config"):
        whole = whole and _is_file(git_dir / part)
    # Legitimate only in linked worktrees and shallow clones, which ours is not.
    whole = whole and not any((git_dir / part).is_symlink() or (git_dir / part).exists() for part in ("commondir",))
    borrowed = git_dir / "objects/info/alternates"
    if whole and (borrowed.is_symlink() or borrowed.exists()):
        whole = _is_file(borrowed) and _small(borrowed).strip() == bytes(_objects(hub))
    if not whole:
        raise PermanentError(f"the git folder of {tree} was tampered with, so nothing of it is taken over")


def _is_file(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= _SMALL_FILE_BYTES_MAX


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SMALL_FILE_BYTES_MAX)


def _stashes(git_dir: Path) -> tuple[str, ...]:
    log = git_dir / "logs/refs/stash"
    if not _is_file(log):
        return ()
    return tuple(oid.decode() for oid in reversed(_STASH_LINE.findall(_small(log))))[:STASHES_MAX]
