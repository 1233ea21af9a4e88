"""Moves the target branch in the user's own repository, together with its checkout if there is one.

Called by the adapter. Nothing checked out: a push that succeeds only if the branch is where it was. Checked out, in
this order, so that whoever looks sees HEAD, index and files agree:

1. take the index lock, and the branch's lock by a prepared ref transaction; 2. undo what an earlier, killed move left
torn; 3. look whether a changed path is dirty; 4. note what is about to happen; 5. move the files and a copy of the
index; 6. put the copy in the index's place; 7. commit the transaction; 8. drop the note and the lock.

Killed anywhere, the note tells the next call which paths were clean before. Must never run a hook, force a ref, or
remove a lock that may be somebody else's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import selectors
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pygit2

from orchctl.adapters.workspace import checkout as checkouts
from orchctl.adapters.workspace import git as gits
from orchctl.adapters.workspace import hubs, places
from orchctl.core.ids import Oid
from orchctl.core.ports import Landing, LandResult, PermanentError, TransientError

NOTE = "orchctl-landing"
EMPTY_LOCK_STALE_S = 5.0  # git fills a ref's lock within microseconds
_TRANSACTION_S = 30.0
_LOCK_MARK = "orchctl landing "


class _Moved(Exception):
    """The branch is not where it was."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Target:
    ref: str
    old: Oid
    new: Oid


class Lander:
    def __init__(self, owner: places.Owner, hubs_: hubs.Hubs, git: gits.Git) -> None:
        self._owner = owner
        self._hubs = hubs_
        self._git = git
        self._one_at_a_time = threading.Lock()

    def land(self, project: str, repo: str, branch: str, new: Oid, old: Oid) -> Landing:
        hub = self._hubs.repository(project)
        self._hubs.commit(hub, new)
        target = _Target(hubs.full_branch(branch), old, new)
        with self._one_at_a_time:
            head = self._hubs.sync(project, repo, branch).head
            path = Path(repo)
            checkout = self._checkout(path, target.ref) if path.is_absolute() and path.is_dir() else None
            if head == new or _contains(self._hubs.repository(project), head, new):
                if checkout is not None:
                    self._clear_leftovers(checkout, target)
                return Landing(LandResult.LANDED)
            if head != old:
                return Landing(LandResult.MOVED)
            if checkout is None:
                return self._push(Path(hub.path), repo, target)
            (_common_dir(checkout.git_dir) / f"refs/orch/landing/{new}.lock").unlink(missing_ok=True)
            self._send(Path(hub.path), repo, f"{new}:refs/orch/landing/{new}")
            try:
                return self._move(checkout, target)
            except _Moved:
                return Landing(LandResult.MOVED)
            finally:
                self._drop_sent(checkout, new)

    def blocked_by(self, project: str, repo: str, branch: str, new: Oid, old: Oid) -> tuple[str, ...]:
        """The paths a landing would find dirty, by a look that takes no lock; the landing itself looks again."""
        path = Path(repo)
        hub = self._hubs.repository(project)
        head = self._hubs.sync(project, repo, branch).head
        checkout = self._checkout(path, hubs.full_branch(branch)) if path.is_absolute() and path.is_dir() else None
        if head != old or checkout is None:
            return ()
        before, after = self._hubs.commit(hub, old).tree, self._hubs.commit(hub, new).tree
        changed = set(hubs.changed_paths(before, after))
        place = gits.Place(checkout.git_dir, checkout.work_tree, user=True)
        options = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching")
        entries = self._git.run(place, "status", *options).out.split(b"\0")
        dirty = (entry[3:].rstrip(b"/").decode("utf-8", "backslashreplace") for entry in entries if len(entry) > 3)
        return tuple(path for path in dirty if _meets(path, changed))

    def _checkout(self, repo: Path, ref: str) -> checkouts.Checkout | None:
        """Where the branch is checked out: the repository's own worktree or one linked to it."""
        git_dir = Path(pygit2.Repository(str(repo)).path)
        listed = self._git.run(gits.Place(git_dir, user=True), "worktree", "list", "--porcelain", "-z").out
        found: list[Path] = []
        for block in listed.split(b"\0\0"):
            lines = block.split(b"\0")
            if b"branch " + os.fsencode(ref) in lines and b"bare" not in lines:
                found.append(Path(os.fsdecode(lines[0].removeprefix(b"worktree "))))
        found = [path for path in found if path.is_dir()]
        if not found:
            return None
        if len(found) > 1:
            raise PermanentError(f"{ref} is checked out in {found[0]} and {found[1]}; leave it in one of them")
        work_tree = found[0]
        own = Path(pygit2.Repository(str(work_tree)).path)
        return checkouts.Checkout(self._git, own, work_tree)

    def _push(self, hub: Path, repo: str, target: _Target) -> Landing:
        try:
            self._send(hub, repo, f"--force-with-lease={target.ref}:{target.old}", f"{target.new}:{target.ref}")
        except PermanentError as error:
            if "stale info" in str(error) or "[rejected]" in str(error):
                return Landing(LandResult.MOVED)
            raise
        return Landing(LandResult.LANDED)

    def _send(self, hub: Path, repo: str, *what: str) -> None:
        lease = [each for each in what if each.startswith("--")]
        other = [f"--receive-pack={gits.RECEIVE_PACK}"] if Path(repo).is_absolute() else []
        specs = [each for each in what if not each.startswith("--")]
        self._git.run(
            gits.Place(hub, user=True),
            "push",
            "--quiet",
            "--no-verify",
            "--no-follow-tags",
            *other,
            *lease,
            repo,
            *specs,
        )

    def _move(self, checkout: checkouts.Checkout, target: _Target) -> Landing:
        note = checkout.git_dir / NOTE
        with _index_lock(self._owner, checkout), self._prepared(checkout, target) as commit:
            checkout.copy_index()
            if (left := _read_note(note)) is not None:
                checkout.undo(target.old, *left)
                checkout.copy_index()
                note.unlink()
                self._drop_sent(checkout, left[1])
            dirty = checkout.dirty(target.old, checkout.moves(target.old, target.new))
            if dirty:
                return Landing(LandResult.DIRTY, tuple(path.decode("utf-8", "backslashreplace") for path in dirty))
            refused = checkout.advance(target.old, target.new, dry_run=True)
            if refused:
                return Landing(LandResult.DIRTY, refused)
            _write_note(note, target)
            checkout.advance(target.old, target.new, dry_run=False)
            checkout.copy.rename(checkout.index)
            commit()
            note.unlink()
        return Landing(LandResult.LANDED)

    @contextlib.contextmanager
    def _prepared(self, checkout: checkouts.Checkout, target: _Target) -> Iterator[Callable[[], None]]:
        """The branch locked at its old value; it moves when the caller says so, and is let go otherwise."""
        _remove_dead_ref_locks(checkout, target)
        place = gits.Place(checkout.git_dir, checkout.work_tree, user=True)
        with tempfile.TemporaryFile() as complaints:
            child = self._git.open(place, "update-ref", "-m", "orchctl: land", "--stdin", stderr=complaints.fileno())

            def say(line: str, answer: str) -> None:
                assert child.stdin is not None
                assert child.stdout is not None
                with contextlib.suppress(BrokenPipeError):
                    child.stdin.write(line.encode())
                    child.stdin.flush()
                if _line(child.stdout.fileno()) != answer:
                    child.wait(_TRANSACTION_S)
                    complaints.seek(0)
                    err = complaints.read(4096).decode("utf-8", "replace")
                    if "but expected" in err:
                        raise _Moved
                    raise gits.failure(("update-ref",), child.returncode, err)

            with gits.killed_at_exit(child):
                say("start\n", "start: ok")
                say(f"update {target.ref} {target.new} {target.old}\nprepare\n", "prepare: ok")
                try:
                    yield lambda: say("commit\n", "commit: ok")
                finally:
                    assert child.stdin is not None
                    with contextlib.suppress(OSError):
                        child.stdin.close()  # without a commit before it, git aborts and lets go of its locks
                    child.wait(_TRANSACTION_S)

    def _clear_leftovers(self, checkout: checkouts.Checkout, target: _Target) -> None:
        """The ref moved last, so all is done but what says that it was being done."""
        note = checkout.git_dir / NOTE
        left = _read_note(note)
        sent = _common_dir(checkout.git_dir) / f"refs/orch/landing/{target.new}"
        if left is None and (sent.exists() or sent.with_name(f"{sent.name}.lock").exists()):
            self._drop_sent(checkout, target.new)
        if left is None or left[1] != target.new:
            return
        with _index_lock(self._owner, checkout):
            _remove_dead_ref_locks(checkout, target)
            note.unlink()
            checkout.copy.unlink(missing_ok=True)
        self._drop_sent(checkout, target.new)

    def _drop_sent(self, checkout: checkouts.Checkout, new: Oid) -> None:
        """The ref that kept the objects in the user's repository until its branch did."""
        ref = f"refs/orch/landing/{new}"
        # Nobody but a landing of this very commit locks it, and there is one at a time.
        (_common_dir(checkout.git_dir) / f"{ref}.lock").unlink(missing_ok=True)
        self._git.run(gits.Place(checkout.git_dir, user=True), "update-ref", "-d", ref)


def _meets(path: str, changed: set[str]) -> bool:
    """Whether a dirty path is a changed one, or one of the two is a folder in which the other is."""
    if path in changed or any(path[: at.start()] in changed for at in re.finditer("/", path)):
        return True
    return any(other.startswith(f"{path}/") for other in changed)


@contextlib.contextmanager
def _index_lock(owner: places.Owner, checkout: checkouts.Checkout) -> Iterator[None]:
    """git's own lock, with the maker's name in it: taken from a maker that is gone, never from anybody else."""
    lock = checkout.git_dir / "index.lock"
    mine = checkout.git_dir / f"{NOTE}.{owner.token}"
    mine.write_text(f"{_LOCK_MARK}{owner.path}\n")
    try:
        for _ in range(2):
            try:
                os.link(mine, lock)
                break
            except FileExistsError:
                if not _is_dead(lock, owner):
                    raise TransientError(f"{lock} exists: another git is at work in {checkout.work_tree}") from None
                lock.unlink(missing_ok=True)
        else:
            raise TransientError(f"{lock} was taken again by another git")
    finally:
        mine.unlink()
    try:
        for leftover in checkout.git_dir.glob(f"{NOTE}.*"):
            if leftover.suffix == ".new" or _is_dead(leftover, owner):
                leftover.unlink(missing_ok=True)
        yield
    finally:
        checkout.copy.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)


def _is_dead(lock: Path, owner: places.Owner) -> bool:
    try:
        text = lock.read_bytes()[:4096].decode("utf-8", "replace")
    except FileNotFoundError:
        return True
    if not text.startswith(_LOCK_MARK):
        return False
    maker = Path(text.removeprefix(_LOCK_MARK).rstrip("\n"))
    return maker == owner.path or not places.is_held(maker)  # one landing at a time here, so ours is a leftover


def _remove_dead_ref_locks(checkout: checkouts.Checkout, target: _Target) -> None:
    """Called under the index lock: no landing of ours is at work here, so what one of ours locked is a leftover."""
    for lock in (_common_dir(checkout.git_dir) / f"{target.ref}.lock", checkout.git_dir / "HEAD.lock"):
        with contextlib.suppress(FileNotFoundError):
            content = lock.read_bytes()[:100]
            age_s = time.time() - lock.stat().st_mtime
            if content.strip() == target.new.encode() or (not content and age_s > EMPTY_LOCK_STALE_S):
                lock.unlink()


def _common_dir(git_dir: Path) -> Path:
    pointer = git_dir / "commondir"
    return git_dir / pointer.read_text().strip() if pointer.is_file() else git_dir


def _contains(hub: pygit2.Repository, head: Oid, new: Oid) -> bool:
    return bool(hub.descendant_of(head, new))


def _read_note(note: Path) -> tuple[Oid, Oid] | None:
    try:
        held = json.loads(note.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise PermanentError(f"{note} cannot be read; look at the checkout, then remove it") from error
    return Oid(held["old"]), Oid(held["new"])


def _write_note(note: Path, target: _Target) -> None:
    fresh = note.with_name(f"{NOTE}.new")
    with fresh.open("w") as file:
        json.dump({"old": target.old, "new": target.new, "ref": target.ref}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(note)


def _line(fd: int) -> str:
    """One line of a transaction's answers."""
    data = b""
    end = time.monotonic() + _TRANSACTION_S
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while not data.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TransientError(f"git update-ref did not answer within {_TRANSACTION_S:.0f} s")
            part = os.read(fd, 1)
            if not part:
                break
            data += part
    return data.decode().strip()
