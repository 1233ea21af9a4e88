"""Finds the control repo, its state folder and whether a controller runs, without running git.

Every read command starts here. It never creates anything: the uid file and the state folder are the controller's.
"""

from __future__ import annotations

import os

from orchctl.app.read import failures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

UID_FILE = "orchctl-uid"
MIRROR_NOTE = "orchctl-mirror"  # written by adapters.gitsource.remotes
POINTER_BYTES_MAX = 4096  # a .git, commondir or uid file is one short line
HOLDER_BYTES_MAX = 16 * 1024


class Place:
    """A control repo on this machine. `worktree` is None for a bare one, `uid` before a controller's first run.

    One that is elsewhere has a mirror here, which may not be made yet; `remote` is its address.
    """

    __slots__ = ("common_dir", "git_dir", "remote", "state_home", "uid", "worktree")

    def __init__(
        self,
        git_dir: str,
        common_dir: str,
        worktree: str | None,
        state_home: str,
        remote: str | None = None,
    ) -> None:
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.worktree = worktree
        self.uid = _uid(common_dir)
        self.state_home = state_home
        self.remote = remote or _remote(common_dir)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.remote or self.root

    @property
    def root(self) -> str:
        """The folder people call the repo."""
        return self.worktree or self.git_dir

    @property
    def state_dir(self) -> str | None:
        return os.path.join(self.state_home, self.uid) if self.uid else None

    @property
    def ledger(self) -> str | None:
        state_dir = self.state_dir
        path = os.path.join(state_dir, "ledger.db") if state_dir else None
        return path if path and os.path.isfile(path) else None

    def again(self) -> Place:
        """The same repo, looked at afresh: a controller may have made its uid meanwhile."""
        return Place(self.git_dir, self.common_dir, self.worktree, self.state_home, self.remote)


def locate(start: str, environ: Mapping[str, str]) -> Place:
    """The repo that holds `start`, a folder; or the one with that address."""
    if is_remote(start):
        return _mirror(start, _state_home(environ))
    folder = os.path.abspath(start)
    if not os.path.isdir(folder):
        raise failures.CommandError(f"{start} is not a folder", failures.USAGE)
    home = _state_home(environ)
    while True:
        found = _git_dir_at(folder)
        if found:
            git_dir, worktree = found
            common_dir = _common_dir(git_dir)
            return Place(git_dir, common_dir, worktree, home)
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    message = (
        f"{os.path.abspath(start)} is not in a git repository: run `git init` there first, or name one with --repo"
    )
    raise failures.CommandError(message, failures.USAGE)


def is_remote(named: str) -> bool:
    """`scheme://...` or, as git and ssh write it, `host:path`."""
    if "://" in named:
        return True
    host, colon, _ = named.partition(":")
    return bool(colon and host) and "/" not in host and not os.path.exists(named)


def _mirror(url: str, home: str) -> Place:
    import hashlib

    url = url.rstrip("/")
    folder = os.path.join(home, "mirrors", f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.git")
    return Place(folder, folder, None, home, url)


def controller(place: Place) -> tuple[bool, str]:
    """Whether a controller holds this repo's lease now, and what it wrote about itself (JSON, may be empty)."""
    import fcntl

    state_dir = place.state_dir
    if state_dir is None:
        return False, ""
    try:
        descriptor = os.open(os.path.join(state_dir, "lease.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False, ""
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True, os.read(descriptor, HOLDER_BYTES_MAX).decode("utf-8", "replace")
        return False, ""
    finally:
        os.close(descriptor)


def _git_dir_at(folder: str) -> tuple[str, str | None] | None:
    """(git dir, worktree) when `folder` is the top of a working tree, a git dir or a bare repo."""
    dot_git = os.path.join(folder, ".git")
    if os.path.isdir(dot_git) and _looks_like_git_dir(dot_git):
        return dot_git, folder
    if os.path.isfile(dot_git):
        pointer = _line(dot_git)
        if pointer.startswith("gitdir: "):
            return os.path.normpath(os.path.join(folder, pointer[len("gitdir: ") :])), folder
    if _looks_like_git_dir(folder):
        inside = os.path.basename(folder) == ".git"
        return folder, os.path.dirname(folder) if inside else None
    return None


def _looks_like_git_dir(folder: str) -> bool:
    has_objects = os.path.isdir(os.path.join(folder, "objects")) or os.path.isfile(os.path.join(folder, "commondir"))
    return has_objects and os.path.lexists(os.path.join(folder, "HEAD"))


def _common_dir(git_dir: str) -> str:
    path = os.path.join(git_dir, "commondir")
    return os.path.normpath(os.path.join(git_dir, _line(path))) if os.path.isfile(path) else git_dir


def _uid(common_dir: str) -> str | None:
    path = os.path.join(common_dir, UID_FILE)
    uid = _line(path) if os.path.isfile(path) else ""
    return uid if uid.replace("-", "").isalnum() else None


def _remote(common_dir: str) -> str | None:
    path = os.path.join(common_dir, MIRROR_NOTE)
    return _line(path) or None if os.path.isfile(path) else None


def _state_home(environ: Mapping[str, str]) -> str:
    base = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # the XDG rule: a relative value counts as unset
        base = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "orchctl")


def _line(path: str) -> str:
    with open(path, "rb") as stream:
        return stream.read(POINTER_BYTES_MAX).decode("utf-8", "replace").strip()
