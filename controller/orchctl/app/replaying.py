"""The use cases of `orchctl replay`: how it stood at an event, what changed between two, and deciding it all again.

Needs no controller and no control repo: everything a decision reads is in the ledger (LOG-3).
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from orchctl.adapters.ledger import anchor
from orchctl.adapters.ledger import history as histories
from orchctl.adapters.ledger.errors import LedgerError
from orchctl.app.read import failures
from orchctl.app.read.history import differences as leaves
from orchctl.app.read.locate import Place
from orchctl.core import events, replay, views
from orchctl.core.state import State
from orchctl.kit import text

LEDGER = "ledger.db"
DIFFERENCES_SHOWN = 20
EVENT_CHARACTERS_MAX = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """One object as it was."""

    key: str
    summary: str
    body: str  # as it was served, JSON
    text: str  # of the answer to why


@dataclasses.dataclass(frozen=True, slots=True)
class Otherwise:
    """A turn that would go otherwise now, from this event on."""

    turn: int
    seq: int
    recorded: str
    now: str


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    events: int
    turns: int
    differences: tuple[Otherwise, ...]  # the first of them
    found: int


def verified(place: Place) -> Verified:
    """Every decision made again."""
    counted = _Counted()
    with _opened(place) as found:
        differences = replay.verify(counted.through(found.events), found.base)
        first = tuple(_said(one) for one in itertools.islice(differences, DIFFERENCES_SHOWN))
        rest = sum(1 for _ in differences)
    return Verified(counted.events, counted.turns, first, len(first) + rest)


def _said(one: replay.Difference) -> Otherwise:
    recorded, now = (text.truncate(str(side or "-"), EVENT_CHARACTERS_MAX) for side in (one.recorded, one.decided))
    return Otherwise(one.turn, one.seq, recorded, now)


def objects_at(place: Place, seq: int) -> list[Shown]:
    return _shown(_state_at(place, seq))


def changes(place: Place, older: int, newer: int) -> Iterator[tuple[str, list[str]]]:
    """Every object that is not the same, and each leaf of it that is not."""
    before = {one.key: one for one in _shown(_state_at(place, older))}
    after = {one.key: one for one in _shown(_state_at(place, newer))}
    for key in sorted({*before, *after}):
        old, new = (json.loads(side[key].body) if key in side else None for side in (before, after))
        found = ["(new)"] if old is None else ["(gone)"] if new is None else list(leaves(old, new, ""))
        if found:
            yield key, [each.removeprefix(".") for each in found]


def _shown(state: State) -> list[Shown]:
    rows = [views.row(state, obj) for _, obj in sorted(state.objects.items())]
    return [Shown(row.key, row.summary, row.body, json.loads(row.because or "{}").get("text", "")) for row in rows]


def _state_at(place: Place, seq: int) -> State:
    with _opened(place) as found:
        if not 1 <= seq <= found.last:
            raise failures.CommandError(f"there is no event {seq}: they go from 1 to {found.last}", failures.USAGE)
        return replay.state_at(found.events, seq, found.base)


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[histories.History]:
    state_dir = place.state_dir
    path = Path(state_dir) / LEDGER if state_dir is not None else None
    if path is None or not (path.exists() or path.with_name(anchor.NAME).exists()):
        raise failures.CommandError(f"{place.root} has no ledger: no controller has run there yet", failures.NOT_FOUND)
    try:
        with histories.history(path) as found:
            yield found
    except (LedgerError, OSError) as error:
        raise failures.CommandError(str(error)) from error


class _Counted:
    def __init__(self) -> None:
        self.events = self.turns = 0
        self._turn = 0

    def through(self, recorded: Iterator[events.Recorded]) -> Iterator[events.Recorded]:
        for one in recorded:
            self.events += 1
            self.turns += one.turn != self._turn
            self._turn = one.turn
            yield one
