"""What makes a ledger unable to lie unnoticed: the arithmetic of its hashes, and nothing else (LOG-7).

Each event carries a hash over its content and the hash before it. The last event of a turn also covers a digest of
all objects and counters as the turn left them, so that the newest hash stands for everything. That digest is built on
a sum over the rows: a turn changes it by the rows it writes, however many others there are. All this finds damage and
mixed-up files; who can write the ledger and its anchor as he likes could also compute them anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from orchctl.adapters.ledger.errors import Damaged

GENESIS = bytes(32)
SUM_LIMIT = 2**256

_pack = msgspec.msgpack.Encoder().encode  # tells 1 from 1.0 from "1", and where one value ends and the next begins


def link(before: bytes, content: Sequence[object]) -> bytes:
    """The hash of an event: `content` is its row without the two hashes, in the order of the table."""
    return hashlib.sha256(before + _pack(content)).digest()


def holds(row: Sequence[object]) -> bool:
    """Whether a stored event (its content, the hash before, its own) is what was written."""
    return isinstance(row[-2], bytes) and link(row[-2], row[:-2]) == row[-1]


def shown_digest(columns: Sequence[object]) -> bytes:
    """Of what people are shown of an object: its row up to the column `state`."""
    return hashlib.sha256(_pack(columns)).digest()


def row_digest(shown: object, state: object) -> bytes:
    """Of a shown digest and a state, or of whatever a damaged file has in their place."""
    return hashlib.sha256(_pack((shown, state))).digest()


def total(digests: Iterable[bytes]) -> int:
    """The sum of the rows: in any order, and each of them can be taken out again."""
    return sum(map(_number, digests)) % SUM_LIMIT


def replaced(sum_before: int, old: bytes | None, new: bytes | None) -> int:
    added = _number(new) if new is not None else 0
    taken = _number(old) if old is not None else 0
    return (sum_before + added - taken) % SUM_LIMIT


def after_turn(sum_of_rows: int, counters: str) -> bytes:
    """What the last event of a turn says of the objects and counters."""
    return hashlib.sha256(sum_of_rows.to_bytes(32, "big") + counters.encode()).digest()


def meta_digest(name: object, value: object) -> bytes:
    return hashlib.sha256(_pack((name, value))).digest()


def _number(digest: bytes) -> int:
    if type(digest) is not bytes:
        raise Damaged("the digest of a row is none")
    return int.from_bytes(digest, "big")
