"""The specs of a ledger by digest: kept once, read when an event names them, and never taken for another."""

from __future__ import annotations

import sqlite3

from orchctl.adapters.ledger.errors import Damaged
from orchctl.kit import digest


class Specs(dict[str, str]):
    """The specs of a ledger by digest, each looked at once: one that does not fit its digest is not one."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__()
        self._db = db

    def __missing__(self, wanted: str) -> str:
        row = self._db.execute("SELECT spec FROM specs WHERE digest = ?", (wanted,)).fetchone()
        if row is None or not is_spec(wanted, row[0]):
            raise Damaged(f"the spec {wanted[:12]} is {'missing' if row is None else 'not what was recorded'}")
        self[wanted] = str(row[0])
        return self[wanted]


def is_spec(wanted: object, spec: object) -> bool:
    return isinstance(spec, str) and digest.sha256_hex(spec) == wanted
