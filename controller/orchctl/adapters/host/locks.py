"""The two locks of a state directory, both by flock, so that a dead holder never has to be guessed about.

`lease.lock` says which controller owns the ledger; no child inherits it. `effects.lock` is inherited on purpose by the
git processes a controller starts: whoever comes next waits until the last of them is gone before acting.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

POLL_S = 0.02
PEEK_GRACE_S = 1.0  # readers look at the lease with a shared lock for an instant; that is no other controller


class Held(Exception):
    """Another process holds the lock; the message says which."""


def take_lease(path: Path, holder: dict[str, object]) -> int:
    """The lease's descriptor, or Held at once (but for readers' peeks) with what the holder wrote about itself."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _locked(descriptor, PEEK_GRACE_S):
        said = os.pread(descriptor, 4096, 0).decode("utf-8", "replace").strip()
        os.close(descriptor)
        raise Held(f"another controller holds {path}: {said or 'it has not said which'}")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)
    return descriptor


def take_effects(path: Path, deadline_s: float) -> int:
    """The effects lock, after the git processes of an earlier controller have ended."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _locked(descriptor, deadline_s):
        os.close(descriptor)
        raise Held(f"git processes of an earlier controller still run after {deadline_s:.0f}s (lock {path})")
    return descriptor


def _locked(descriptor: int, deadline_s: float) -> bool:
    end = time.monotonic() + deadline_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(POLL_S)
