"""Waiting times between tries: doubling, capped, spread by a hash of who waits so that not all come back at once."""

import zlib

FIRST_S = 1.0
LONGEST_S = 60.0
SPREAD = 0.25


def delay_s(failures: int, who: str) -> float:
    """Seconds to wait after that many failures in a row. Deterministic: the same history waits the same time."""
    base = min(LONGEST_S, FIRST_S * 2.0 ** (max(1, failures) - 1))
    return base * (1.0 + SPREAD * (zlib.crc32(f"{who}:{failures}".encode()) % 1000) / 1000.0)
