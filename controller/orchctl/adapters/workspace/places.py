"""Where hubs, worktrees and rooms are, and how a folder comes and goes there without ever being half there.

Called by the other modules of this adapter. Must never let a name lead outside the state directory, and never follow
a symlink while removing.

Every folder is made under a temporary name that carries its maker's token; the maker, and each git it starts, holds a
lock on the file of that token. So a leftover is known by its lock being free, not by ages or process ids.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from orchctl.core.ports import PermanentError, TransientError

NAME_LENGTH_MAX = 200  # a file name holds 255 bytes, and temporary ones are longer
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?", re.ASCII)
_LOCK = re.compile(r"[0-9a-f]{16}\.lock|\.[0-9a-f]{16}")  # the second: killed before it was locked
_TEMPORARY = re.compile(r"\.(?:tmp|trash)-([0-9a-f]{16})-[0-9a-f]{16}")


class Owner:
    """This process as the maker of temporary things; `fd` is to be inherited by every git it starts."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)
        self.token = secrets.token_hex(8)
        self.path = self._folder / f"{self.token}.lock"
        fresh = self._folder / f".{self.token}"
        self.fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        fresh.rename(self.path)  # locked before anybody can see it

    def close(self) -> None:
        if self.fd >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self.fd)
            self.fd = -1

    def is_stale(self, token: str) -> bool:
        return token != self.token and not is_held(self._folder / f"{token}.lock")

    def sweep(self) -> None:
        """Removes the locks of makers that are gone: without its lock a token is as stale as with it free.

        One that a git of a dead maker still holds stays. Only for who knows that no other maker begins just now.
        """
        for lock in self._folder.iterdir():
            if _LOCK.fullmatch(lock.name) and lock != self.path and not is_held(lock):
                lock.unlink(missing_ok=True)

    def temporary(self, folder: Path, kind: str = "tmp") -> Path:
        return folder / f".{kind}-{self.token}-{secrets.token_hex(8)}"


def is_held(lock: Path) -> bool:
    """Whether the process that made this lock file, or a git of it, is still there."""
    try:
        fd = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


class Layout:
    def __init__(self, state_dir: Path) -> None:
        self.state_dir = private_folder(state_dir.resolve())

    def hub(self, project: str) -> Path:
        namespace, name = _project(project)
        return private_folder(self.state_dir / "hubs" / namespace) / f"{name}.git"

    def tree(self, project: str, name: str) -> Path:
        return self._member("worktrees", project, name)

    def room(self, project: str, name: str) -> Path:
        return self._member("rooms", project, name)

    def _member(self, kind: str, project: str, name: str) -> Path:
        namespace, project_name = _project(project)
        return private_folder(self.state_dir / kind / namespace / project_name) / checked(name)


def checked(name: str) -> str:
    if len(name) > NAME_LENGTH_MAX or ".." in name or _NAME.fullmatch(name) is None:
        raise PermanentError(f"{name!r} is no name for a folder: lower-case letters, digits, '-' and '.' are")
    return name


def _project(project: str) -> tuple[str, str]:
    namespace, _, name = project.partition("/")
    return checked(namespace), checked(name)


def private_folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def made_whole(owner: Owner, final: Path) -> Iterator[Path]:
    """A temporary folder to fill, renamed to `final` if nothing was raised; an existing `final` wins."""
    sweep(owner, final.parent)
    temporary = owner.temporary(final.parent)
    temporary.mkdir(mode=0o700)
    try:
        yield temporary
        with contextlib.suppress(FileExistsError, OSError):
            temporary.rename(final)
        if not final.is_dir():
            raise TransientError(f"{final} could not be put in place")
    finally:
        if temporary.exists():
            erase(temporary)


def discard(owner: Owner, path: Path) -> None:
    """Out of sight at once, then removed; what a crash leaves of it, the next sweep removes."""
    trash = owner.temporary(path.parent, "trash")
    try:
        path.rename(trash)
    except FileNotFoundError:
        return
    erase(trash)


def sweep(owner: Owner, folder: Path) -> None:
    """Remove what makers that are gone left under temporary names."""
    for entry in list(os.scandir(folder)):
        found = _TEMPORARY.fullmatch(entry.name)
        if found is not None and owner.is_stale(found[1]):
            erase(Path(entry.path))


def erase(path: Path) -> None:
    """The whole tree, read-only folders too; absent is fine."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()
            return
    try:
        with contextlib.suppress(PermissionError):
            shutil.rmtree(path)
            return
        _permit(path)
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise TransientError(f"{path} could not be removed: {error.strerror}") from error


def _permit(path: Path) -> None:
    """Let us into every folder of a tree; links are not followed."""
    path.chmod(0o700)
    for folder, names, _ in os.walk(path):
        for name in names:
            inside = Path(folder, name)
            if not inside.is_symlink():
                inside.chmod(0o700)
