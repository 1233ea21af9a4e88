"""Who holds which paths of a project: `touches` overlap by path prefix (TASK-8, TASK-8a), found by the depth of a path.

Two globs overlap when the folder one of them begins with is, or is in, the folder the other begins with. That errs to
the safe side: `src/*.py` and `src/*.md` take turns. Looked up by path, never by going through the holders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchctl.core.ids import Key

Path = tuple[str, ...]
WILD = ("*", "?")


def prefix_of(glob: str) -> Path:
    """The folders, and the file, that are named before anything is left open."""
    found = []
    for part in glob.split("/"):
        if any(sign in part for sign in WILD):
            break
        if part not in ("", "."):
            found.append(part)
    return tuple(found)


class Locks:
    """The paths that are held, by project and path. A holder is an object's key."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, Path], dict[Key, int]] = {}
        self._below: dict[tuple[str, Path], dict[Key, int]] = {}  # holders of something inside this folder

    def take(self, project: str, holder: Key, touches: Iterable[str]) -> None:
        for path in map(prefix_of, touches):
            _count(self._at, (project, path), holder, 1)
            for folder in _folders(path):
                _count(self._below, (project, folder), holder, 1)

    def release(self, project: str, holder: Key, touches: Iterable[str]) -> None:
        for path in map(prefix_of, touches):
            _count(self._at, (project, path), holder, -1)
            for folder in _folders(path):
                _count(self._below, (project, folder), holder, -1)

    def conflict(self, project: str, touches: Iterable[str]) -> Key | None:
        """One that holds an overlapping path: always the same one while nothing changes."""
        for path in map(prefix_of, touches):
            for part in (*_folders(path), path):
                if found := self._at.get((project, part)):
                    return min(found)
            if found := self._below.get((project, path)):
                return min(found)
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Locks) and (self._at, self._below) == (other._at, other._below)

    __hash__ = None  # type: ignore[assignment]


def overlap(one: Iterable[str], other: Iterable[str]) -> bool:
    paths = [prefix_of(glob) for glob in other]
    return any(_within(path, mine) or _within(mine, path) for mine in map(prefix_of, one) for path in paths)


def _within(path: Path, folder: Path) -> bool:
    return path[: len(folder)] == folder


def _folders(path: Path) -> Iterator[Path]:
    return (path[:depth] for depth in range(len(path)))


def _count(held: dict[tuple[str, Path], dict[Key, int]], at: tuple[str, Path], holder: Key, by: int) -> None:
    holders = held.setdefault(at, {})
    holders[holder] = holders.get(holder, 0) + by
    if not holders[holder]:
        del holders[holder]
    if not holders:
        del held[at]
