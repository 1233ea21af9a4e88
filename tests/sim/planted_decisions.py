"""Defects of deciding and recording: limits, starts, waking, facts and the ledger."""

from __future__ import annotations

import dataclasses
import math

from orchctl.app import effects, turns
from orchctl.core import actions, capacity, events, resolve, runtime, waiting
from orchctl.core.folds import parts
from orchctl.core.ids import AttemptId
from orchctl.core.kinds import failing, watching
from orchctl.kit import backoff
from orchctl.testing.sim import faults, ledger, simulation
from tests.sim.planting import folding, mutant, wrapped

replace = dataclasses.replace

# --- capacity, starts and ends --------------------------------------------------------------------------------------


@mutant("I2")
def one_session_more_than_allowed(patch):
    def around(original, self, slot):
        found = original(self, slot)
        return found + 1 if found is not None else None

    wrapped(patch, capacity.Capacity, "limit", around)


@mutant("I3", "I1")
def agents_get_a_new_attempt_when_taken_over(patch):
    def around(original, self):
        found = original(self)
        return [
            replace(one, do=replace(one.do, attempt=AttemptId(f"{one.do.attempt}x")))
            if isinstance(one.do, actions.RunAgent)
            else one
            for one in found
        ]

    wrapped(patch, turns.Turns, "under_way", around)


@mutant("I3", "I1")
def a_doubted_start_counts_as_none(patch):
    patch.setattr(effects.Effects, "_submit", lambda self, spec: self.executor.submit(spec))


@mutant("I14", "L1")
def nothing_is_ever_cancelled(patch):
    def around(original, attempt, limit_s, now, *, doing, stop=""):
        return original(attempt, math.inf, replace(now, t=attempt.submitted.t), doing=doing)

    wrapped(patch, watching, "watch", around)


@mutant("L1", "I14")
def a_cancel_that_failed_is_not_tried_again(patch):
    def around(original, obj, event, now):
        opened = obj.open
        after = original(obj, event, now)
        if opened is not None and isinstance(opened.do, actions.CancelAttempt):
            after = parts.update_attempt(after, opened.do.attempt, cancelling=True)
        return after

    folding(patch, events.ActionFailed, around)


@mutant("L1", "L4", "X1")
def ended_tasks_keep_their_slot(patch):
    def around(original, self, before, after):
        over = after is not None and after.task is not None and after.task.ended is not None
        return original(self, before, before if over else after)

    wrapped(patch, capacity.Capacity, "moved", around)


@mutant("L1")
def what_was_under_way_is_forgotten_at_a_start(patch):
    patch.setattr(turns.Turns, "under_way", lambda self: [])


@mutant("L1", "L3", "I14")
def nothing_is_decided_at_a_start(patch):
    def decided(original, self, facts, now):
        return original(self, [fact for fact in facts if not isinstance(fact, events.ControllerStarted)], now)

    wrapped(patch, turns.Turns, "begin", decided)


@mutant("I14")
def the_failure_edge_is_taken_without_end(patch):
    def around(original, obj, task, *given):
        stages = tuple(replace(one, loops=0) for one in task.stages)
        return original(obj, replace(task, stages=stages), *given)

    wrapped(patch, failing, "stage", around)
    patch.setattr(resolve, "attempts_max", lambda obj: 1_000)


@mutant("I14")
def failures_are_tried_again_at_once(patch):
    patch.setattr(backoff, "delay_s", lambda failures, who: 0.0)


# --- waking, deciding, explaining -----------------------------------------------------------------------------------


@mutant("L1")
def readers_are_not_decided_again(patch):
    patch.setattr(runtime.Runtime, "affected", lambda self, key: {key: None})


@mutant("L1", "X1")
def those_who_wait_for_capacity_are_not_woken(patch):
    patch.setattr(waiting.Waiting, "moved", lambda self, key, moved: None)


@mutant("L1", "L3")
def time_wakes_nobody(patch):
    patch.setattr(runtime.Runtime, "wake_at", property(lambda self: None))
    patch.setattr(runtime.Runtime, "pause_s", lambda self, now: None)


@mutant("L3", "X1")
def the_same_reason_is_recorded_again(patch):
    def explain(self, key, because):
        if key in self.runtime.state.objects:
            self.record(events.Explained(key, because=because))

    patch.setattr(runtime._Turn, "explain", explain)
    patch.setattr(runtime, "ROUNDS_MAX", 20)


# --- facts and records ----------------------------------------------------------------------------------------------


@mutant("X1", "I7")
def stale_facts_are_taken_for_new(patch):
    patch.setattr(runtime, "accept", lambda state, fact: fact)


@mutant("I7", "X1")
def actions_of_two_objects_have_one_key(patch):
    wrapped(patch, actions, "action_key", lambda original, uid, key, verb, ordinal: original(verb, ordinal))


@mutant("I3", "I1", "X1", "I4", "I5", "I10", "L1")
def actions_of_one_object_have_one_key(patch):
    wrapped(patch, actions, "action_key", lambda original, uid, key, verb, ordinal: original(uid, key, verb))


@mutant("I7")
def a_fold_looks_at_more_than_the_event(patch):
    times = iter(range(10**9))

    def around(original, obj, event, now):
        return replace(original(obj, event, now), actions=obj.actions + 1 + next(times) % 2)

    folding(patch, events.ActionStarted, around)


@mutant("I7")
def some_rows_are_not_written(patch):
    def around(original, self, touched):
        rows, removed = original(self, touched)
        return rows[:-1] if len(rows) > 2 else rows, removed

    wrapped(patch, turns.Turns, "_rows", around)


@mutant("I7")
def removed_rows_stay(patch):
    wrapped(patch, turns.Turns, "_rows", lambda original, self, touched: (original(self, touched)[0], []))


@mutant("I7", "I8", "X1")
def a_turn_is_recorded_by_half(patch):
    def around(original, self, epoch, batch, rows, removed, after):
        if self._swarm.raging and len(batch) > 3 and batch[0].seq % 5 == 0:
            original(self, epoch, batch[: len(batch) // 2], rows, removed, after)
            raise faults.Killed("half-way")
        original(self, epoch, batch, rows, removed, after)

    wrapped(patch, ledger.Ledger, "_write", around)


@mutant("I8")
def a_turn_is_acknowledged_before_it_is_durable(patch):
    def note(original, self, *given):
        self.before = (len(self.entries), dict(self.rows), self.counters)
        original(self, *given)

    def start(original, self):
        if self.world.swarm.raging and self.ledger.entries and not self.lease_is_held():
            size, self.ledger.rows, self.ledger.counters = self.ledger.before
            del self.ledger.entries[size:]
        original(self)

    wrapped(patch, ledger.Ledger, "_write", note)
    wrapped(patch, simulation.Simulation, "_start", start)


@mutant("I13", "I7", "I8", "X1", "I1", "I3")
def two_controllers_hold_the_lease(patch):
    patch.setattr(simulation.Simulation, "lease_is_held", lambda self: False)
