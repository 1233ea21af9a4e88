"""The bare repository per project that everything of ours passes through.

Called by the adapter and its other modules. The hub's configuration is written here and never read from anywhere
else; it has no remotes. Must never move a ref but by compare-and-swap or a named fetch.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from pathlib import Path

import pygit2

from orchctl.adapters.workspace import git as gits
from orchctl.adapters.workspace import places
from orchctl.core.ids import Oid
from orchctl.core.ports import PermanentError, Synced

COMMITS_COUNTED_MAX = 10_000
COMMITS_NAMED_MAX = 100  # of a task's work
MESSAGE_CHARACTERS_MAX = 4096
_NO_OID = "0" * 40
_CONFIG = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\thooksPath = /dev/null
\tlogAllRefUpdates = false
[gc]
\tauto = 0
\tpruneExpire = never
[maintenance]
\tauto = false
"""


class Hubs:
    def __init__(self, layout: places.Layout, owner: places.Owner, git: gits.Git) -> None:
        self._layout = layout
        self._owner = owner
        self._git = git
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def path(self, project: str) -> Path:
        """The project's hub, which sync() has made."""
        path = self._layout.hub(project)
        if not path.is_dir():
            raise PermanentError(f"the project {project} has no hub yet; it has to be synced first")
        return path

    def repository(self, project: str) -> pygit2.Repository:
        return pygit2.Repository(str(self.path(project)))

    def sync(self, project: str, repo: str, branch: str) -> Synced:
        path = self._layout.hub(project)
        source, ref = full_branch(branch), f"refs/remotes/origin/{branch}"
        with self._lock(project):
            if not path.is_dir():
                self._make(path)
            head = _local_head(repo, source)
            if head is None or str(_ref(pygit2.Repository(str(path)), ref)) != head:
                self.fetch(path, repo, f"+{source}:{ref}")
        hub = pygit2.Repository(str(path))
        found = _ref(hub, ref)
        if found is None:
            raise PermanentError(f"{repo} has no branch {branch}")
        return Synced(Oid(str(found)), Oid(str(hub[found].peel(pygit2.Tree).id)))

    def fetch(self, hub: Path, source: str, *refspecs: str) -> None:
        """Objects are checked before any ref of the hub names them."""
        if source.startswith("-"):
            raise PermanentError(f"{source!r} is not the place of a repository")
        if Path(source).is_absolute() and not Path(source).is_dir():
            raise PermanentError(f"there is no repository at {source}")
        strict = [
            "-c",
            "fetch.fsckObjects=true",
            "-c",
            "transfer.fsckObjects=true",
            "-c",
            "fetch.writeCommitGraph=false",
        ]
        flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"]
        place = gits.Place(hub)
        self._git.run(place, *strict, "fetch", *flags, f"--upload-pack={_upload_pack(source)}", source, *refspecs)

    def move_branch(self, project: str, branch: str, new: Oid) -> None:
        hub = self.repository(project)
        ref = full_branch(branch)
        self.commit(hub, new)
        old = _ref(hub, ref)
        if str(old) != new:
            self._git.run(gits.Place(Path(hub.path)), "update-ref", ref, new, str(old or _NO_OID))

    def drop_branch(self, project: str, branch: str) -> None:
        hub = self.repository(project)
        old = _ref(hub, full_branch(branch))
        if old is not None:
            self._git.run(gits.Place(Path(hub.path)), "update-ref", "-d", full_branch(branch), str(old))

    def commit(self, hub: pygit2.Repository, oid: Oid) -> pygit2.Commit:
        found: object = None
        with contextlib.suppress(ValueError):
            found = hub.get(oid)
        if isinstance(found, pygit2.Commit):
            return found
        raise PermanentError(f"{hub.path} holds no commit {oid}")

    def _make(self, path: Path) -> None:
        with places.made_whole(self._owner, path) as temporary:
            for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "refs/orch", "info"):
                (temporary / folder).mkdir(parents=True)
            (temporary / "config").write_text(_CONFIG)
            (temporary / "HEAD").write_text("ref: refs/heads/main\n")

    def _lock(self, project: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(project, threading.Lock())


def full_branch(branch: str) -> str:
    ref = f"refs/heads/{branch}"
    if branch.startswith("-") or not pygit2.reference_is_valid_name(ref):
        raise PermanentError(f"{branch!r} is no name for a branch")
    return ref


def checked_ref(ref: str) -> str:
    if not ref.startswith("refs/orch/") or not pygit2.reference_is_valid_name(ref):
        raise PermanentError(f"{ref!r} is not a ref under refs/orch/")
    return ref


def changed_paths(before: pygit2.Tree, after: pygit2.Tree) -> tuple[str, ...]:
    """All of them: guards are judged on this."""
    deltas = before.diff_to_tree(after).deltas
    return tuple(delta.new_file.raw_path.decode("utf-8", "backslashreplace") for delta in deltas)


def commits_since(hub: pygit2.Repository, base: Oid, head: Oid) -> int:
    walk = hub.walk(head)
    walk.hide(base)
    return sum(1 for _ in itertools.islice(walk, COMMITS_COUNTED_MAX))


def messages_since(hub: pygit2.Repository, base: Oid, head: Oid) -> tuple[tuple[Oid, str], ...]:
    """The newest commits and what they say, cut to a bounded length."""
    walk = hub.walk(head)
    walk.hide(base)
    listed = itertools.islice(walk, COMMITS_NAMED_MAX)
    return tuple((Oid(str(one.id)), one.message[:MESSAGE_CHARACTERS_MAX]) for one in listed)


def _ref(hub: pygit2.Repository, ref: str) -> pygit2.Oid | None:
    found = hub.references.get(ref)
    return found.peel(pygit2.Commit).id if found is not None else None


def _local_head(repo: str, ref: str) -> str | None:
    """Where the branch is now if the repository is a folder here; saves a fetch when nothing is new."""
    if not Path(repo).is_absolute() or not Path(repo).is_dir():
        return None
    try:
        found = _ref(pygit2.Repository(repo), ref)
    except pygit2.GitError as error:
        raise PermanentError(f"{repo} is not a git repository that can be read: {error}") from error
    if found is None:
        raise PermanentError(f"{repo} has no branch {ref.removeprefix('refs/heads/')}")
    return str(found)


def _upload_pack(source: str) -> str:
    """Another host may only know the plain command; here the other side gets our settings too."""
    if not Path(source).is_absolute():
        return "git-upload-pack"
    return gits.UPLOAD_PACK if source.endswith("/.git") else gits.UPLOAD_PACK.removesuffix(" --strict")
