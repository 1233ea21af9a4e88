"""Which manifest files differ between two trees, without looking into anything that is equal.

libgit2's own diff is linear in the number of files; this one costs what the changed folders hold. Called by the git
source, pure over a reader of raw trees. Must never follow a symlink or a submodule: only regular blobs count.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence

from orchctl.core.ids import Oid

MODE_TREE = 0o040000
MODES_REGULAR = (0o100644, 0o100755, 0o100664)  # the last one only in very old repositories
SUFFIXES = (".yaml", ".yml")
DEPTH_MAX = 64  # folders inside folders; hostile trees may be deeper, people's are not
TRIM_FROM = 64 * 1024  # bytes of a raw tree from which cutting equal ends off pays

_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_START = re.compile(rb"(?:100644|100755|100664|120000|160000|40000) [^\0/]+\0")

ReadTree = Callable[[Oid], bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One manifest file that came (no old), went (no new) or changed. `mode` is the new one, or the last one."""

    path: str
    old_oid: Oid | None
    new_oid: Oid | None
    mode: int


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    mode: int
    oid: Oid


def changes(
    read_tree: ReadTree, old: Oid | None, new: Oid | None, roots: Sequence[str] = ("manifests",)
) -> tuple[Change, ...]:
    """Changed manifests below the roots, by path; a missing tree counts as an empty one."""
    found: dict[str, Change] = {}
    for root in roots:
        path = root.strip("/")
        start = (_folder_at(read_tree, old, path), _folder_at(read_tree, new, path))
        for change in _below(read_tree, f"{path}/" if path else "", start, 0):
            found[change.path] = change
    return tuple(found[path] for path in sorted(found))


def _folder_at(read_tree: ReadTree, tree: Oid | None, path: str) -> Oid | None:
    for name in path.split("/") if path else ():
        if tree is None:
            return None
        entry = _entries(read_tree(tree)).get(name.encode())
        tree = entry.oid if entry is not None and entry.mode == MODE_TREE else None
    return tree


def _below(read_tree: ReadTree, prefix: str, pair: tuple[Oid | None, Oid | None], depth: int) -> Iterator[Change]:
    old, new = pair
    if old == new or depth > DEPTH_MAX:
        return
    before, after = _different(read_tree(old) if old else b"", read_tree(new) if new else b"")
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        path = prefix + name.decode("utf-8", "backslashreplace")
        yield from _below(read_tree, f"{path}/", (_tree(was), _tree(now)), depth + 1)
        if not path.endswith(SUFFIXES):
            continue
        old_oid, new_oid = _blob(was), _blob(now)
        if old_oid is None and new_oid is None:
            continue
        shown = now if new_oid is not None else was
        assert shown is not None
        yield Change(path, old_oid, new_oid, shown.mode)


def _tree(entry: Entry | None) -> Oid | None:
    return entry.oid if entry is not None and entry.mode == MODE_TREE else None


def _blob(entry: Entry | None) -> Oid | None:
    return entry.oid if entry is not None and entry.mode in MODES_REGULAR else None


def _different(old: bytes, new: bytes) -> tuple[dict[bytes, Entry], dict[bytes, Entry]]:
    """The entries of each side that the other does not have in the same form."""
    if min(len(old), len(new)) >= TRIM_FROM:
        old, new = _trimmed(old, new)
    before, after = set(_ENTRY.findall(old)), set(_ENTRY.findall(new))
    return _named(before - after), _named(after - before)


def _entries(raw: bytes) -> dict[bytes, Entry]:
    return _named(_ENTRY.findall(raw))


def _named(rows: Sequence[tuple[bytes, bytes, bytes]] | set[tuple[bytes, bytes, bytes]]) -> dict[bytes, Entry]:
    return {name: Entry(int(mode, 8), Oid(oid.hex())) for mode, name, oid in rows}


def _trimmed(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Both without the entries they begin and end with in common, for folders too large to parse whole.

    Entries are not of one length and hashes may hold any byte, so a cut is only made where an entry plainly starts;
    that place is in the common part, so both sides are cut alike and nothing but equal entries is lost.
    """
    head = _start_before(old, _common(old, new, len(old), len(new)))
    old, new = old[head:], new[head:]
    room = min(len(old), len(new))
    tail = _common_end(old, new, room)
    cut = _start_after(old, len(old) - tail)
    return old[:cut], new[: len(new) - (len(old) - cut)]


def _common(old: bytes, new: bytes, old_size: int, new_size: int) -> int:
    low, high = 0, min(old_size, new_size)
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(old: bytes, new: bytes, room: int) -> int:
    low, high = 0, room
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_start(raw: bytes, at: int) -> bool:
    """Whether an entry starts here and two more follow it without a gap (a hash that looks like one does not do)."""
    if at == 0:
        return True
    for _ in range(3):
        if raw[at - 21 : at - 20] != b"\0" or (found := _START.match(raw, at)) is None:
            return False
        at = found.end() + 20
        if at == len(raw):
            return True
    return True


def _start_before(raw: bytes, at: int) -> int:
    floor = max(0, at - 4096)  # several entries, whatever their names' length
    return next((place for place in range(at, floor, -1) if _is_start(raw, place)), 0)


def _start_after(raw: bytes, at: int) -> int:
    ceiling = min(len(raw), at + 4096)
    return next((place for place in range(max(at, 21), ceiling) if _is_start(raw, place)), len(raw))
