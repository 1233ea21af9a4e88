"""Looking after the ledger file: `orchctl verify`, `recover` and `backup`.

Verifying and copying go on beside a running controller. Recovery needs that there is none, and holds the lease so that
none begins meanwhile.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from orchctl.adapters.host import locks
from orchctl.adapters.ledger import anchor, copying, recovery, verifying
from orchctl.adapters.ledger.errors import LedgerError
from orchctl.app.read import failures
from orchctl.app.read.locate import Place

LEDGER = "ledger.db"


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    path: str
    figures: str
    problems: tuple[str, ...]


def verify(place: Place) -> Checked:
    path = _path(place)
    report = verifying.verify(path)
    return Checked(str(path), _figures(report), tuple(report.problems))


def recover(place: Place, accept_loss: int, at: float) -> recovery.Outcome:
    path = _path(place)
    with _said(), _lease(path.parent):
        return recovery.recover(path, accept_loss, at)


def copy(place: Place, target: Path) -> str:
    """The figures of the copy."""
    with _said():
        return _figures(copying.copy(_path(place), target))


def _figures(report: verifying.Report) -> str:
    lost = f", {report.lost} lost before" if report.lost else ""
    return (
        f"{report.events} events in {report.turns} turns{lost}, {report.objects} objects, {report.specs} specs,"
        f" epoch {report.epoch}"
    )


def _path(place: Place) -> Path:
    state_dir = place.state_dir
    if state_dir is not None:
        path = Path(state_dir) / LEDGER
        if path.exists() or path.with_name(anchor.NAME).exists():
            return path
    raise failures.CommandError(f"{place.root} has no ledger: no controller has run there yet", failures.NOT_FOUND)


@contextlib.contextmanager
def _lease(state_dir: Path) -> Iterator[None]:
    try:
        descriptor = locks.take_lease(state_dir / "lease.lock", {"pid": os.getpid(), "verb": "recover"})
    except locks.Held as held:
        raise failures.CommandError(f"a controller must not run meanwhile: {held}", failures.CONFLICT) from held
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except (LedgerError, OSError) as error:
        raise failures.CommandError(str(error)) from error
