"""The user's own checkout of the target while it is being moved: what is dirty there, and how to undo a torn move.

Called by landing, which holds the index lock meanwhile. Must never change a byte that is not the old or the new
commit's, nor touch a path that the move does not change.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

import pygit2

from orchctl.adapters.workspace import git as gits
from orchctl.core.ids import Oid
from orchctl.core.ports import PermanentError

INDEX_COPY = "orchctl-index"
_MODE_LINK, _MODE_MODULE = 0o120000, 0o160000
_ABSENT = (0, "0" * 40)
_NAMED = re.compile(r"'([^']+)'")

Item = tuple[int, str]  # mode and object id; _ABSENT when there is none


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """One path that differs between the old and the new commit."""

    path: bytes
    old: Item
    new: Item


class Checkout:
    def __init__(self, git: gits.Git, git_dir: Path, work_tree: Path) -> None:
        self._git = git
        self.git_dir = git_dir
        self.work_tree = work_tree
        self.index = git_dir / "index"
        self.copy = git_dir / INDEX_COPY
        self.place = gits.Place(git_dir, work_tree, self.copy, user=True)

    def copy_index(self) -> None:
        """Times are kept: git tells by the index's own whether a file may have changed in the same instant."""
        for leftover in (self.copy, self.copy.with_name(f"{INDEX_COPY}.lock")):
            leftover.unlink(missing_ok=True)
        if self.index.exists():
            shutil.copy2(self.index, self.copy)
        self._git.run(self.place, "update-index", "-q", "--refresh", ok=(0, 1))

    def moves(self, old: Oid, new: Oid) -> tuple[Move, ...]:
        done = self._git.run(self.place, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
        return tuple(Move(path, was, now) for path, was, now in _raw(done.out))

    def dirty(self, old: Oid, moves: Sequence[Move]) -> tuple[bytes, ...]:
        """Moved paths whose index entry or file is neither the old nor already the new one."""
        staged = {path: now for path, _, now in self._raw_of("diff-index", "--cached", old)}
        unstaged = {path for path, _, _ in self._raw_of("diff-files")}
        by_path = {move.path: move for move in moves}
        found: set[bytes] = set()
        arrived: list[Move] = []
        for move in moves:
            entry = staged.get(move.path, move.old)
            if entry not in (move.old, move.new):
                found.add(move.path)
            elif move.path in unstaged or (move.old == _ABSENT and entry == _ABSENT):
                arrived.append(move)
        same = self._same_as_new(arrived)
        in_way: Iterable[bytes] = (self._in_the_way(move, by_path) for move in arrived if move.path not in same)
        found.update(path for path in in_way if path)
        self._note_in_index([(path, by_path[path].new) for path in same])  # git keeps what is there already
        return tuple(sorted(found))

    def advance(self, old: Oid, new: Oid, dry_run: bool) -> tuple[str, ...]:
        """Two-way: what the move does not change stays as it is. The paths git refuses at, if any."""
        flags = ["-n"] if dry_run else []
        done = self._git.run(
            self.place, "read-tree", *flags, "-m", "-u", old, new, ok=(0, 128), deadline_s=gits.CHECKOUT_DEADLINE_S
        )
        if done.code == 0:
            return ()
        if not dry_run or not (named := _NAMED.findall(done.err)):
            raise gits.failure(("read-tree",), done.code, done.err)
        return tuple(dict.fromkeys(named))

    def undo(self, head: Oid, before: Oid, after: Oid) -> None:
        """Put back what an earlier move left torn: missing, new, or the beginning of the old or new content.

        That move had found all its paths clean, so none of it is anybody's edit. What the user committed since is
        theirs: only paths that `head` still has as the earlier move found them are put back.
        """
        since = {move.path for move in self.moves(before, head)}
        moves = [move for move in self.moves(before, after) if move.path not in since]
        staged = {path: now for path, _, now in self._raw_of("diff-index", "--cached", head)}
        self._note_in_index([(move.path, move.old) for move in moves if staged.get(move.path) == move.new])
        unstaged = {path for path, _, _ in self._raw_of("diff-files")}
        torn = [move for move in moves if staged.get(move.path, move.old) in (move.old, move.new)]
        torn = [move for move in torn if move.old == _ABSENT or move.path in unstaged]
        restored = [move for move in torn if self._is_ours(move)]
        for move in restored:
            self._remove(move.path)
        again = [move.path for move in restored if move.old != _ABSENT]
        if again:
            self._git.run(
                *(self.place, "checkout-index", "-f", "-q", "-u", "-z", "--stdin"),
                stdin=b"".join(path + b"\0" for path in again),
                deadline_s=gits.CHECKOUT_DEADLINE_S,
            )
        self.copy.rename(self.index)

    def _raw_of(self, *command: str) -> list[tuple[bytes, Item, Item]]:
        flags = ("-z", "--raw", "--no-renames", "--no-abbrev", "--ignore-submodules=all")
        return _raw(self._git.run(self.place, command[0], *flags, *command[1:]).out)

    def _same_as_new(self, moves: Sequence[Move]) -> set[bytes]:
        """Whose file holds just what the move would put there."""
        same: set[bytes] = set()
        hashed: list[Move] = []
        for move in moves:
            mode = self._mode(move.path)
            if mode == 0 and move.new == _ABSENT:
                same.add(move.path)
            elif mode == move.new[0] == _MODE_LINK:
                if str(pygit2.hash(os.readlink(self._file(move.path)))) == move.new[1]:
                    same.add(move.path)
            elif mode != 0 and mode == move.new[0] and b"\n" not in move.path:
                hashed.append(move)
        if hashed:
            names = b"".join(move.path + b"\n" for move in hashed)
            oids = self._git.run(self.place, "hash-object", "--stdin-paths", stdin=names).out.decode().split()
            same.update(move.path for move, oid in zip(hashed, oids, strict=True) if oid == move.new[1])
        return same

    def _in_the_way(self, move: Move, by_path: dict[bytes, Move]) -> bytes:
        """What the move would destroy at this path: an edit, an untracked file, or one in a folder's place."""
        if move.old != _ABSENT:
            return move.path
        for folder in _parents(move.path):
            mode = self._mode(folder)
            if mode and not stat.S_ISDIR(mode) and folder not in by_path:
                return folder
        mode = self._mode(move.path)
        if mode == 0 or (move.new[0] == _MODE_MODULE and stat.S_ISDIR(mode)):
            return b""
        if not stat.S_ISDIR(mode):
            return move.path
        for folder, _, files in os.walk(os.fsencode(self._file(move.path))):
            for name in files:
                inside = os.path.relpath(os.path.join(folder, name), os.fsencode(self.work_tree))
                if inside not in by_path or by_path[inside].new != _ABSENT:
                    return inside
        return b""

    def _note_in_index(self, entries: Sequence[tuple[bytes, Item]]) -> None:
        """Say in the index what is at these paths, without touching a file; what goes makes room for what comes."""
        ordered = sorted(entries, key=lambda entry: entry[1] != _ABSENT)
        lines = [b"%06o %s\t%s\0" % (mode, oid.encode(), path) for path, (mode, oid) in ordered]
        if lines:
            self._git.run(self.place, "update-index", "-z", "--index-info", stdin=b"".join(lines))
            self._git.run(self.place, "update-index", "-q", "--refresh", ok=(0, 1))

    def _is_ours(self, move: Move) -> bool:
        mode = self._mode(move.path)
        if mode == 0 or move.path in self._same_as_new([move]):
            return True
        if not stat.S_ISREG(mode):
            return stat.S_ISDIR(mode) and move.old != _ABSENT and move.new == _ABSENT
        with open(self._file(move.path), "rb") as file:
            there = file.read(gits.OUTPUT_BYTES_MAX)
        return any(self._content(move.path, item).startswith(there) for item in (move.old, move.new))

    def _content(self, path: bytes, item: Item) -> bytes:
        if item == _ABSENT or item[0] in (_MODE_LINK, _MODE_MODULE):
            return b""
        return self._git.run(self.place, "cat-file", "--filters", f"--path={os.fsdecode(path)}", item[1]).out

    def _remove(self, path: bytes) -> None:
        try:
            self._file(path).unlink(missing_ok=True)
        except (IsADirectoryError, NotADirectoryError, PermissionError):
            return
        for folder in _parents(path):
            try:
                self._file(folder).rmdir()
            except OSError:
                return

    def _mode(self, path: bytes) -> int:
        """As git has it for files and links, the plain one for anything else; 0 when there is nothing."""
        try:
            mode = self._file(path).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return 0
        if stat.S_ISLNK(mode):
            return _MODE_LINK
        if stat.S_ISREG(mode):
            return 0o100755 if mode & stat.S_IXUSR else 0o100644
        return mode

    def _file(self, path: bytes) -> Path:
        return self.work_tree / os.fsdecode(path)


def _parents(path: bytes) -> list[bytes]:
    """The folders a path is in, the nearest first."""
    parts = path.split(b"/")
    return [b"/".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def _raw(out: bytes) -> list[tuple[bytes, Item, Item]]:
    fields = out.split(b"\0")
    found = []
    for head, path in zip(fields[0::2], fields[1::2], strict=False):
        parts = head.decode("ascii").removeprefix(":").split(" ")
        if len(parts) != 5:
            raise PermanentError(f"git printed a change that cannot be read: {head!r}")
        old_mode, new_mode, old_oid, new_oid, status = parts
        new = (int(new_mode, 8), new_oid) if status[0] != "U" else (-1, new_oid)
        found.append((path, (int(old_mode, 8), old_oid), new))
    return found
