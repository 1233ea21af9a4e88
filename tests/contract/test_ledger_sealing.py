"""LOG-9: old events leave the ledger for segment files, readers still find them, and damage to them is found."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchctl.adapters.ledger import copying, errors, history, recovery, sealing, segments, store, verifying
from orchctl.app.read import failures, rows
from orchctl.core import events, replay
from orchctl.core.state import State
from tests.contract import damaged_ledgers
from tests.contract.sealed_ledgers import EACH, KEPT, LATER, files, live, log, opened, record, seal_all

FLIPS = 30


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "KEPT_EVENTS", KEPT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return damaged_ledgers.made(tmp_path_factory.mktemp("ledger"), tasks=6)


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return damaged_ledgers.copy(whole.parent, tmp_path / "copy")


# --- what is the same -------------------------------------------------------------------------------------------


def test_log9_sealing_changes_nothing_but_where_events_are(path: Path) -> None:
    before = log(path)
    with opened(path) as ledger:
        state = ledger.state()
    assert seal_all(path) >= 3
    after = log(path)
    assert after[: len(before)] == before
    assert {type(one.event) for one in after[len(before) :]} == {events.LedgerSealed}
    assert len(live(path)) < EACH + KEPT + 20
    assert live(path)[0] > EACH
    assert damaged_ledgers.told(path) == []
    assert verifying.verify(path).events == len(after)
    with opened(path) as ledger:
        assert ledger.state().objects == state.objects
        assert replay.fold(State(), ledger.read()) == ledger.state()
    told = [one.event for one in after if isinstance(one.event, events.LedgerSealed)]
    assert [(one.first, one.last) for one in told] == [
        (found.first, found.last) for found in segments.listed(segments.folder_of(path))
    ]
    assert [one.first for one in told] == [1, *(one.last + 1 for one in told[:-1])]
    assert all(one.state for one in told), "each ends with a turn"


def test_log9_a_start_needs_no_segment_and_goes_on(path: Path) -> None:
    seal_all(path)
    shutil.rmtree(segments.folder_of(path))
    with opened(path) as ledger:
        ledger.begin_epoch()
        damaged_ledgers.write(ledger, 1, first=50, state=ledger.state())


def test_log9_only_what_is_old_enough_and_enough_is_sealed(path: Path) -> None:
    oldest = log(path)[0].now.at
    assert sealing.seal(path, oldest - 1, events_each=EACH) is None
    assert sealing.seal(path, LATER, events_each=10**6) is None
    assert not segments.folder_of(path).exists()


def test_log9_a_segment_is_lines_of_json_in_gzip(path: Path) -> None:
    before = log(path)
    seal_all(path)
    head, _, packed = files(path)[0].read_bytes().partition(b"\n")
    lines = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    assert json.loads(head)["last"] == len(lines)
    assert [(one[0], one[7]) for one in lines] == [(one.seq, type(one.event).__name__) for one in before[: len(lines)]]


# --- readers ----------------------------------------------------------------------------------------------------


def test_log9_a_reader_gets_the_sealed_story_of_an_object_and_is_told_where_it_cannot_go_on(path: Path) -> None:
    def stories() -> list[tuple[int, str, str]]:
        with rows.Reader(str(path)) as reader:
            found = reader.stories(["Task/default/t0"])
            return [(one.seq, one.type, one.data) for one in found]

    with rows.Reader(str(path)) as reader:
        made = [(one.seq, one.key) for one in reader.stories_of_type("Session/default/t", ["SessionCreated"])]
        last = reader.last_data("Task/default/t0", "ObjectAdmitted")
        assert reader.sealed_to() == 0
    before = stories()
    seal_all(path)
    assert stories() == before
    with rows.Reader(str(path)) as reader:
        found = [(one.seq, one.key) for one in reader.stories_of_type("Session/default/t", ["SessionCreated"])]
        assert sorted(found) == sorted(made)
        assert reader.last_data("Task/default/t0", "ObjectAdmitted") == last != ""
        assert next(one.seq for one in reader.events()) > reader.sealed_to() > 0
        with pytest.raises(failures.CommandError, match="nobody can go on after 3: begin anew"):
            next(reader.events(3))
        assert list(reader.events(reader.head())) == []
    files(path)[0].write_bytes(b"{}\nno gzip")
    with pytest.raises(failures.CommandError, match=r"1-\d+\.seg cannot be read, `orchctl verify` says more"):
        stories()


def test_log9_who_reads_while_it_is_sealed_misses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PAGE", store.PAGE.replace(f"LIMIT {store.PAGE_ROWS}", "LIMIT 7"))
    before = log(path)
    with history.history(path) as found:
        read = [next(found.events) for _ in range(10)]
        seal_all(path)
        read += list(found.events)
    assert read[: len(before)] == before


# --- copies and recovery ----------------------------------------------------------------------------------------


def test_log9_a_copy_holds_all_events_in_one_file(path: Path, tmp_path: Path) -> None:
    seal_all(path)
    copy = tmp_path / "monday.db"
    assert copying.copy(path, copy).events == len(log(path))
    target = tmp_path / "back" / "ledger.db"
    target.parent.mkdir()
    shutil.copyfile(copy, target)
    shutil.copyfile(f"{copy}.anchor", target.with_name("anchor"))
    assert log(target) == log(path)
    assert seal_all(target) >= 3
    assert damaged_ledgers.told(target) == []


def test_log9_a_copy_is_sealed_again_beside_the_files_of_what_it_replaced(path: Path, tmp_path: Path) -> None:
    early = tmp_path / "early.db"
    copying.copy(path, early)
    seal_all(path)
    for name in ("", "-wal"):
        Path(f"{path}{name}").unlink(missing_ok=True)
    shutil.copyfile(early, path)
    shutil.copyfile(f"{early}.anchor", path.with_name("anchor"))
    assert damaged_ledgers.told(path) == []
    with opened(path) as ledger:
        ledger.begin_epoch()
        made = sealing.seal(path, LATER, events_each=EACH + 20)
        assert made is not None
        record(ledger, made)
    assert damaged_ledgers.told(path) == []
    assert list(segments.folder_of(path).glob("*.unused")), "nothing is thrown away"


BREAK_OBJECTS = damaged_ledgers.sql("UPDATE objects SET state = replace(state, 'Do number', 'Do Number')")


def test_log9_recovery_reads_through_segments_and_loses_nothing(path: Path) -> None:
    seal_all(path)
    before = log(path)
    with opened(path) as ledger:
        state = ledger.state()
    BREAK_OBJECTS(path)
    done = recovery.recover(path, 0, 1_800_001_000.0)
    assert (done.lost, damaged_ledgers.told(path)) == (0, [])
    assert log(path)[:-1] == before
    assert live(path)[0] == 1
    assert done.folder is not None
    assert (done.folder / segments.FOLDER).is_dir()
    with opened(path) as ledger:
        assert ledger.state().objects == state.objects
    assert seal_all(path) >= 3
    assert damaged_ledgers.told(path) == []


def test_log9_a_lost_segment_is_a_gap_and_the_state_is_kept(path: Path) -> None:
    seal_all(path)
    with opened(path) as ledger:
        state = ledger.state()
    files(path)[1].unlink()
    with pytest.raises(errors.LedgerError, match=r"events are lost .* --accept-loss"):
        recovery.recover(path, 0, 1_800_001_000.0)
    done = recovery.recover(path, 10**6, 1_800_001_000.0)
    assert done.lost >= EACH
    assert damaged_ledgers.told(path) == []
    with opened(path) as ledger:
        assert ledger.state().objects == state.objects
    assert seal_all(path) >= 2, "also around a gap"
    assert damaged_ledgers.told(path) == []


# --- damage -----------------------------------------------------------------------------------------------------


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def swap(file: Path) -> None:
    other = next(one for one in file.parent.iterdir() if one != file)
    shutil.copyfile(other, file)


@pytest.mark.parametrize("damage", [Path.unlink, cut, swap, lambda file: file.write_bytes(b"")])
def test_log9_a_missing_or_damaged_segment_is_named(path: Path, damage: Callable[[Path], None]) -> None:
    seal_all(path)
    damage(files(path)[1])
    problems = damaged_ledgers.told(path)
    found = segments.listed(segments.folder_of(path))
    first = found[0].last + 1
    assert any(f"from {first} to" in one or f"events {first} to" in one for one in problems), problems
    assert any("segments/" in one for one in problems)
    with pytest.raises(errors.LedgerError, match=f"{first} to"):
        log(path)
    with pytest.raises(errors.LedgerError):
        copying.copy(path, path.with_name("copy.db"))
    assert not path.with_name("copy.db").exists()


def test_log9_every_flipped_bit_of_a_segment_is_noticed(path: Path) -> None:
    chance = random.Random(9)
    seal_all(path)
    for number in range(FLIPS):
        file = chance.choice(files(path))
        whole = file.read_bytes()
        place = chance.randrange(200) if number % 3 == 0 else chance.randrange(len(whole))
        data = bytearray(whole)
        data[place] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
        assert any(str(file) in one for one in damaged_ledgers.told(path)), place
        file.write_bytes(whole)
    assert damaged_ledgers.told(path) == []


def test_log9_damage_is_not_sealed(path: Path) -> None:
    damaged_ledgers.sql("UPDATE events SET data = '{}' WHERE seq = 20")(path)
    with pytest.raises(errors.Damaged, match="event 20 is not what was recorded"):
        sealing.seal(path, LATER, events_each=EACH)
    damaged_ledgers.sql("DELETE FROM events WHERE seq = 20")(path)
    with pytest.raises(errors.Damaged, match="events are missing: from 20 to 20"):
        sealing.seal(path, LATER, events_each=EACH)
    assert not segments.folder_of(path).exists()
