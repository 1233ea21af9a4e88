"""Segment files: the oldest events of a ledger, out of SQLite and read with nothing but gzip (LOG-9).

A file begins with one line of JSON: its first and last event, the hash before and at its end, the digest of the rest.
The rest is gzip of JSON lines, one an event, in the order of the table. Hashes are left out, as they follow from the
content and the hash before; so reading a file proves it. A file that has its name is whole, and never changes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from orchctl.adapters.ledger import anchor, chain
from orchctl.adapters.ledger.errors import Damaged

FOLDER = "segments"
SUFFIX = ".seg"
UNUSED = ".unused"  # of a file that is of another history than the ledger: kept, never read
LEVEL = 6
_AFTER = 14  # where a row has the digest of the objects: bytes, which JSON has not
Row = tuple[object, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """`state` is the digest of all objects and counters as the last event left them."""

    path: Path
    first: int
    last: int
    hash: str
    digest: str
    state: str


def folder_of(ledger: Path) -> Path:
    return ledger.with_name(FOLDER)


def write(folder: Path, rows: Sequence[Row], through: int) -> Segment:
    """Make the segment of these rows, durable on return. Done again it finds what it did.

    `through` is the last event that is sealed already. Files beyond it are what a killed controller left, or of
    another history, as after going back to a copy.
    """
    first, last, end = int(str(rows[0][0])), int(str(rows[-1][0])), rows[-1]
    before, digest, state = _bytes(rows[0][-2]), _bytes(end[-1]), end[_AFTER]
    packed = gzip.compress(b"".join(_line(row) for row in rows), LEVEL, mtime=0)
    content = _header(first, last, before, digest, packed) + packed
    path = folder / f"{first}-{last}{SUFFIX}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for found in listed(folder):
        if found.last > through and (found.path != path or path.read_bytes() != content):
            os.replace(found.path, found.path.with_name(f"{found.path.name}{UNUSED}"))
    if not path.exists():
        unfinished = folder / "unfinished"
        unfinished.write_bytes(content)
        unfinished.chmod(0o600)
        anchor.sync(unfinished)
        os.replace(unfinished, path)
    anchor.sync(folder)
    anchor.sync(folder.parent)
    shown = state.hex() if isinstance(state, bytes) else ""
    return Segment(path, first, last, digest.hex(), hashlib.sha256(content).hexdigest(), shown)


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    path: Path
    first: int
    last: int


def listed(folder: Path) -> list[Found]:
    """The segments by their names, oldest first."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            first, _, last = path.stem.partition("-")
            if path.suffix == SUFFIX and first.isdecimal() and last.isdecimal():
                found.append(Found(path, int(first), int(last)))
    return sorted(found, key=lambda one: (one.first, one.last))


def rows(folder: Path, after: int, through: int, damaged: Callable[[Damaged], None]) -> Iterator[Row]:
    """The sealed rows behind `after` up to `through`, as the table had them; a damaged file is told of and left out."""
    for found in listed(folder):
        if found.last <= after or found.last > through:
            continue
        try:
            content = read(found)
        except (Damaged, OSError) as error:
            damaged(error if isinstance(error, Damaged) else Damaged(f"{found.path} cannot be read: {error}"))
            continue
        yield from (row for row in content if int(str(row[0])) > after)


def read(found: Found) -> list[Row]:
    head, newline, packed = found.path.read_bytes().partition(b"\n")
    try:
        told = json.loads(head)
        before, digest = bytes.fromhex(told["before"]), bytes.fromhex(told["hash"])
        if _header(found.first, found.last, before, digest, packed) != head + newline:
            raise Damaged(_damaged(found))
        made = list(_linked(gzip.decompress(packed), before))
    except (ValueError, KeyError, TypeError, EOFError, OSError, zlib.error) as error:
        raise Damaged(_damaged(found)) from error
    numbers = [row[0] for row in made]
    if not made or made[-1][-1] != digest or numbers != list(range(found.first, found.last + 1)):
        raise Damaged(_damaged(found))
    return made


def _damaged(found: Found) -> str:
    return (
        f"{found.path} is not what was sealed (events {found.first} to {found.last}): put the right file back, "
        "or `orchctl recover` says what can be had back"
    )


def _header(first: int, last: int, before: bytes, digest: bytes, packed: bytes) -> bytes:
    told = {"orchctl": "segment", "format": 1, "first": first, "last": last}
    proof = {"before": before.hex(), "hash": digest.hex(), "sha256": hashlib.sha256(packed).hexdigest()}
    return json.dumps({**told, **proof}).encode() + b"\n"


def _line(row: Row) -> bytes:
    content = list(row[:-2])
    after = content[_AFTER]
    content[_AFTER] = after.hex() if isinstance(after, bytes) else None
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _linked(lines: bytes, before: bytes) -> Iterator[Row]:
    for line in lines.splitlines():
        content = json.loads(line)
        content[_AFTER] = bytes.fromhex(content[_AFTER]) if content[_AFTER] is not None else None
        digest = chain.link(before, content)
        yield (*content, before, digest)
        before = digest


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise Damaged("the hash of an event is none")
    return value
