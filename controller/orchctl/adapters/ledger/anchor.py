"""The head anchor: a small file beside the ledger that says how far the ledger had come (LOG-7).

A chain alone does not see that its end is missing, as after a lost WAL or an older copy put back. So after each commit
its number, hash and epoch go to one of two slots in turn. The commit comes first: killed in between, the ledger is
ahead of its anchor, which is no harm. A slot that was half written fails its checksum, and the other one still counts.

Writes are not synced one by one: what a killed process has written is kept by the kernel, and after a power cut an
older anchor only means that less can be noticed.
"""

from __future__ import annotations

import dataclasses
import os
import struct
import zlib
from pathlib import Path

from orchctl.adapters.ledger.errors import Damaged

NAME = "anchor"
MAGIC = b"orchanc1"
SLOT_BYTES = 4096  # a slot in a block of its own: what hurts one does not reach the other
SLOTS = 2
_FIELDS = struct.Struct(">8sQQQ32s")  # magic, number of this write, epoch, seq, hash
_CHECKSUM = struct.Struct(">I")


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    epoch: int
    seq: int
    hash: bytes


class AnchorFile:
    """The open file. `mark` is what it says; None: there is no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark: Mark | None = None
        self._writes = 0
        self._descriptor = -1
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            self._writes, self.mark = _newest(os.pread(self._descriptor, SLOTS * SLOT_BYTES, 0), path)
        except Damaged:
            self.close()
            raise

    def make(self, mark: Mark) -> None:
        self.close()
        make(self.path, mark)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        self._writes, self.mark = 0, mark

    def write(self, mark: Mark) -> None:
        self._writes += 1
        os.pwrite(self._descriptor, _slot(self._writes, mark), self._writes % SLOTS * SLOT_BYTES)
        self.mark = mark

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def make(path: Path, mark: Mark) -> None:
    """A new file, or a new content for it, whole or not at all, and durable."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(_slot(0, mark).ljust(SLOT_BYTES, b"\0") * SLOTS)
    temporary.chmod(0o600)
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)


def read(path: Path) -> Mark | None:
    """What it says; None: there is no file."""
    found = AnchorFile(path)
    found.close()
    return found.mark


def _slot(number: int, mark: Mark) -> bytes:
    fields = _FIELDS.pack(MAGIC, number, mark.epoch, mark.seq, mark.hash)
    return fields + _CHECKSUM.pack(zlib.crc32(fields))


def _newest(content: bytes, path: Path) -> tuple[int, Mark]:
    found = [_read(content[start : start + SLOT_BYTES]) for start in range(0, SLOTS * SLOT_BYTES, SLOT_BYTES)]
    readable = [slot for slot in found if slot is not None]
    if not readable:
        raise Damaged(f"{path} cannot be read in either of its slots: `orchctl recover` makes it anew from the ledger")
    return max(readable, key=lambda slot: slot[0])


def _read(slot: bytes) -> tuple[int, Mark] | None:
    fields, rest = slot[: _FIELDS.size], slot[_FIELDS.size : _FIELDS.size + _CHECKSUM.size]
    if len(rest) < _CHECKSUM.size or _CHECKSUM.unpack(rest)[0] != zlib.crc32(fields):
        return None
    magic, number, epoch, seq, digest = _FIELDS.unpack(fields)
    return (number, Mark(epoch, seq, digest)) if magic == MAGIC else None


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
