"""What folding begins with: nothing, or the objects that were kept when events before them were lost for good.

A base is made by recovery alone. It names the gaps in the events before it, and the event that follows it, a
`LedgerRecovered`, carries its digest: so the chain covers what the lost events led to.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sqlite3

import msgspec

from orchctl.adapters.ledger import chain, codec
from orchctl.adapters.ledger.errors import Damaged
from orchctl.core.ids import kind_of
from orchctl.core.state import WORK_KINDS, Object, State

NAME = "base"  # of the setting that describes it


@dataclasses.dataclass(frozen=True, slots=True)
class Base:
    """`seq` is the last event it includes; `gaps` are the first and last numbers of what is missing before it."""

    seq: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    counters: str = ""
    digest: str = ""


def described(text: str | None) -> Base:
    return Base() if text is None else msgspec.json.decode(text, type=Base)


def read(db: sqlite3.Connection, text: str | None) -> tuple[Base, State]:
    found = described(text)
    if not found.seq:
        return found, State()
    states = db.execute("SELECT key, state FROM base_objects ORDER BY key").fetchall()
    if digest_of(found.counters, states) != found.digest:
        raise Damaged("the objects that were kept at the last recovery are not what was recorded")
    return found, state_from(found.counters, [codec.decode_object(text) for _, text in states])


def describe(found: Base) -> str:
    return msgspec.json.encode(found).decode()


def digest_of(counters: str, states: list[tuple[str, str]]) -> str:
    """`states` in the order of their keys."""
    digest = hashlib.sha256(counters.encode())
    for key, text in states:
        digest.update(chain.meta_digest(key, text))
    return digest.hexdigest()


def rows_of(state: State) -> list[tuple[str, str]]:
    return [(str(key), codec.encode_object(state.objects[key])) for key in sorted(state.objects)]


def state_from(counters: str, found: list[Object]) -> State:
    """The state that these objects and counters were taken from."""
    objects = {obj.key: obj for obj in found}
    under_way = {obj.open.key: obj.key for obj in found if obj.open is not None}
    declared = {key: None for key in objects if kind_of(key) not in WORK_KINDS}
    return dataclasses.replace(codec.decode_counters(counters), objects=objects, open=under_way, declared=declared)
