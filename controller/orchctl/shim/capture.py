"""What becomes of an attempt's output: known secrets are masked, then head and tail are kept (rules SES-10, SES-12).

Called by the shim only. `raw.log` grows up to half of the limit; what follows goes round in `tail.ring` and is
appended at the end, after a mark that names the offsets of what was cut. So `raw.log` only ever grows, and a reader's
offset stays good. Nothing unmasked may reach a file.
"""

from __future__ import annotations

import os
import struct

from orchctl.shim import records

RAW_LOG, TAIL_RING = "raw.log", "tail.ring"
HEADER = struct.Struct("<Q")  # at the start of the ring: how many bytes were ever put into it
COPY_BYTES = 1 << 20


class Redactor:
    """Replaces secret values by masks of equal length, also where one arrives in pieces."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = sorted({secret.encode() for secret in secrets if secret})
        self._seen = b""  # held back: may be the beginning of a secret
        self._masked = bytearray()  # the same bytes, as far as they are known to be part of one

    def feed(self, data: bytes) -> bytes:
        if not self._secrets:
            return data
        seen = self._seen + data
        masked = self._masked + data
        for secret in self._secrets:
            at = seen.find(secret)
            while at >= 0:
                masked[at : at + len(secret)] = b"*" * len(secret)
                at = seen.find(secret, at + 1)
        keep = max(self._begun(seen, secret) for secret in self._secrets)
        cut = len(seen) - keep
        self._seen, self._masked = seen[cut:], masked[cut:]
        return bytes(masked[:cut])

    def finish(self) -> bytes:
        rest, self._seen, self._masked = bytes(self._masked), b"", bytearray()
        return rest

    @staticmethod
    def _begun(seen: bytes, secret: bytes) -> int:
        """How many bytes at the end of `seen` may be the beginning of this secret."""
        longest = min(len(secret) - 1, len(seen))
        return next((size for size in range(longest, 0, -1) if seen.endswith(secret[:size])), 0)


class OutputLog:
    def __init__(self, directory: str, limit: int) -> None:
        self._directory = directory
        self._head_max = max(limit // 2, 1)
        self._tail_max = max(limit - self._head_max, 1)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._raw = os.open(os.path.join(directory, RAW_LOG), flags, 0o600)
        self._ring: int | None = None
        self._in_ring = 0
        self.total = min(os.fstat(self._raw).st_size, self._head_max)
        self.cut: tuple[int, int] | None = None
        self.problem = ""

    def write(self, data: bytes) -> None:
        """Never raises for a full or failing disk: the agent must not block, and the outcome says what is missing."""
        if not self.problem:
            try:
                self._keep(data)
            except OSError as error:
                self.problem = f"output from byte {self.total} on could not be kept: {error.strerror}"
        self.total += len(data)

    def _keep(self, data: bytes) -> None:
        room = max(self._head_max - self.total, 0)
        if room:
            records.write_all(self._raw, data[:room])
        rest = data[room:]
        if not rest:
            return
        if self._ring is None:
            path = os.path.join(self._directory, TAIL_RING)
            self._ring = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        position = self._in_ring
        for start in range(0, len(rest), self._tail_max):
            piece = rest[start : start + self._tail_max]
            self._put(self._ring, piece, position + start)
        self._in_ring = position + len(rest)
        os.pwrite(self._ring, HEADER.pack(self._in_ring), 0)

    def _put(self, ring: int, piece: bytes, position: int) -> None:
        at = position % self._tail_max
        first = piece[: self._tail_max - at]
        os.pwrite(ring, first, HEADER.size + at)
        os.pwrite(ring, piece[len(first) :], HEADER.size)

    def recover(self) -> None:
        """Take up the ring that a shim left when it was killed."""
        path = os.path.join(self._directory, TAIL_RING)
        if not os.path.exists(path):
            return
        self._ring = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        header = os.pread(self._ring, HEADER.size, 0)
        self._in_ring = HEADER.unpack(header)[0] if len(header) == HEADER.size else 0
        self.total += self._in_ring

    def finish(self) -> None:
        """Append the tail; doing it again after a crash in the middle gives the same file."""
        try:
            if self._ring is not None:
                self._append_tail(self._ring)
            os.fsync(self._raw)
        except OSError as error:
            self.problem = self.problem or f"the tail of the output could not be kept: {error.strerror}"
            return
        if self._ring is not None:
            os.unlink(os.path.join(self._directory, TAIL_RING))

    def _append_tail(self, ring: int) -> None:
        os.ftruncate(self._raw, self._head_max)
        kept = min(self._in_ring, self._tail_max)
        if self._in_ring > kept:
            self.cut = (self._head_max, self._head_max + self._in_ring - kept)
            records.write_all(self._raw, mark(*self.cut))
        position = self._in_ring - kept
        while position < self._in_ring:
            at = position % self._tail_max
            size = min(self._tail_max - at, self._in_ring - position, COPY_BYTES)
            data = os.pread(ring, size, HEADER.size + at)
            if not data:
                raise OSError(5, "the kept tail is shorter than recorded")
            records.write_all(self._raw, data)
            position += len(data)


def mark(start: int, end: int) -> bytes:
    return f"\n[orchctl: {end - start} bytes cut here, offsets {start} to {end} of the output]\n".encode()
