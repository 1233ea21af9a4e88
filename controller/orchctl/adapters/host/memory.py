"""How much memory is free for new processes, as the kernel reckons it: what it can give without swapping."""

from __future__ import annotations

from pathlib import Path

MEMINFO = Path("/proc/meminfo")
FIELD = "MemAvailable:"
KIB = 1024


def free_bytes(meminfo: Path = MEMINFO) -> int | None:
    """None where the kernel does not say: then nobody is kept from starting."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(FIELD):
            return int(line.split()[1]) * KIB
    return None
