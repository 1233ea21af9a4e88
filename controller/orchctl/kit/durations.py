"""Durations (`90s 10m 2h 3d`) and sizes (`20Mi`): one whole number and one unit, both ways.

Called by the kinds (to check), the core (to compute) and the CLI (to show ages). Must import nothing heavy.
"""

from __future__ import annotations

import re

DURATION_PATTERN = r"^[1-9][0-9]{0,5}[smhd]$"
SIZE_PATTERN = r"^[1-9][0-9]{0,8}(Ki|Mi|Gi|Ti)?$"
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
_SIZE = re.compile(r"([1-9][0-9]{0,8})(Ki|Mi|Gi|Ti)?", re.ASCII)
SECONDS_OF_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES_OF_UNIT = {None: 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
DURATION_MUST = "must be a duration: a whole number and one of s, m, h, d, such as '90s', '10m' or '2h'"
SIZE_MUST = "must be a size: a whole number of bytes with or without Ki, Mi, Gi, Ti, such as '20Mi'"


def duration_s(text: str) -> int:
    """Seconds of a duration; ValueError says what it must look like."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(DURATION_MUST)
    return int(match[1]) * SECONDS_OF_UNIT[match[2]]


def size_bytes(text: str) -> int:
    """Bytes of a size; ValueError says what it must look like."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(SIZE_MUST)
    return int(match[1]) * BYTES_OF_UNIT[match[2]]


def short_age(seconds: float) -> str:
    """An age for a table column, as kubectl prints it: `42s`, `5m12s`, `14m`, `3h20m`, `26h`, `9d`."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole}s"
    minutes, rest_s = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes}m{rest_s}s" if rest_s else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours, rest_m = divmod(minutes, 60)
    if hours < 8:
        return f"{hours}h{rest_m}m" if rest_m else f"{hours}h"
    return f"{hours}h" if hours < 48 else f"{hours // 24}d"


def short_size(size: int) -> str:
    """A size for a table column: `512`, `14Ki`, `3.2Mi`, `1.5Gi`."""
    value, unit = float(max(0, size)), ""
    for bigger in ("Ki", "Mi", "Gi", "Ti"):
        if value < 1024:
            break
        value, unit = value / 1024, bigger
    return f"{value:.1f}{unit}" if unit and value < 10 else f"{value:.0f}{unit}"
