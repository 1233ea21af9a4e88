"""LOG-7, F12: what can be had back of a damaged ledger is had back, what cannot is named, nothing is thrown away."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from orchctl.adapters.ledger import copying, errors, recovery, store, verifying
from orchctl.core import events, replay
from orchctl.core.state import State
from tests.contract import damaged_ledgers
from tests.contract.damaged_ledgers import sql

FLIPS = 40
ALL_OF_IT = 10**6
BREAK_TASKS = "UPDATE objects SET state = replace(state, 'Do number', 'Do Number')"
BREAK_EVENT = "UPDATE events SET data = '{}' WHERE seq = 60"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return damaged_ledgers.made(tmp_path_factory.mktemp("ledger"), tasks=2)


@pytest.fixture
def path(killed: Path, tmp_path: Path) -> Path:
    return damaged_ledgers.copy(killed.parent, tmp_path / "copy")


def opened(path: Path) -> tuple[State, list[events.Recorded]]:
    ledger = store.Ledger(path)
    found = ledger.state(), list(ledger.read())
    ledger.close()
    return found


def recover(path: Path, accept_loss: int = 0) -> recovery.Outcome:
    """What recovery did; what it made is a ledger a controller goes on with."""
    done = recovery.recover(path, accept_loss, 1_800_001_000.0)
    assert damaged_ledgers.told(path) == []
    spare = damaged_ledgers.copy(path.parent, path.parent.with_name("gone-on-with"))
    ledger = store.Ledger(spare)
    state = ledger.state()
    ledger.begin_epoch()
    damaged_ledgers.write(ledger, 1, first=50, state=state)
    ledger.close()
    assert damaged_ledgers.told(spare) == []
    return done


def test_log7_a_whole_ledger_is_left_alone(path: Path) -> None:
    before = damaged_ledgers.content(path)
    assert recover(path, ALL_OF_IT).folder is None
    assert damaged_ledgers.content(path) == before
    assert not path.with_name("damaged").exists()


@pytest.mark.parametrize(
    "damage",
    [
        sql(BREAK_TASKS),
        sql("DELETE FROM objects"),
        sql("UPDATE objects SET body = '{}'", "UPDATE meta SET value = '' WHERE name = 'counters'"),
        sql("DELETE FROM meta WHERE name != 'schema_version'"),
        sql("DELETE FROM specs"),
        sql("DROP INDEX events_by_key", "DROP INDEX objects_by_kind"),
        lambda path: path.with_name("anchor").unlink(),
        lambda path: path.with_name("anchor").write_bytes(b""),
    ],
)
def test_log7_f12_what_the_events_tell_is_rebuilt_without_loss(path: Path, damage) -> None:
    state, before = opened(damaged_ledgers.copy(path.parent, path.parent.with_name("whole")))
    damage(path)
    if damaged_ledgers.told(path) == []:  # an index is no row, and its absence no damage
        return
    done = recover(path)
    assert (done.lost, done.names) == (0, ())
    after, log = opened(path)
    assert log[:-1] == before
    assert isinstance(log[-1].event, events.LedgerRecovered)
    assert after.objects == state.objects
    assert replay.fold(State(), log) == after


def test_log7_a_lost_event_costs_its_place_in_history_and_nothing_else(path: Path) -> None:
    state, before = opened(damaged_ledgers.copy(path.parent, path.parent.with_name("whole")))
    sql(BREAK_EVENT)(path)
    with pytest.raises(errors.LedgerError, match=r"^1 event is lost and nothing was changed \(event 60: what followed"):
        recovery.recover(path, 0, 0.0)
    assert not path.with_name("damaged").exists()
    done = recover(path, accept_loss=1)
    assert done.lost == 1
    after, log = opened(path)
    assert after.objects == state.objects
    assert [one.seq for one in log] == [one.seq for one in before if one.seq != 60] + [len(before) + 1]
    assert verifying.verify(path).lost == 1


def test_log7_after_a_loss_the_objects_can_be_folded_again_from_what_was_kept(path: Path) -> None:
    sql(BREAK_EVENT)(path)
    recover(path, accept_loss=1)
    ledger = store.Ledger(path)
    state = ledger.state()
    ledger.begin_epoch()
    state = damaged_ledgers.write(ledger, 1, first=9, state=state)
    ledger.close()
    sql(BREAK_TASKS)(path)
    assert recover(path).lost == 0
    assert opened(path)[0].objects == state.objects
    assert verifying.verify(path).lost == 1


def test_log7_events_and_objects_damaged_go_back_to_the_last_whole_turn(path: Path) -> None:
    _, before = opened(damaged_ledgers.copy(path.parent, path.parent.with_name("whole")))
    sql(BREAK_EVENT, BREAK_TASKS)(path)
    turn = before[59].turn
    kept = [one for one in before if one.turn < turn]
    with pytest.raises(errors.LedgerError, match=f"^{len(before) - len(kept)} events are lost"):
        recover(path, len(before) - len(kept) - 1)
    done = recover(path, len(before) - len(kept))
    state, log = opened(path)
    assert log[:-1] == kept
    assert state == replay.fold(State(), log)
    assert len(done.names) == done.lost
    assert done.folder is not None
    assert (done.folder / "lost.txt").read_text().splitlines() == list(done.names)


@pytest.mark.parametrize("gone", [("ledger.db-wal",), ("ledger.db", "ledger.db-wal")])
def test_log7_what_is_behind_its_anchor_goes_on_when_a_person_accepts_it(path: Path, gone: tuple[str, ...]) -> None:
    for name in gone:
        path.with_name(name).unlink()
    with pytest.raises(errors.Behind) as refused:
        store.Ledger(path)
    count = int(str(refused.value).rpartition("--accept-loss ")[2].strip("`"))
    with pytest.raises(errors.LedgerError, match=f"^{count} events are lost"):
        recovery.recover(path, count - 1, 0.0)
    assert recover(path, count).lost == count


@pytest.mark.slow
def test_log7_f12_random_flips_are_recovered_from_and_the_damaged_files_kept(killed: Path, tmp_path: Path) -> None:
    state, before = opened(damaged_ledgers.copy(killed.parent, tmp_path / "whole"))
    outcomes = {"nothing wrong": 0, "no loss": 0, "history only": 0, "turns": 0}
    for seed in range(FLIPS):
        path = damaged_ledgers.copy(killed.parent, tmp_path / "copy")
        damaged_ledgers.flip(path, random.Random(seed))
        files = {name: path.with_name(name).read_bytes() for name in damaged_ledgers.FILES}
        done = recover(path, ALL_OF_IT)
        if done.folder is None:
            outcomes["nothing wrong"] += 1
            continue
        assert {name: (done.folder / name).read_bytes() for name in damaged_ledgers.FILES} == files, f"seed {seed}"
        after, log = opened(path)
        kept = [one for one in log if not isinstance(one.event, events.LedgerRecovered)]
        assert all(one in before for one in kept), f"seed {seed}"
        assert len(kept) + done.lost == len(before), f"seed {seed}"
        same = after.objects == state.objects
        assert same or done.lost, f"seed {seed}"
        outcomes["no loss" if not done.lost else "history only" if same else "turns"] += 1
    print(f"recovered, seeds 0 to {FLIPS - 1}: {outcomes}")
    assert outcomes["no loss"] + outcomes["history only"] > 0


@pytest.mark.parametrize("steps", range(1, 9))
def test_log7_a_recovery_that_is_killed_is_finished_by_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Killed before its n-th move of a file. No start in between takes what is there for a ledger."""
    sql(BREAK_TASKS)(path)
    left = steps

    def dying(move):
        def moved(*where: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            move(*where)

        return moved

    with monkeypatch.context() as patched:
        for name in ("replace", "rename"):
            patched.setattr(os, name, dying(getattr(os, name)))
        try:
            recovery.recover(path, 0, 0.0)
        except KeyboardInterrupt:
            with pytest.raises(errors.LedgerError):
                damaged_ledgers.start(path)
    recover(path)
    assert [isinstance(one.event, events.LedgerRecovered) for one in opened(path)[1]].count(True) == 1


# --- copies -----------------------------------------------------------------------------------------------------


def test_log7_a_copy_is_a_ledger_with_its_anchor_and_can_be_gone_back_to(path: Path, tmp_path: Path) -> None:
    ledger = store.Ledger(path)  # beside an open one
    state = ledger.state()
    copying.copy(path, tmp_path / "monday.db")
    ledger.close()
    assert sorted(entry.name for entry in tmp_path.glob("monday*")) == ["monday.db", "monday.db.anchor"]
    place = tmp_path / "restored"
    place.mkdir()
    os.replace(tmp_path / "monday.db", place / "ledger.db")
    os.replace(tmp_path / "monday.db.anchor", place / "anchor")
    assert opened(place / "ledger.db")[0] == state
    assert damaged_ledgers.told(place / "ledger.db") == []


def test_log7_a_copy_overwrites_nothing_and_is_not_made_of_a_damaged_ledger(path: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("mine")
    with pytest.raises(errors.LedgerError, match="is there already"):
        copying.copy(path, taken)
    sql(BREAK_EVENT)(path)
    with pytest.raises(errors.LedgerError, match="event 60 is not what was recorded"):
        copying.copy(path, tmp_path / "other.db")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["copy", "taken.db"]
    assert taken.read_text() == "mine"
