"""Disk space set aside beside the ledger, so that a full disk can still be recorded (F10).

When a commit finds no space, the file is given up and the commit tried once more. It is made again when there is room
for it twice, so that work does not stop and start with every byte that comes and goes.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

NAME = "reserve"
SIZE_BYTES = 8 * 1024 * 1024  # many turns: the one that found the disk full, and those that stop what runs
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class Reserve:
    def __init__(self, path: Path, size_bytes: int = SIZE_BYTES) -> None:
        self.path = path
        self._size_bytes = size_bytes

    @property
    def is_there(self) -> bool:
        return self.path.exists()

    def make(self) -> bool:
        """Whether the space is set aside now."""
        if self.is_there:
            return True
        found = os.statvfs(self.path.parent)
        if found.f_bavail * found.f_frsize < 2 * self._size_bytes:
            return False
        temporary = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size_bytes)
        except OSError as error:
            temporary.unlink()
            if error.errno not in NO_SPACE:
                raise
            return False
        finally:
            os.close(descriptor)
        os.replace(temporary, self.path)
        return True

    def release(self) -> bool:
        """Whether this gave any space back."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True
