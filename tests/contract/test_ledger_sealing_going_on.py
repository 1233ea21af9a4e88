"""LOG-9: sealing loses nothing when it is killed, goes on beside the loop, and keeps the ledger from growing."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchctl.adapters.ledger import anchor, errors, sealing, segments, verifying
from orchctl.app import sealing as slow
from orchctl.app.read import failures
from orchctl.core import events, replay
from orchctl.core.ids import Key
from orchctl.core.state import State
from tests.contract import damaged_ledgers
from tests.contract.sealed_ledgers import EACH, KEPT, LATER, files, live, log, opened, record, seal_all

DEADLINE_S = 30


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "KEPT_EVENTS", KEPT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return damaged_ledgers.made(tmp_path_factory.mktemp("ledger"), tasks=6)


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return damaged_ledgers.copy(whole.parent, tmp_path / "copy")


# --- kills ------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Nothing is done after it, as after SIGKILL."""


STEPS = [(anchor, "sync", 1), (os, "replace", 1), (anchor, "sync", 2)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("module", "name", "call"), STEPS)
def test_log9_a_kill_at_any_step_loses_nothing_and_is_gone_on_from(
    path: Path, monkeypatch: pytest.MonkeyPatch, module: object, name: str, call: int, after: bool
) -> None:
    before, calls, real = log(path), 0, getattr(module, name)

    def killing(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            raise Killed
        real(*arguments)
        if calls == call:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(module, name, killing)
        with pytest.raises(Killed):
            sealing.seal(path, LATER, events_each=EACH)
    assert damaged_ledgers.told(path) == []
    assert log(path) == before
    assert seal_all(path) >= 3
    assert damaged_ledgers.told(path) == []
    assert log(path)[: len(before)] == before
    assert all(file.suffix == segments.SUFFIX for file in segments.folder_of(path).iterdir())


def test_log9_a_file_that_no_turn_told_of_is_found_again(path: Path) -> None:
    made = sealing.seal(path, LATER, events_each=EACH)
    at = files(path)[0].stat().st_mtime_ns
    assert live(path)[0] == 1
    assert sealing.seal(path, LATER, events_each=EACH) == made
    assert files(path)[0].stat().st_mtime_ns == at
    assert damaged_ledgers.told(path) == []


def test_log9_rows_go_in_the_turn_that_tells_of_it_or_not_at_all(path: Path) -> None:
    """What cannot be committed leaves the rows where they are."""
    with opened(path) as ledger:
        ledger.begin_epoch()
        made = sealing.seal(path, LATER, events_each=EACH)
        assert made is not None
        with opened(path) as later:
            later.begin_epoch()
        with pytest.raises(errors.Fenced):
            record(ledger, made)
    assert live(path)[0] == 1
    assert damaged_ledgers.told(path) == []


# --- how large it gets ------------------------------------------------------------------------------------------


def test_log9_the_ledger_does_not_grow_without_bound(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    sizes = []
    with opened(path) as ledger:
        ledger.begin_epoch()
        state = State()
        for turn in range(1, 161):
            now = events.Now(at=float(turn), t=float(turn))
            facts: list[events.Event] = [events.PruneLifted(Key(f"Source/x/{turn}-{n}")) for n in range(50)]
            made = sealing.seal(path, turn - 5.0, events_each=200)
            facts += [made] if made is not None else []
            batch = [events.Recorded(state.seq + n + 1, turn, now, one) for n, one in enumerate(facts)]
            state = replay.fold(state, batch)
            ledger.append(batch, [], [], state)
            if turn % 40 == 0:
                with contextlib.closing(sqlite3.connect(path)) as db:
                    sizes.append(db.execute("PRAGMA page_count").fetchone()[0])
    assert sizes[-1] <= sizes[0] * 1.1, sizes
    assert len(live(path)) < 1_000
    assert damaged_ledgers.told(path) == []
    assert verifying.verify(path).events == state.seq


# --- beside the loop --------------------------------------------------------------------------------------------


class Nothing:
    def facts(self, state: State) -> list[events.Event]:
        return []


class Sealer:
    """The sealing of a controller whose clock stands still unless it is moved."""

    def __init__(self, path: Path) -> None:
        self.t = 0.0
        self.said: list[str] = []
        self.sealing = slow.Sealing(Nothing(), path, 3600.0, lambda: events.Now(LATER, self.t), self.said.append)

    def facts(self) -> list[events.Event]:
        """What one look comes to: begun, waited for, told of."""
        assert self.sealing.facts(State()) == []
        look = self.sealing._look
        if look is None:
            return []
        concurrent.futures.wait([look], DEADLINE_S)
        return self.sealing.facts(State())


@pytest.fixture
def sealer(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sealer]:
    monkeypatch.setattr(sealing, "SEGMENT_EVENTS", EACH)
    made = Sealer(path)
    yield made
    made.sealing.close()


def test_log9_segments_are_made_one_after_the_other_and_then_now_and_then(path: Path, sealer: Sealer) -> None:
    with opened(path) as ledger:
        ledger.begin_epoch()
        count = 0
        while facts := sealer.facts():
            record(ledger, *facts)
            count += 1
        assert count >= 3, "at once while there is something to seal"
        assert sealer.sealing._look is None
        sealer.facts()
        assert sealer.sealing._look is None, "and not again before it is due"
        sealer.t = slow.LOOK_S
        assert sealer.facts() == []
    assert damaged_ledgers.told(path) == []


def test_log9_a_segment_is_told_of_once_until_it_is_recorded(sealer: Sealer) -> None:
    assert len(sealer.facts()) == 1
    assert sealer.facts() == []


def test_log9_what_keeps_events_from_being_sealed_is_said_once(path: Path, sealer: Sealer) -> None:
    damaged_ledgers.sql("UPDATE events SET data = '{}' WHERE seq = 20")(path)
    for number in range(3):
        sealer.t = number * slow.LOOK_S
        assert sealer.facts() == []
    assert len(sealer.said) == 1
    assert "warning: old events are not sealed: " in sealer.said[0]
    assert "event 20 is not what was recorded" in sealer.said[0]


@pytest.mark.parametrize(("said", "seconds"), [("7d", slow.RETAIN_S), ("90s", 90.0)])
def test_log9_how_long_events_are_kept_can_be_said(said: str, seconds: float) -> None:
    assert slow.retain_s(said) == seconds
    with pytest.raises(failures.CommandError, match="--retain soon: must be a duration"):
        slow.retain_s("soon")
