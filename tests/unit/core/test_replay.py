"""Replay finds what a release would decide otherwise, and nothing else (LOG-3)."""

from __future__ import annotations

import dataclasses

import pytest

from orchctl.core import events, replay
from orchctl.core.ids import Key
from orchctl.core.kinds import rounds
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = Key("Task/default/fix")


def _history() -> worlds.Bench:
    return builders.bench(builders.project(), builders.task())


def test_log_3_the_state_at_an_event_is_what_it_was_then() -> None:
    bench = _history()
    started = next(one.seq for one in bench.log if isinstance(one.event, events.TaskStarted))
    before = replay.state_at(bench.log, started - 1).objects[TASK]
    after = replay.state_at(bench.log, started).objects[TASK]
    assert before.task is None
    assert after.task is not None
    assert replay.state_at(bench.log, bench.log[-1].seq) == bench.machine.state


def test_log_3_a_rule_that_changed_is_found_in_the_turn_where_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _history()
    with monkeypatch.context() as changed:
        changed.setattr(rounds, "passed_text", lambda task: "something else")
        (found,) = list(replay.verify(bench.log))
    assert isinstance(found.recorded, events.StagePassed | events.Explained)
    assert isinstance(found.decided, events.StagePassed | events.Explained)
    assert found.recorded != found.decided
    assert found.turn == next(one.turn for one in bench.log if one.seq == found.seq)


@pytest.mark.parametrize("kind", [events.ActionStarted, events.SessionCreated, events.TaskEnded, events.Explained])
def test_log_3_a_decision_that_is_missing_from_the_record_is_a_difference(kind: type[events.Event]) -> None:
    bench = _history()
    at = next(index for index, one in enumerate(bench.log) if isinstance(one.event, kind))
    numbered = [*bench.log[:at], *(dataclasses.replace(one, seq=one.seq - 1) for one in bench.log[at + 1 :])]
    found = next(replay.verify(numbered))
    assert found.turn == bench.log[at].turn
    assert found.decided == bench.log[at].event


def test_log_3_every_decision_a_machine_makes_is_marked_as_one() -> None:
    """What is not marked would be handed to a replay as a fact, and never be decided again."""
    given = {fact.key for fact in (builders.project(), builders.task(), *builders.catalogue())}
    bench = _history()
    kinds = {type(one.event) for one in bench.log if one.event.key in given and isinstance(one.event, events.Decision)}
    assert {events.TaskStarted, events.StagePassed, events.TaskEnded, events.ActionStarted, events.Explained} <= kinds
    assert not issubclass(events.ObjectAdmitted, events.Decision)
    assert not issubclass(events.Outcome, events.Decision)
