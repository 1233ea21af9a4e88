"""LOG-7: damage to the files of a ledger is found, or every row is what it was; and what recovery makes of it."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from orchctl.adapters.ledger import anchor, chain, errors, opening, store
from orchctl.core import events, replay, views
from orchctl.core.ids import SOURCE, Key
from orchctl.core.state import State
from tests.contract import damaged_ledgers

FLIPS, CUTS, SWAPS = 500, 200, 50


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a ledger as a kill leaves them. Only ever copied."""
    return damaged_ledgers.made(tmp_path_factory.mktemp("ledger"), tasks=2)


@pytest.fixture(scope="module")
def whole(killed: Path) -> damaged_ledgers.Content:
    content = damaged_ledgers.content(damaged_ledgers.copy(killed.parent, killed.parent.parent / "whole"))
    assert content is not None
    assert len(content[0]) > 100
    return content


@pytest.fixture
def path(killed: Path, tmp_path: Path) -> Path:
    return damaged_ledgers.copy(killed.parent, tmp_path / "copy")


def test_log7_a_ledger_as_a_kill_leaves_it_has_nothing_wrong(path: Path) -> None:
    assert damaged_ledgers.told(path) == []
    ledger = store.Ledger(path)
    assert ledger.state() == replay.fold(State(), ledger.read())
    ledger.close()
    assert damaged_ledgers.told(path) == [], "also after its WAL was taken in"


# --- bits, cuts, swaps ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_log7_each_bit_flip_is_found_or_changes_no_row(
    killed: Path, tmp_path: Path, whole: damaged_ledgers.Content
) -> None:
    found = collections.Counter[str]()
    for seed in range(FLIPS):
        path = damaged_ledgers.copy(killed.parent, tmp_path / "copy")
        where = damaged_ledgers.flip(path, random.Random(seed))
        if damaged_ledgers.told(path):
            found["found"] += 1
            continue
        assert damaged_ledgers.content(path) == whole, f"seed {seed}: {where}"
        found["no row is changed"] += 1
    print(f"flips, seeds 0 to {FLIPS - 1}: {dict(found)}")
    assert found["found"] > FLIPS / 4, "most of the files is rows"


@pytest.mark.slow
def test_log7_each_cut_is_found_or_changes_no_row(killed: Path, tmp_path: Path, whole: damaged_ledgers.Content) -> None:
    found = collections.Counter[str]()
    for seed in range(CUTS):
        chance = random.Random(seed)
        path = damaged_ledgers.copy(killed.parent, tmp_path / "copy")
        file = path.with_name(chance.choices(damaged_ledgers.FILES, weights=(5, 5, 1))[0])
        size = chance.randrange(file.stat().st_size)
        with file.open("r+b") as stream:
            stream.truncate(size)
        if damaged_ledgers.told(path):
            found["found"] += 1
            continue
        assert damaged_ledgers.content(path) == whole, f"seed {seed}: {file.name} cut to {size} bytes"
        found["no row is changed"] += 1
    print(f"cuts, seeds 0 to {CUTS - 1}: {dict(found)}")
    assert found["found"] > CUTS / 2


def _swap(db: sqlite3.Connection, chance: random.Random) -> str:
    """Two rows of one table change places, or a row gets a column of another."""
    table, key, columns = chance.choice(
        [
            ("events", "seq", ["data"]),
            ("events", "seq", ["type", "data", "key", "kind"]),
            ("events", "seq", ["hash", "prev_hash", "data", "key", "type", "kind", "after", "message"]),
            ("events", "seq", ["message"]),
            ("events", "seq", ["after"]),
            ("objects", "key", ["state"]),
            ("objects", "key", ["body"]),
            ("objects", "key", ["state", "body", "shown_digest", "row_digest", "uid", "because", "summary"]),
            ("specs", "digest", ["spec"]),
            ("meta", "name", ["value"]),
            ("meta", "name", ["value", "digest"]),
        ]
    )
    listed = ", ".join(columns)
    while True:
        rows = db.execute(f"SELECT {key}, {listed} FROM {table}").fetchall()
        (one, *ours), (other, *theirs) = chance.sample(rows, 2)
        if ours != theirs:
            break
    assigned = ", ".join(f"{column} = ?" for column in columns)
    db.execute(f"UPDATE {table} SET {assigned} WHERE {key} = ?", (*theirs, one))
    db.execute(f"UPDATE {table} SET {assigned} WHERE {key} = ?", (*ours, other))
    return f"{listed} of {table} {one} and {other}"


@pytest.mark.slow
def test_log7_t24_each_swap_of_rows_is_found(killed: Path, tmp_path: Path) -> None:
    for seed in range(SWAPS):
        path = damaged_ledgers.copy(killed.parent, tmp_path / "copy")
        db = sqlite3.connect(path, isolation_level=None)
        what = _swap(db, random.Random(seed))
        db.close()
        assert damaged_ledgers.told(path), f"seed {seed}: {what}"
    print(f"swaps, seeds 0 to {SWAPS - 1}: all found")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damaged_ledgers.sql("DELETE FROM events WHERE seq = 50"), "events are missing: from 50 to 50"),
        (damaged_ledgers.sql("DELETE FROM events WHERE seq > 130"), "behind its anchor"),
        (damaged_ledgers.sql("DELETE FROM objects WHERE kind = 'Session'"), "the objects are not those that event"),
        (
            damaged_ledgers.sql("UPDATE objects SET summary = 'Merged!' WHERE kind = 'Task'"),
            "the row of Task/default/t0 is not",
        ),
        (damaged_ledgers.sql("UPDATE events SET at = at + 1 WHERE seq = 7"), "event 7 is not what was recorded"),
        (damaged_ledgers.sql("UPDATE events SET cause = 1 WHERE seq = 7"), "event 7 is not what was recorded"),
        (damaged_ledgers.sql("DELETE FROM specs"), "the spec .* is missing"),
        (damaged_ledgers.sql("UPDATE specs SET spec = spec || ' '"), "is not what was recorded"),
        (
            damaged_ledgers.sql("UPDATE meta SET value = '1' WHERE name = 'epoch'"),
            "the setting epoch is not what was recorded",
        ),
        (lambda path: path.with_name("anchor").unlink(), "its anchor is missing"),
        (lambda path: path.with_name("anchor").write_bytes(b"x" * 8192), "cannot be read in either of its slots"),
        (lambda path: path.with_name("ledger.db-wal").unlink(), "behind its anchor"),
        (lambda path: path.unlink(), "is missing"),
    ],
)
def test_log7_what_is_wrong_is_named(path: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(path)
    problems = damaged_ledgers.told(path)
    assert any(re.search(said, problem) for problem in problems), problems


def test_log7_an_event_rewritten_with_a_hash_of_its_own_does_not_fit_its_neighbours(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        (row,) = db.execute(f"SELECT {opening.CONTENT}, prev_hash FROM events WHERE seq = 50").fetchall()
        forged = (*row[:2], row[2] + 1.0, *row[3:-1])
        db.execute("UPDATE events SET at = ?, hash = ? WHERE seq = 50", (forged[2], chain.link(row[-1], forged)))
    assert "event 51 does not follow event 50" in damaged_ledgers.told(path)


def test_log3_rows_that_are_not_what_their_events_led_to_are_named_though_every_digest_fits(path: Path) -> None:
    ledger = store.Ledger(path)
    state = ledger.state()
    ledger.begin_epoch()
    task = state.objects[Key("Task/default/t0")]
    wrong = dataclasses.replace(task, stalled="by nobody")
    event = events.ControllerStarted(SOURCE, release="0")
    after = dataclasses.replace(state, seq=state.seq + 1, turn=state.turn + 1, pressed="never")
    recorded = events.Recorded(state.seq + 1, state.turn + 1, events.Now(2.0, 2.0), event)
    ledger.append([recorded], [views.row(state, wrong)], [Key("Role/default/coder")], after)
    ledger.close()
    assert damaged_ledgers.told(path) == [
        "the row of Role/default/coder is not what its events led to",
        "the row of Task/default/t0 is not what its events led to",
        "the counters are not what the events led to",
    ]


# --- the start --------------------------------------------------------------------------------------------------


def test_log7_an_older_copy_put_back_is_refused_with_how_much_is_missing(path: Path, tmp_path: Path) -> None:
    ledger = store.Ledger(path)
    older = damaged_ledgers.copy(path.parent, tmp_path / "older")
    state = ledger.state()
    ledger.begin_epoch()
    damaged_ledgers.write(ledger, 1, first=7, state=state)
    count = sum(1 for _ in ledger.read()) - state.seq
    ledger.close()
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copyfile(older.with_name(name), path.with_name(name))
    with pytest.raises(errors.Behind, match=f"behind its anchor: {count} events of .*--accept-loss {count}"):
        store.Ledger(path)


def test_log7_a_ledger_that_is_gone_is_not_taken_for_a_beginning(path: Path) -> None:
    for name in ("ledger.db", "ledger.db-wal"):
        path.with_name(name).unlink()
    with pytest.raises(errors.Behind, match="events of"):
        store.Ledger(path)
    assert not path.exists()


def test_log7_another_history_of_the_same_length_is_refused(path: Path, tmp_path: Path) -> None:
    other = store.Ledger(tmp_path / "other" / "ledger.db")
    other.begin_epoch()
    state = damaged_ledgers.write(other, 3)
    other.close()
    mark = anchor.read(path.with_name("anchor"))
    assert mark is not None
    assert state.seq > mark.seq
    shutil.copyfile(path.with_name("anchor"), tmp_path / "other" / "anchor")
    with pytest.raises(errors.Damaged, match="this is another history"):
        store.Ledger(tmp_path / "other" / "ledger.db")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            damaged_ledgers.sql("UPDATE objects SET state = replace(state, 'Do number', 'Do Number')"),
            "the row of .* is not what was",
        ),
        (damaged_ledgers.sql("DELETE FROM objects WHERE kind = 'Task'"), "the objects are not those that event"),
        (
            damaged_ledgers.sql("UPDATE meta SET value = '{}' WHERE name = 'counters'"),
            "the setting counters is not what was recorded",
        ),
        (
            damaged_ledgers.sql("UPDATE events SET data = '{}' WHERE seq = (SELECT max(seq) FROM events)"),
            "is not what was recorded",
        ),
    ],
)
def test_log7_a_start_looks_at_what_it_goes_on_from(path: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(path)
    with pytest.raises(errors.Damaged, match=said):
        damaged_ledgers.start(path)
