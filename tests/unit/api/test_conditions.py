"""Conditions: when a transition time moves, when nothing changed, and what kstatus makes of a status."""

import dataclasses

import pytest

from orchctl.api import conditions
from orchctl.api.conditions import Condition

READY = Condition("Ready", "False", "GateFailed", "red", 1, "2026-01-01T00:00:00Z")
LATER = "2026-01-02T00:00:00Z"


def test_the_same_condition_again_gives_back_the_same_tuple():
    held = conditions.set_condition((), READY)
    assert conditions.set_condition(held, dataclasses.replace(READY, last_transition_time=LATER)) is held


def test_the_transition_time_moves_with_the_status_only():
    held = conditions.set_condition((), READY)
    (same,) = conditions.set_condition(held, dataclasses.replace(READY, reason="Other", last_transition_time=LATER))
    assert (same.reason, same.last_transition_time) == ("Other", READY.last_transition_time)
    (moved,) = conditions.set_condition(held, dataclasses.replace(READY, status="True", last_transition_time=LATER))
    assert moved.last_transition_time == LATER


def test_ready_stands_first_and_the_others_by_name():
    held: conditions.Conditions = ()
    for type in ("Waiting", "Accepted", "Ready"):
        held = conditions.set_condition(held, dataclasses.replace(READY, type=type))
    assert [each.type for each in held] == ["Ready", "Accepted", "Waiting"]
    assert [each.type for each in conditions.remove_condition(held, "Accepted")] == ["Ready", "Waiting"]
    assert conditions.remove_condition(held, "Stalled") is held


def test_a_long_message_is_cut_and_stays_unchanged_when_set_again():
    long = dataclasses.replace(READY, message="x" * 5_000)
    held = conditions.set_condition((), long)
    assert len(held[0].message) == conditions.MESSAGE_LENGTH_MAX
    assert conditions.set_condition(held, long) is held


@pytest.mark.parametrize(
    ("metadata", "status", "health"),
    [
        ({"deletionTimestamp": LATER}, {}, "Terminating"),
        ({"generation": 2}, {"observedGeneration": 1}, "InProgress"),
        ({}, {"conditions": [{"type": "Reconciling", "status": "True"}]}, "InProgress"),
        ({}, {"conditions": [{"type": "Stalled", "status": "True"}, {"type": "Ready", "status": "False"}]}, "Failed"),
        ({}, {"conditions": [{"type": "Ready", "status": "True"}]}, "Current"),
        ({}, {"conditions": [{"type": "Ready", "status": "False"}]}, "InProgress"),
        ({}, {"conditions": [{"type": "Ready", "status": "Unknown"}]}, "InProgress"),
        ({}, {}, "Current"),
    ],
)
def test_readiness_is_what_kstatus_computes(metadata, status, health):
    assert conditions.readiness({"metadata": metadata, "status": status}).health == health
