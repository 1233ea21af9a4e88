"""Defects put into the production code, one at a time, and what must find each: the proof that the oracles see.

A mutant is a name, the invariants of which at least one must be broken, and a patch. `python -m tests.sim.mutants`
prints after how many seeds each was found.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable
from typing import Any

import pytest

from orchctl.app import admission, effects, turns
from orchctl.core import actions, admit, events, evolve, ports, resolve, runtime
from orchctl.core.because import Because
from orchctl.core.folds import parts
from orchctl.core.ids import AttemptId
from orchctl.core.kinds import gates, retrying, task, watching, worktree
from orchctl.core.ports import Phase
from orchctl.core.proposal import Proposal
from orchctl.kit import backoff
from orchctl.testing.sim import faults, gitports, ledger, simulation
from orchctl.testing.sim.scenario import Story

SEEDS_MAX = 120
replace = dataclasses.replace
Patch = Callable[[pytest.MonkeyPatch], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    found_by: tuple[str, ...]
    patch: Patch
    first: int  # the seed to begin with: rare meetings of faults are begun near


MUTANTS: list[Mutant] = []


def mutant(*found_by: str, first: int = 0) -> Callable[[Patch], Patch]:
    def add(patch: Patch) -> Patch:
        MUTANTS.append(Mutant(patch.__name__, found_by, patch, first))
        return patch

    return add


def wrapped(patch: pytest.MonkeyPatch, owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Puts `around(original, *args)` in the place of a function or method."""
    original = getattr(owner, name)

    def replaced(*args: Any, **named: Any) -> Any:
        return around(original, *args, **named)

    patch.setattr(owner, name, replaced)


def folding(patch: pytest.MonkeyPatch, event: type[events.Event], around: Callable[..., Any]) -> None:
    original = evolve._FOLDS[event]
    patch.setitem(evolve._FOLDS, event, lambda obj, one, now: around(original, obj, one, now))


# --- capacity, starts and ends --------------------------------------------------------------------------------------


@mutant("I2")
def one_session_more_than_allowed(patch):
    wrapped(patch, admit, "_limit_of", lambda original, *given: original(*given) + 1)


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


@mutant("L1", "L4")
def ended_tasks_keep_their_slot(patch):
    patch.setattr(admit, "holds_slot", lambda obj, task: True)


@mutant("L1")
def what_was_under_way_is_forgotten_at_a_start(patch):
    patch.setattr(turns.Turns, "under_way", lambda self: [])


@mutant("L1", "L3", "I14")
def nothing_is_decided_at_a_start(patch):
    def decided(original, self, facts):
        return original(self, [fact for fact in facts if not isinstance(fact, events.ControllerStarted)])

    wrapped(patch, turns.Turns, "record", decided)


@mutant("I14")
def the_failure_edge_is_taken_without_end(patch):
    def around(original, *given):
        goto, limit = original(*given)
        return goto, limit + 7

    wrapped(patch, resolve, "_failure_edge", around)


@mutant("I14")
def failures_are_tried_again_at_once(patch):
    patch.setattr(backoff, "delay_s", lambda failures, who: 0.0)


@mutant("I3", "I1", first=370)
def what_works_is_ended_when_starting_it_again_fails(patch):
    """As it was: see the track record."""

    def submit(self, spec):
        try:
            return self.executor.submit(spec)
        except ports.TransientError:
            seen = self.executor.cancel(spec.attempt, 0.0)
            if seen.phase in (Phase.ABSENT, Phase.CANCELLED, Phase.LOST):
                raise
            return seen

    patch.setattr(effects.Effects, "_submit", submit)


# --- waking, deciding, explaining -----------------------------------------------------------------------------------


@mutant("L1")
def readers_are_not_decided_again(patch):
    patch.setattr(runtime.Runtime, "affected", lambda self, key: {key: None})


@mutant("L1")
def those_who_wait_for_capacity_are_not_woken(patch):
    def around(original, self, key):
        return {one: None for one in original(self, key) if one not in self._held or one == key}

    wrapped(patch, runtime.Runtime, "affected", around)


@mutant("L1", "L3")
def time_wakes_nobody(patch):
    patch.setattr(runtime.Runtime, "wake_at", property(lambda self: None))


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


# --- git and gates --------------------------------------------------------------------------------------------------


@mutant("I4")
def the_target_moves_from_wherever_it_is(patch):
    patch.setattr(gitports.Workspace, "still_at", lambda self, target, old: True)


@mutant("I5")
def evidence_of_any_tree_counts(patch):
    def any_tree(found, check, tree):
        return next((one for one in reversed(found.evidence) if one.digest == check.digest), None)

    patch.setattr(gates, "evidence_for", any_tree)


@mutant("I5")
def evidence_of_any_check_counts(patch):
    def any_check(found, check, tree):
        return next((one for one in reversed(found.evidence) if one.tree == tree), None)

    patch.setattr(gates, "evidence_for", any_check)


@mutant("I5")
def gates_are_left_out(patch):
    patch.setattr(gates, "judge", lambda *given: None)


@mutant("I5")
def a_room_serves_two_checks(patch):
    def around(original, obj, event, now):
        room = obj.task.room_commit if obj.task is not None else None
        after = original(obj, event, now)
        return parts.with_task(after, room_commit=room) if after.task is not None else after

    folding(patch, events.AttemptEnded, around)


@mutant("I5")
def a_lost_check_has_passed(patch):
    def around(original, self, key, seen, backend, why=""):
        if seen.phase is Phase.LOST:
            seen = replace(seen, phase=Phase.SUCCEEDED, exit_code=0)
        return original(self, key, seen, backend, why)

    wrapped(patch, effects.Effects, "_ended", around)


@mutant("APP-7")
def protected_paths_are_not_looked_for(patch):
    patch.setattr(effects, "_protected", lambda paths, patterns: ())


@mutant("MRG-5")
def dirty_files_are_landed_over(patch):
    patch.setattr(gitports.Workspace, "_dirty", lambda self, target, new: ())


@mutant("L1", "L3")
def a_moved_target_is_not_fetched_again(patch):
    def around(original, obj, event, now):
        after = original(obj, event, now)
        if event.result == "Moved":
            after = parts.with_task(after, candidate=obj.task.candidate, target_fresh=True)
        return after

    folding(patch, events.LandTried, around)


@mutant("I10")
def worktrees_are_removed_without_salvage(patch):
    patch.setattr(gitports.Workspace, "salvage", lambda self, project, name, prefix: ())


@mutant("I10")
def worktrees_are_removed_without_a_commit(patch):
    def at_once(obj, found, ended, now):
        folder = worktree._folder(obj, found)
        do = actions.RemoveTree(project=found.project, name=folder, salvage="refs/orch/salvage/x/1")
        held = retrying.hold_clean_up(obj, now, "WT-3", do.verb)
        return held or Proposal(Because("MRG-4", "removes it"), do=do)

    patch.setattr(worktree, "_leave", at_once)


@mutant("I10")
def rooms_are_left_behind(patch):
    def around(original, view, obj, found, now):
        return original(view, obj, replace(found, room_begun=False), now)

    wrapped(patch, task, "_after_end", around)


@mutant("L1", "L2", "I10")
def what_cannot_be_removed_is_given_up(patch):
    def never(obj, now, rule, verb):
        failed = obj.failures is not None and obj.failures.verb == verb
        return Proposal(Because(rule, "given up")) if failed else None

    patch.setattr(retrying, "hold_clean_up", never)


@mutant("L1", "L3", "I5")
def a_dirty_target_is_never_looked_at_again(patch):
    patch.setattr(turns.Turns, "blocked_landings", lambda self: {})


@mutant("I5")
def the_merge_result_is_not_checked(patch):
    def around(original, obj, found, commit, tree, now):
        return None if found.plan.stages[found.stage].merge else original(obj, found, commit, tree, now)

    wrapped(patch, gates, "judge", around)


@mutant("I10")
def a_room_is_known_only_once_it_is_made(patch):
    """As it was: see the track record."""

    def begun(original, obj, event, now):
        after = original(obj, event, now)
        return parts.with_task(after, room_begun=obj.task.room_begun) if after.task is not None else after

    folding(patch, events.ActionStarted, begun)
    folding(
        patch,
        events.RoomCreated,
        lambda original, obj, event, now: parts.with_task(original(obj, event, now), room_begun=True),
    )


@mutant("L2", "I10", "L1", first=100)
def what_cannot_be_committed_is_never_tried_again(patch):
    """As it was: see the track record."""

    def around(original, found, last, now):
        kept = original(found, last, now if last.ended is None else replace(now, t=last.ended.t))
        return replace(kept, wake_at=None) if kept is not None else None

    wrapped(patch, worktree, "_kept_for_a_person", around)


# --- admission ------------------------------------------------------------------------------------------------------


@mutant("L2")
def withdrawn_objects_stay(patch):
    folding(patch, events.ObjectWithdrawn, lambda original, obj, event, now: obj)


@mutant("GIT-5")
def any_number_may_leave_at_once(patch):
    patch.setattr(admission, "_guard", lambda going, total: "")


@mutant("L2")
def edits_are_taken_for_known(patch):
    wrapped(
        patch,
        admission,
        "_is_known",
        lambda original, state, fact, troubled: fact.key in state.objects or original(state, fact, troubled=troubled),
    )


@mutant("L2")
def the_control_repo_is_looked_at_once(patch):
    def around(original, self, state):
        return [] if self._started else original(self, state)

    wrapped(patch, admission.Admission, "facts", around)


def found_after(one: Mutant, seeds_max: int = SEEDS_MAX) -> tuple[int, str]:
    """How many seeds it took, and what was broken; 0 when it was not found."""
    with pytest.MonkeyPatch.context() as patch:
        one.patch(patch)
        for count in range(seeds_max):
            violations = simulation.Simulation(Story(one.first + count)).run().violations
            if violations:
                return count + 1, violations[0]
    return 0, ""


def main() -> int:
    missed = 0
    for one in MUTANTS:
        seeds, violation = found_after(one)
        right = violation.split(":", 1)[0] in one.found_by
        missed += not right
        print(f"{'ok  ' if right else 'MISS'} {one.name}: {seeds} seeds: {violation[:110]}", flush=True)
    print(f"{len(MUTANTS)} mutants, {missed} not found as they should be")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
