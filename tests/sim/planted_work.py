"""Defects of what is done with work: git, gates, worktrees, and what manifests say."""

from __future__ import annotations

import dataclasses

from orchctl.app import admission, effects, pruning, turns
from orchctl.core import actions, events
from orchctl.core.because import Because
from orchctl.core.folds import parts
from orchctl.core.kinds import ending, gates, retrying, worktree
from orchctl.core.ports import Phase
from orchctl.core.proposal import Proposal
from orchctl.testing.sim import gitports
from tests.sim.planting import folding, mutant, wrapped

replace = dataclasses.replace

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

    wrapped(patch, ending, "propose", around)


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
    patch.setattr(pruning, "hold", lambda going, total, objects, look: None)


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
