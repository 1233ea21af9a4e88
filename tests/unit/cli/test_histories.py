"""trace and history, on a ledger that a real machine recorded in a world in memory."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchctl.adapters.ledger import store
from orchctl.core import actions, events, evolve, views
from orchctl.core.state import State
from orchctl.testing import worlds
from tests.unit.cli import ledger_fixture
from tests.unit.cli.conftest import Command
from tests.unit.core import builders


@pytest.fixture
def recorded(repo: Path, state_home: Path) -> worlds.Bench:
    """A task whose check is red once, edited while it runs, then merged."""
    codes = iter([1])
    world = worlds.World(exits=lambda do: next(codes, 0) if isinstance(do, actions.RunCheck) else 0)
    at = ledger_fixture.NOW - 600
    bench = worlds.Bench(world=world, now=events.Now(at=at, t=0.0))
    bench.give(worlds.started(), *builders.catalogue(), builders.project(), builders.task())
    edited = builders.task(priority=5)
    bench.give(dataclasses.replace(edited, generation=2))
    write(bench, state_home / "orchctl" / ledger_fixture.UID / "ledger.db")
    return bench


def write(bench: worlds.Bench, path: Path) -> None:
    """The record as a controller keeps it, turn by turn."""
    ledger = store.Ledger(path)
    state = State()
    for _, turn in itertools.groupby(bench.log, key=lambda one: one.turn):
        batch = list(turn)
        for one in batch:
            state = evolve.evolve(state, one)
        keys = dict.fromkeys(one.event.key for one in batch)
        rows = [views.row(state, state.objects[key]) for key in keys if key in state.objects]
        ledger.append(batch, rows, [key for key in keys if key not in state.objects], state)
    ledger.close()


@pytest.mark.usefixtures("recorded")
def test_log_5_trace_tells_every_step_and_what_it_rests_on(
    orchctl: Command, golden: Callable[[str, str], None]
) -> None:
    result = orchctl("trace", "fix")
    assert result.code == 0, result.error
    golden("trace-task.txt", result.output)


def test_log_5_trace_as_json_holds_the_evidence_of_what_landed(orchctl: Command, recorded: worlds.Bench) -> None:
    steps = json.loads(orchctl("trace", "fix", "-o", "json").output)
    assert [step["seq"] for step in steps] == sorted(step["seq"] for step in steps)
    checks = [step for step in steps if step["reason"] == "CheckStarting"]
    judged = [one["value"] for step in checks for one in step["restsOn"] if one["what"] == "on"]
    task = recorded.object("Task/default/fix").task
    assert task is not None
    assert task.candidate is not None
    assert any(task.candidate.tree[:12] in value for value in judged)
    merged = next(step for step in steps if step["reason"] == "Merged" and step["restsOn"])
    assert {"what": "commit", "value": task.landed} in merged["restsOn"]


@pytest.mark.usefixtures("recorded")
def test_log_5_trace_of_a_session_is_of_the_session_alone(orchctl: Command) -> None:
    steps = json.loads(orchctl("trace", "session/fix-implement-1", "-o", "json").output)
    assert {step["key"] for step in steps} == {"Session/default/fix-implement-1"}


@pytest.mark.usefixtures("recorded")
def test_log_5_history_tells_which_specs_there_were_and_what_each_changed(
    orchctl: Command, golden: Callable[[str, str], None]
) -> None:
    result = orchctl("history", "fix")
    assert result.code == 0, result.error
    golden("history-task.txt", result.output)
    first, second = json.loads(orchctl("history", "fix", "-o", "json").output)
    assert first["changes"] == ["(new)"]
    assert second["changes"] == ["spec.priority: unset -> 5"]


@pytest.mark.parametrize("verb", ["trace", "history"])
@pytest.mark.usefixtures("recorded")
def test_what_is_not_there_is_said(orchctl: Command, verb: str) -> None:
    result = orchctl(verb, "fox")
    assert (result.code, result.output) == (3, "")
    assert "did you mean 'fix'" in result.error
