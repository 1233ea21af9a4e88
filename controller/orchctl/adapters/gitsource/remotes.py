"""Control repos that are elsewhere: which addresses will do, and the bare mirror that is read in their place.

Called when a controller is built. The mirror is ours alone, so it may be removed at any time: it is fetched again. A
note in it says whose mirror it is, so that it is the same control repo by its address and by its folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from pathlib import Path

import pygit2

from orchctl.adapters.gitsource import commands, fetching, repository
from orchctl.core.ports import PermanentError, TransientError

NOTE = "orchctl-mirror"  # also read by app.read.locate
ASK_S = 30.0
_SCHEMES = ("file", "ssh", "https", "http", "git", "git+ssh", "ssh+git")
_OPEN = ("http", "git")  # anybody on the way could write manifests, which run programs here
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?")
_SYMREF = re.compile(r"^ref: (refs/heads/\S+)\tHEAD$", re.MULTILINE)
_TRACKING = "refs/remotes/"


def checked(url: str) -> str:
    """The address itself; PermanentError says what is wrong with it."""
    scheme, separator, rest = url.partition("://")
    if url.startswith("-") or not url.isprintable() or "::" in url.partition("/")[0]:
        raise PermanentError(f"{url!r} is no address of a repository")
    if not separator:
        return url
    authority = rest.partition("/")[0]
    if scheme not in _SCHEMES:
        raise PermanentError(f"{scheme}:// is not fetched from; use https://, ssh:// or file://")
    if ":" in authority.rpartition("@")[0]:
        raise PermanentError("the address holds a password: leave it to git's credential helper, or use ssh")
    if scheme in _OPEN and not _LOOPBACK.fullmatch(authority.rpartition("@")[2]):
        raise PermanentError(f"{scheme}:// does not say who answers: use https:// or ssh://")
    return url


def remote_of(common_dir: Path) -> str | None:
    """The address this repo is our mirror of; None for every other repo."""
    with contextlib.suppress(OSError):
        return (common_dir / NOTE).read_text(encoding="utf-8").strip() or None
    return None


def make_mirror(git_dir: Path, url: str) -> None:
    """An empty mirror, unless it is there; half made ones are never seen under that name."""
    checked(url)
    if remote_of(git_dir) == url:
        return
    git_dir.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = git_dir.with_name(f"{git_dir.name}.{os.getpid()}.new")
    pygit2.init_repository(str(fresh), bare=True, initial_head="main")
    # Both follow from the address alone, so that a mirror that was lost is made again with the same state.
    (fresh / NOTE).write_text(f"{url}\n", encoding="utf-8")
    (fresh / repository.UID_FILE).write_text(f"{hashlib.sha256(url.encode()).hexdigest()[:32]}\n", encoding="ascii")
    with contextlib.suppress(OSError):  # somebody else may have been first
        fresh.rename(git_dir)
    shutil.rmtree(fresh, ignore_errors=True)
    if remote_of(git_dir) != url:
        raise PermanentError(f"{git_dir} is not a mirror of {url}: remove it")


def settle_head(git_dir: Path, url: str) -> str:
    """The remote's default branch, which becomes HEAD of the mirror."""
    asked = commands.run(git_dir, ("ls-remote", "--symref", "--", url, "HEAD"), deadline_s=ASK_S)
    found = _SYMREF.search(asked.out)
    if asked.code or found is None:
        reason = fetching.sentence(asked.err) if asked.code else "it names no default branch"
        shown = fetching.without_secrets(url)
        raise TransientError(f"which branch of {shown}? Say it with --ref, as it cannot be asked: {reason}")
    pygit2.Repository(str(git_dir)).set_head(found[1])
    return found[1]


def target_of(control: repository.ControlRepo, ref: str) -> fetching.Target | None:
    """What to fetch for this ref to be up to date; None when it is a branch that people push or commit to."""
    url = remote_of(control.common_dir)
    if url is not None:
        return fetching.Target(control.common_dir, url, ref, ref, fetching.without_secrets(url))
    for name in sorted(control.remotes(), key=len, reverse=True):
        prefix = f"{_TRACKING}{name}/"
        if ref.startswith(prefix) and not ref.endswith("/HEAD"):
            branch = f"refs/heads/{ref.removeprefix(prefix)}"
            return fetching.Target(control.common_dir, name, branch, ref, name)
    return None
