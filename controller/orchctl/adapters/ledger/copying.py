"""`orchctl backup`: a copy of the ledger in one file, made beside a running controller, with an anchor of its own.

SQLite's online copy takes one moment of the ledger, however busy its writer is. Sealed events are put back into it, so
that the copy is one file and needs no other. It is checked in full before it
gets its name, so a file of that name is one that can be gone back to.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from orchctl.adapters.ledger import anchor, segments, store, verifying
from orchctl.adapters.ledger.errors import LedgerError

ANCHOR_SUFFIX = ".anchor"


def copy(path: Path, target: Path) -> verifying.Report:
    """Both files are new, or LedgerError says why they are not there."""
    beside = target.with_name(target.name + ANCHOR_SUFFIX)
    for taken in (target, beside):
        if taken.exists():
            raise LedgerError(f"{taken} is there already: name another file, or move it away")
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.mkdir(mode=0o700, exist_ok=True)
    made = unfinished / path.name
    try:
        with contextlib.closing(verifying.read_only(path)) as source, contextlib.closing(store.connect(made)) as db:
            source.backup(db)
            unsealed(db, segments.folder_of(path))
            db.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            head = store.head(db)
            epoch = int(store.meta(db, "epoch") or "0")
        made.chmod(0o600)
        anchor.make(unfinished / anchor.NAME, anchor.Mark(epoch, head.seq, head.hash))
        anchor.sync(made)
        report = verifying.verify(made)
        if report.problems:
            raise LedgerError(f"the copy is not whole, as the ledger is not: {report.problems[0]}")
        os.replace(unfinished / anchor.NAME, beside)
        os.replace(made, target)
        anchor.sync(target.parent)
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} cannot be copied: {error}") from error
    finally:
        for left in unfinished.iterdir():
            left.unlink()
        unfinished.rmdir()
    return report


def unsealed(db: sqlite3.Connection, folder: Path) -> None:
    """All events in the table again. What a damaged segment had is missed by the check of the copy."""
    with store.transaction(db):
        through = store.sealed_to(db)
        db.executemany(store.INSERT_EVENT, segments.rows(folder, 0, through, lambda _: None))
        db.execute("DELETE FROM meta WHERE name = ?", (store.SEALED,))
