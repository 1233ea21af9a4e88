"""One repository opened for reading, however it is laid out (bare, ordinary clone, linked worktree).

Called by the git source and by what needs the repository's uid. pygit2 runs no hooks, filters or helpers. Must never
write anything but the uid file.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

import pygit2

from orchctl.core.ids import Oid
from orchctl.core.ports import PermanentError, TransientError

UID_FILE = "orchctl-uid"
REF_STORAGE = "extensions.refstorage"
_UID = re.compile(r"[0-9a-f]{32}")


class ControlRepo:
    def __init__(self, repository: pygit2.Repository) -> None:
        self._repository = repository
        self.git_dir = Path(repository.path)
        self.common_dir = _common_dir(self.git_dir)

    @classmethod
    def open(cls, path: str | Path) -> ControlRepo:
        try:
            found = pygit2.Repository(str(path))
            kept = (found.config[REF_STORAGE] or "") if REF_STORAGE in found.config else "files"
            if kept.lower() != "files":
                raise pygit2.GitError(f"refs are kept as {kept}")
            return cls(found)
        except pygit2.GitError as error:
            if _has_reftable(Path(path)):
                raise PermanentError(
                    f"{path} keeps its refs as a reftable, which cannot be read:"
                    f" run `git refs migrate --ref-format=files` in it (git 2.46 or newer)"
                ) from error
            raise PermanentError(f"{path} is not a git repository that can be read: {error}") from error

    def head_branch(self) -> str | None:
        """The branch HEAD names, born or not; None when HEAD is detached."""
        head = self._repository.references.get("HEAD")
        if head is None or not isinstance(head.raw_target, bytes):
            return None
        return head.raw_target.decode("utf-8", "surrogateescape").removeprefix("refs/heads/")

    def resolve(self, ref: str) -> Oid | None:
        """The commit a ref (or branch name, or HEAD) points to; None while it does not exist."""
        try:
            found = self._repository.lookup_reference(full_ref(ref))
            return Oid(str(found.peel(pygit2.Commit).id))
        except (KeyError, pygit2.InvalidSpecError):
            return None
        except pygit2.GitError as error:
            raise TransientError(f"the ref {ref} cannot be read now: {error}") from error

    def commit_called(self, said: str) -> Oid | None:
        """The commit a person means: a branch, a tag, a hash or its beginning, `HEAD~2`."""
        try:
            return Oid(str(self._repository.revparse_single(said).peel(pygit2.Commit).id))
        except (KeyError, ValueError, pygit2.GitError, pygit2.InvalidSpecError):
            return None

    def tree_of(self, commit: Oid, path: str = "") -> Oid | None:
        """The tree of a commit, or of a folder in it; None when that is no folder."""
        try:
            tree: pygit2.Object = self._repository[commit].peel(pygit2.Tree)
            found = tree if not path.strip("/") else tree[path.strip("/")]  # type: ignore[index]
        except (KeyError, ValueError, pygit2.GitError):
            return None
        oid = Oid(str(found.id)) if isinstance(found, pygit2.Tree) else None
        return oid if oid is not None and self.has_tree(oid) else None

    def has_file(self, commit: Oid, path: str) -> bool:
        try:
            tree: pygit2.Object = self._repository[commit].peel(pygit2.Tree)
            return isinstance(tree[path], pygit2.Blob)  # type: ignore[index]
        except (KeyError, ValueError, pygit2.GitError):
            return False

    def signature_of(self, commit: Oid) -> str:
        """The signature of a commit, whoever made it; nothing when it has none."""
        try:
            found = self._repository[commit].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            return ""
        signature = found.gpg_signature[0]
        return signature.decode("ascii", "replace") if signature else ""

    def remotes(self) -> list[str]:
        """The names of the remotes."""
        return [name for name in self._repository.remotes.names() if name]

    def work_trees(self) -> list[Path]:
        """Every folder in which this repository is checked out."""
        own = [self._repository.workdir] if self._repository.workdir else []
        linked = [str(self._repository.lookup_worktree(name).path) for name in self._repository.list_worktrees()]
        main = [str(self.common_dir.parent)] if self.common_dir.name == ".git" else []
        return [Path(path).resolve() for path in (*own, *linked, *main)]

    def contains(self, commit: Oid, earlier: Oid) -> bool:
        """Whether the earlier commit is in the history of this one; False also when it is gone from the repository."""
        if commit == earlier:
            return True
        try:
            return self._repository.descendant_of(commit, earlier)
        except (KeyError, ValueError, pygit2.GitError):
            return False

    def first_parent(self, commit: Oid) -> Oid | None:
        """The commit before it on this branch; None for the first one, or where the history is cut off."""
        try:
            parents = self._repository[commit].peel(pygit2.Commit).parent_ids
            return Oid(str(parents[0])) if parents and parents[0] in self._repository else None
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise TransientError(f"the commit {commit} cannot be read now: {error}") from error

    def author_of(self, commit: Oid) -> str:
        """The address in it. Anybody can write any address there."""
        try:
            return str(self._repository[commit].peel(pygit2.Commit).author.email)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise TransientError(f"the commit {commit} cannot be read now: {error}") from error

    def has_tree(self, oid: Oid) -> bool:
        """As the repository is now: an object that was looked up before is remembered though it is gone."""
        try:
            return bool(self._repository.odb.read_header(oid)[0] == pygit2.GIT_OBJECT_TREE)
        except (KeyError, ValueError, pygit2.GitError):
            return False

    def read_tree(self, oid: Oid) -> bytes:
        """The raw bytes of a tree object."""
        return self._read(oid, pygit2.GIT_OBJECT_TREE)

    def read_blob(self, oid: Oid, size_max: int) -> bytes:
        try:
            size = self._repository.odb.read_header(oid)[1]
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise PermanentError(f"the repository has no object {oid}: {error}") from error
        if size > size_max:
            raise PermanentError(f"the file {oid} has {size} bytes; the most that is read is {size_max}")
        return self._read(oid, pygit2.GIT_OBJECT_BLOB)

    def _read(self, oid: Oid, kind: int) -> bytes:
        try:
            found, data = self._repository.read(oid)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise PermanentError(f"the repository has no object {oid}: {error}") from error
        if found != kind:
            raise PermanentError(f"the object {oid} is not of the kind that was asked for")
        return bytes(data)


def full_ref(ref: str) -> str:
    return ref if ref == "HEAD" or ref.startswith("refs/") else f"refs/heads/{ref}"


def existing_uid(git_dir: Path) -> str | None:
    """The uid of a repository that has one."""
    with contextlib.suppress(OSError):
        return (_common_dir(git_dir) / UID_FILE).read_text(encoding="ascii", errors="replace").strip()
    return None


def repo_uid(git_dir: Path) -> str:
    """The random name of a repository, made on first use; every worktree of it has the same.

    Written whole under another name and linked into place, so two first users agree on one.
    """
    path = _common_dir(git_dir) / UID_FILE
    for _ in range(2):
        with contextlib.suppress(FileNotFoundError):
            uid = path.read_text(encoding="ascii", errors="replace").strip()
            if _UID.fullmatch(uid) is None:
                raise PermanentError(f"{path} does not hold a repository uid; remove it to get a new one")
            return uid
        fresh = path.with_name(f"{UID_FILE}.{secrets.token_hex(8)}")
        fresh.write_text(f"{secrets.token_hex(16)}\n", encoding="ascii")
        try:
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)
        finally:
            fresh.unlink()
    raise TransientError(f"{path} was removed while it was being made")


def _common_dir(git_dir: Path) -> Path:
    pointer = git_dir / "commondir"
    if not pointer.is_file():
        return git_dir.resolve()
    return (git_dir / pointer.read_text(encoding="utf-8", errors="surrogateescape").strip()).resolve()


def _has_reftable(path: Path) -> bool:
    """Of a repository that could not be opened, whether that is why."""
    config = re.compile(r"^\s*refstorage\s*=\s*\"?reftable", re.IGNORECASE | re.MULTILINE)
    for git_dir in (path, path / ".git", _pointed_at(path / ".git")):
        with contextlib.suppress(OSError):
            if config.search((_common_dir(git_dir) / "config").read_text(encoding="utf-8", errors="replace")):
                return True
    return False


def _pointed_at(pointer: Path) -> Path:
    """The git dir of a linked worktree."""
    with contextlib.suppress(OSError):
        said = pointer.read_text(encoding="utf-8", errors="surrogateescape") if pointer.is_file() else ""
        return pointer.parent / said.removeprefix("gitdir: ").strip()
    return pointer
