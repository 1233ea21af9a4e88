"""The clock of a controller: wall time for people, controller time for durations (TIME-1).

Controller time goes on where the ledger left it: by the boot clock while the machine has not been restarted (so a
stopped controller and a changed wall clock do not stretch or shrink a timeout), else by the wall clock, never back.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

from orchctl.core.events import Now

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclasses.dataclass(frozen=True, slots=True)
class Anchor:
    """A moment at which boot clock and controller time were both known."""

    boot_id: str
    boottime: float
    t: float

    def encoded(self) -> str:
        return json.dumps(dataclasses.asdict(self))


def boot_id() -> str:
    return BOOT_ID.read_text(encoding="ascii").strip()


def anchored(stored: str | None, last: Now | None) -> Anchor:
    """The anchor for this run, from the one stored by the run before and the last recorded moment."""
    here, boottime = boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME)
    if stored is not None:
        before = Anchor(**json.loads(stored))
        if before.boot_id == here:
            return before
    if last is None:
        return Anchor(here, boottime, 0.0)
    return Anchor(here, boottime, last.t + max(0.0, time.time() - last.at))


class Clock:
    def __init__(self, anchor: Anchor) -> None:
        self._anchor = anchor

    def now(self) -> Now:
        elapsed = time.clock_gettime(time.CLOCK_BOOTTIME) - self._anchor.boottime
        return Now(at=round(time.time(), 3), t=round(self._anchor.t + elapsed, 3))
