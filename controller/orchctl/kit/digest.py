"""One canonical form of JSON data and the digests taken of it.

Two specs are the same if their canonical JSON is; generation, pinning and action keys are built on that, so the form
must never change. Called by the loader, the core and the ledger.
"""

from __future__ import annotations

import hashlib
import json


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, no escapes but the needed ones; NaN and infinities are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def short_digest(text: str, length: int = 12) -> str:
    assert 8 <= length <= 64  # fewer than 32 bits would collide in ordinary use
    return sha256_hex(text)[:length]
