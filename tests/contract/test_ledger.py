"""The ledger: what it is given it gives back, whole turns or nothing, also after a kill, and readers never block it."""

from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

from orchctl.adapters.ledger import codec, errors, store
from orchctl.core import (
    actions,
    events,
    evolve,
    judgements,
    ledger_facts,
    lifecycle,
    questions,
    surroundings,
    upstream,
    views,
)
from orchctl.core.ids import Key
from orchctl.core.state import State
from tests.unit.core import builders

DEADLINE_S = 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[store.Ledger]:
    opened = store.Ledger(path)
    yield opened
    opened.close()


def recorded(*found: events.Event, first: int = 1) -> tuple[events.Recorded, ...]:
    now = events.Now(at=1_800_000_000.25, t=12.5)
    return tuple(events.Recorded(first + n, 1, now, event) for n, event in enumerate(found))


def append(
    ledger: store.Ledger,
    batch: Sequence[events.Recorded],
    rows: Sequence[views.Row] = (),
    removed: Sequence[Key] = (),
    after: State | None = None,
) -> None:
    ledger.append(batch, rows, removed, after or State())


def withdrawn(seq: int) -> tuple[events.Recorded, ...]:
    return recorded(events.ObjectWithdrawn(Key(f"Role/default/r{seq}")), first=seq)


# --- the codec --------------------------------------------------------------------------------------------------

TEXTS = strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=20)
WHOLE = strategies.integers(-(2**53), 2**53)
FLOATS = strategies.floats(allow_nan=False, allow_infinity=False)


def values_of(hint: object) -> strategies.SearchStrategy[object]:
    """Any value of a type as it stands in an event."""
    hint = getattr(hint, "__supertype__", hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return strategies.one_of([values_of(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return strategies.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return strategies.tuples(*(values_of(argument) for argument in arguments))
    if hint is actions.Effect:
        return strategies.one_of([instances(effect) for effect in actions.EFFECTS.values()])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return instances(hint)
    simple: dict[object, strategies.SearchStrategy[object]] = {
        str: TEXTS,
        int: WHOLE,
        float: FLOATS,
        bool: strategies.booleans(),
        type(None): strategies.none(),
    }
    if hint in simple:
        return simple[hint]
    return strategies.from_type(hint)  # type: ignore[arg-type]


def instances(cls: type) -> strategies.SearchStrategy[object]:
    hints = typing.get_type_hints(cls)
    fields = [field.name for field in dataclasses.fields(cls)]
    fixed = {"verb": strategies.just(cls.__name__)} if issubclass(cls, actions.Effect) else {}
    return strategies.builds(cls, **{name: fixed.get(name, values_of(hints[name])) for name in fields})


def assert_comes_back(event: events.Event) -> None:
    specs = {event.spec_digest: event.spec} if isinstance(event, events.ObjectAdmitted) else {}
    again = codec.decode(type(event).__name__, codec.encode(event), specs)
    assert again == event
    assert repr(again) == repr(event)  # also of the same types within


@pytest.mark.parametrize("name", sorted(events.EVENTS))
@hypothesis.settings(deadline=None, max_examples=25, database=None)
@hypothesis.given(data=strategies.data())
def test_every_event_comes_back_as_it_was(name: str, data: strategies.DataObject) -> None:
    event = data.draw(instances(events.EVENTS[name]))
    assert isinstance(event, events.Event)
    assert_comes_back(event)


@pytest.mark.parametrize("verb", sorted(actions.EFFECTS))
@hypothesis.settings(deadline=None, max_examples=25, database=None)
@hypothesis.given(data=strategies.data())
def test_every_effect_comes_back_within_its_intent(verb: str, data: strategies.DataObject) -> None:
    do = data.draw(instances(actions.EFFECTS[verb]))
    assert isinstance(do, actions.Effect)
    key = Key("Task/default/fix")
    assert_comes_back(events.ActionStarted(key, actions.Action(actions.action_key("x"), key, do)))


def test_every_event_class_is_registered_under_its_name() -> None:
    for base, registry, *modules in (
        (events.Event, events.EVENTS, events, judgements, ledger_facts, lifecycle, questions, surroundings, upstream),
        (actions.Effect, actions.EFFECTS, actions),
    ):
        every = [one for module in modules for one in vars(module).values()]
        ours = [one for one in every if isinstance(one, type) and issubclass(one, base)]
        assert {one.__name__: one for one in ours if not one.__subclasses__()} == registry


def test_what_this_release_does_not_know_is_said() -> None:
    with pytest.raises(errors.UnreadableEvent, match="event type Moved is not known"):
        codec.decode("Moved", "{}", {})
    with pytest.raises(errors.UnreadableEvent, match="ObjectWithdrawn: "):
        codec.decode("ObjectWithdrawn", '{"key": 7}', {})
    action = '{"key":"k","action":{"key":"a","object":"k","do":{"verb":"Fly"}}}'
    with pytest.raises(errors.UnreadableEvent, match="effect Fly is not known"):
        codec.decode("ActionStarted", action, {})


# --- recording --------------------------------------------------------------------------------------------------


def test_a_life_is_read_back_and_folds_to_the_same_rows(path: Path, ledger: store.Ledger) -> None:
    bench = builders.bench(builders.project(), builders.task())
    rows = [views.row(bench.machine.state, obj) for obj in bench.machine.state.objects.values()]
    append(ledger, bench.log, rows, (), bench.machine.state)
    ledger.close()
    again = store.Ledger(path)
    read = list(again.read())
    assert read == bench.log
    state = State()
    for one in read:
        state = evolve.evolve(state, one)
    assert {key: store.row_digest(views.row(state, obj)) for key, obj in state.objects.items()} == again.rows()
    assert again.state() == state == bench.machine.state
    assert again.last_moment() == bench.log[-1].now
    again.close()


def test_a_new_ledger_is_empty(ledger: store.Ledger) -> None:
    assert list(ledger.read()) == []
    assert ledger.state() == State()
    assert ledger.last_moment() is None


def test_pages_are_read_without_a_gap(ledger: store.Ledger) -> None:
    count = 2 * store.PAGE_ROWS + 1
    append(ledger, [one for seq in range(1, count + 1) for one in withdrawn(seq)])
    assert [one.seq for one in ledger.read()] == list(range(1, count + 1))


def test_a_spec_is_stored_once_for_its_digest(path: Path, ledger: store.Ledger) -> None:
    first, second = builders.project(), dataclasses.replace(builders.project(), key=Key("Project/other/shop"))
    append(ledger, recorded(first, second), [])
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM specs").fetchone() == (1,)
        assert not db.execute("SELECT 1 FROM events WHERE instr(data, 'make test')").fetchall()
    db.close()
    assert [one.event for one in ledger.read()] == [first, second]


def test_a_turn_is_recorded_whole_or_not_at_all(ledger: store.Ledger) -> None:
    bench = builders.bench(builders.project())
    obj = bench.object("Project/default/shop")
    good = views.row(bench.machine.state, obj)
    bad = dataclasses.replace(good, key=Key("Project/default/x"), uid=typing.cast(str, None))
    append(ledger, withdrawn(1), [])
    with pytest.raises(sqlite3.Error):
        append(ledger, [*recorded(builders.project(), first=2)], [good, bad])
    with pytest.raises(sqlite3.IntegrityError):
        append(ledger, [*withdrawn(2), *withdrawn(1)], [good])
    assert [one.seq for one in ledger.read()] == [1]
    assert ledger.rows() == {}
    append(ledger, withdrawn(2), [good])
    assert ledger.rows() == {good.key: store.row_digest(good)}


def test_rows_are_replaced_and_removed_and_tell_any_difference(ledger: store.Ledger) -> None:
    bench = builders.bench(builders.project())
    row = views.row(bench.machine.state, bench.object("Project/default/shop"))
    append(ledger, withdrawn(1), [row])
    for changed in ({"seq": 99}, {"body": "{}"}, {"because": "x"}):
        other = dataclasses.replace(row, **changed)
        assert store.row_digest(other) != store.row_digest(row)
    append(ledger, withdrawn(2), [dataclasses.replace(row, body="{}")])
    assert ledger.rows() == {row.key: store.row_digest(dataclasses.replace(row, body="{}"))}
    append(ledger, withdrawn(3), [], [row.key])
    assert ledger.rows() == {}


def test_each_opening_can_begin_an_epoch_of_its_own(path: Path) -> None:
    for wanted in (1, 2, 3):
        ledger = store.Ledger(path)
        assert ledger.begin_epoch() == wanted
        ledger.close()


# --- the file ---------------------------------------------------------------------------------------------------


def test_a_ledger_of_another_schema_is_refused_with_both_versions(path: Path) -> None:
    ledger = store.Ledger(path)
    ledger.set_meta(schema_version="99")
    ledger.close()
    with pytest.raises(store.LedgerError, match=r"ledger\.db: schema version 99; this release reads version 2"):
        store.Ledger(path)


@pytest.mark.parametrize("content", [b"", b"this is no database, whatever its name says" * 100])
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(store.LedgerError, match="is not a ledger"):
        store.Ledger(path)
    assert path.read_bytes() == content


def test_a_half_made_file_of_an_earlier_start_is_ignored(path: Path) -> None:
    path.parent.mkdir()
    half = path.with_name("ledger.db.new")
    half.write_bytes(b"half a ledger")
    ledger = store.Ledger(path)
    append(ledger, withdrawn(1))
    assert [one.seq for one in ledger.read()] == [1]
    ledger.close()
    assert not half.exists()


WRITER = """
import sys
from pathlib import Path
from orchctl.adapters.ledger import store
from orchctl.core import events
from orchctl.core.ids import Key
from orchctl.core.state import State
ledger = store.Ledger(Path(sys.argv[1]))
for turn in range(1, 1_000_000):
    now = events.Now(at=1.0, t=1.0)
    batch = [events.Recorded(3 * turn + n - 2, turn, now, events.ObjectWithdrawn(Key(f"Role/x/{n}"))) for n in range(3)]
    ledger.append(batch, [], [], State())
    print(turn, flush=True)
"""
READER = """
import sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
db.execute("BEGIN")
print(db.execute("SELECT count(*) FROM events").fetchone()[0], flush=True)
sys.stdin.readline()
print(db.execute("SELECT count(*) FROM events").fetchone()[0], flush=True)
"""


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_what_was_acknowledged_is_there_after_a_kill(path: Path, acknowledged: int) -> None:
    with python(WRITER, str(path)) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledged):
            last = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().splitlines()
        last = int(rest[-1]) if rest else last
        writer.wait(DEADLINE_S)
    ledger = store.Ledger(path)
    turns = [one.turn for one in ledger.read()]
    ledger.close()
    assert sorted({*turns}) == list(range(1, max(turns) + 1))
    assert last <= max(turns) <= last + 1
    assert all(turns.count(turn) == 3 for turn in {*turns})


def test_a_reader_sees_one_moment_and_never_blocks_the_writer(path: Path, ledger: store.Ledger) -> None:
    append(ledger, withdrawn(1), [])
    with python(READER, str(path)) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline() == "1\n"
        for seq in range(2, 50):  # waits for nobody: a blocked writer would raise after its ten seconds
            append(ledger, withdrawn(seq), [])
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "1\n"
        reader.wait(DEADLINE_S)
