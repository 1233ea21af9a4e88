"""Commits one new file to the control repo as the user, and nothing else of theirs (GIT-9).

Called when a verb writes a manifest. Works by plumbing: a private index, commit-tree, and a compare-and-swap of the
ref, so that staged and unstaged work stays as it is, and a bare repo will do. It overwrites no file and runs no hook.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import tempfile

from orchctl.app import mirroring
from orchctl.app.read import failures
from orchctl.app.read.locate import Place

GIT_TIMEOUT_S = 60
SWAPS_MAX = 8  # how often somebody else may move the branch between our read and our write
ABSENT = "0" * 40
# What would point our git at another repo, for example inside a hook. Identity and configuration stay the user's.
LOCATION_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Committed:
    commit: str
    ref: str
    path: str


class _Moved(Exception):
    """The branch is no longer at the commit we built on."""


class ControlBranch:
    """One branch of the control repo, to look into and to add files to."""

    def __init__(self, place: Place, ref: str | None = None) -> None:
        self._place = place
        if place.remote is not None:
            self.ref = self._full(ref) if ref else mirroring.default_ref(place)
            self._is_checked_out = False
            mirroring.refresh(place, self.ref)
            return
        head = self._git("symbolic-ref", "-q", "HEAD", check=False).strip()
        self.ref = self._full(ref) if ref else head
        if not self.ref:
            raise failures.CommandError("HEAD is detached: check out a branch, or name one with --ref", failures.USAGE)
        self._is_checked_out = place.worktree is not None and head == self.ref

    def has(self, path: str) -> bool:
        """Whether the path is taken: in the branch, or in the working tree that goes with it."""
        if self._is_checked_out and os.path.lexists(os.path.join(self._place.root, path)):
            return True
        tip = self._tip()
        return tip != ABSENT and bool(self._git("ls-tree", "--name-only", tip, "--", path).strip())

    def add(self, path: str, content: str, message: str) -> Committed:
        data = content.encode()
        written = self._write_file(path, data) if self._is_checked_out else None
        try:
            blob = self._git("hash-object", "-w", "--stdin", stdin=data).strip()
            commit = self._commit(path, blob, message)
        except BaseException:
            if written:
                os.unlink(written)
            raise
        if written:
            # The user's own index learns of the file, so that `git status` is clean; everything else in it stays.
            self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        return Committed(commit, self.ref, path)

    def _commit(self, path: str, blob: str, message: str) -> str:
        for _ in range(SWAPS_MAX):
            tip = self._tip()
            tree = self._tree_with(tip, path, blob)
            parents = () if tip == ABSENT else ("-p", tip)
            commit = self._git("commit-tree", tree, *parents, "-F", "-", stdin=message.encode()).strip()
            try:
                self._swap(commit, tip, message)
            except _Moved:
                continue
            return commit
        raise failures.CommandError(f"{self.ref} keeps moving: try again", failures.CONFLICT)

    def _swap(self, commit: str, tip: str, message: str) -> None:
        if self._place.remote is not None:
            self._push(commit, tip)
            return
        try:
            self._git("update-ref", "-m", f"orchctl: {message.splitlines()[0]}", self.ref, commit, tip)
        except failures.CommandError:
            if self._tip() == tip:
                raise
            raise _Moved from None

    def _push(self, commit: str, tip: str) -> None:
        try:
            self._git(*mirroring.push_words(self._place, self.ref, commit, "" if tip == ABSENT else tip))
        except failures.CommandError:
            mirroring.refresh(self._place, self.ref)
            if self._tip() == tip:
                raise
            raise _Moved from None
        mirroring.refresh(self._place, self.ref)

    def _tree_with(self, tip: str, path: str, blob: str) -> str:
        with tempfile.TemporaryDirectory(prefix="orchctl-index-") as folder:
            index = os.path.join(folder, "index")
            if tip != ABSENT:
                self._git("read-tree", tip, index=index)
            self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", index=index)
            return self._git("write-tree", index=index).strip()

    def _write_file(self, path: str, data: bytes) -> str:
        full = os.path.join(self._place.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if not os.path.realpath(full).startswith(os.path.realpath(self._place.root) + os.sep):
            raise failures.CommandError(f"{path} leads out of the repository through a link", failures.CONFLICT)
        try:
            with open(full, "xb") as stream:
                stream.write(data)
        except FileExistsError:
            raise failures.CommandError(f"{path} exists already", failures.CONFLICT) from None
        return full

    def _tip(self) -> str:
        return self._git("rev-parse", "-q", "--verify", self.ref, check=False).strip() or ABSENT

    def _full(self, ref: str) -> str:
        return ref if ref.startswith("refs/") else f"refs/heads/{ref}"

    def _git(self, *words: str, stdin: bytes = b"", index: str | None = None, check: bool = True) -> str:
        return git(self._place, *words, stdin=stdin, index=index, check=check)


def git(place: Place, *words: str, stdin: bytes = b"", index: str | None = None, check: bool = True) -> str:
    """The output of one git command on the control repo, run as the user."""
    environ = {name: value for name, value in os.environ.items() if name not in LOCATION_VARIABLES}
    environ |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"} | ({"GIT_INDEX_FILE": index} if index else {})
    try:
        done = subprocess.run(
            ["git", *words], cwd=place.root, env=environ, input=stdin, capture_output=True, timeout=GIT_TIMEOUT_S
        )
    except FileNotFoundError:
        raise failures.CommandError("git is not installed or not on PATH") from None
    except subprocess.TimeoutExpired:
        raise failures.CommandError(f"git {words[0]} did not end within {GIT_TIMEOUT_S} s") from None
    if done.returncode != 0 and check:
        raise failures.CommandError(_sentence(words[0], done.stderr.decode("utf-8", "replace")))
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _sentence(verb: str, complaint: str) -> str:
    if "tell me who you are" in complaint or "identity" in complaint:
        return (
            "git does not know who you are: run"
            " `git config --global user.name NAME` and `git config --global user.email ADDRESS`"
        )
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    reason = next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "no reason"
    )
    return f"git {verb} failed: {reason.removeprefix('fatal: ').removeprefix('error: ')}"
