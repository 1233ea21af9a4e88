"""A whole ledger, read beside whoever writes it: what folding begins with, and every event since.

Called by replay. It holds no read transaction while the caller works, and sees no turn half: turns are written whole.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from orchctl.adapters.ledger import bases, store, verifying
from orchctl.core import events
from orchctl.core.state import State


@dataclasses.dataclass(frozen=True, slots=True)
class History:
    base: State  # where events were lost for good, the objects that were kept; else nothing
    events: Iterator[events.Recorded]
    last: int  # the newest event there is


@contextlib.contextmanager
def history(path: Path) -> Iterator[History]:
    with contextlib.closing(verifying.read_only(path)) as db, store.readable(path):
        store.check_schema(db)
        described, state = bases.read(db, store.meta(db, bases.NAME))
        last = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        recorded = store.recorded(db, path)
        yield History(state, (one for one in recorded if one.seq > described.seq), int(last))
