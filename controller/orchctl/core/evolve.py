"""The fold: one event makes one new state. Total over `events.EVENTS`; called by recording, recovery and replay.

It never decides and never looks at the clock: all it knows is the state and the recorded event. An event that does
not fit its object raises `IllegalEvent`; the runtime then stalls that object instead of the loop (LOG-8).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from orchctl.core import events, status
from orchctl.core.folds import admission, agents, decisions, outcomes, parts, pruning
from orchctl.core.ids import ActionKey, Key, kind_of
from orchctl.core.state import (
    WORK_KINDS,
    Object,
    Revision,
    State,
)

replace = dataclasses.replace


def evolve(state: State, recorded: events.Recorded) -> State:
    """The next state. The counters move even when the event concerns no object."""
    event, now = recorded.event, recorded.now
    state = replace(state, seq=recorded.seq, turn=recorded.turn)
    if isinstance(event, events.ControllerStarted):
        return state
    if isinstance(event, events.RevisionObserved):
        return replace(state, revision=_revision(event))
    if isinstance(event, events.PruneBlocked | events.PruneConfirmed | events.PruneLifted):
        return pruning.pruning(state, event)
    if isinstance(event, events.ObjectRemoved):
        objects = {key: obj for key, obj in state.objects.items() if key != event.key}
        return replace(state, objects=objects, declared={key: None for key in state.declared if key != event.key})
    before = state.objects.get(event.key) or Object(key=event.key, created=now)
    fold = _FOLDS.get(type(event))
    if fold is None:
        raise parts.IllegalEvent(f"no fold for {type(event).__name__}")
    after = fold(before, event, now)
    open_actions = _track_open(state, before, after)
    after = replace(after, seq=recorded.seq)
    after = replace(after, conditions=status.conditions(after, now))
    declared = state.declared
    if event.key not in state.objects and kind_of(event.key) not in WORK_KINDS:
        declared = {**declared, event.key: None}
    return replace(state, objects={**state.objects, event.key: after}, open=open_actions, declared=declared)


def _revision(event: events.RevisionObserved) -> Revision:
    return Revision(ref=event.ref, commit=event.commit, tree=event.tree, roots=event.roots)


def _track_open(state: State, before: Object, after: Object) -> Mapping[ActionKey, Key]:
    if before.open is after.open:
        return state.open
    result = dict(state.open)
    if before.open is not None:
        result.pop(before.open.key, None)
    if after.open is not None:
        result[after.open.key] = after.key
    return result


_FOLDS: dict[type[events.Event], Callable[[Object, Any, events.Now], Object]] = {
    events.ObjectAdmitted: admission.admitted,
    events.ObjectRejected: admission.rejected,
    events.ObjectWithdrawn: admission.withdrawn,
    events.ObjectStalled: admission.stalled,
    events.Explained: admission.explained,
    events.AgentProbed: agents.probed,
    events.AccountProbed: agents.account_probed,
    events.ActionStarted: outcomes.action_started,
    events.ActionFailed: outcomes.action_failed,
    events.HubSynced: outcomes.hub_synced,
    events.TreeCreated: outcomes.tree_created,
    events.PromptRendered: outcomes.prompt_rendered,
    events.AttemptStarted: outcomes.attempt_started,
    events.AttemptEnded: outcomes.attempt_ended,
    events.WorkImported: outcomes.work_imported,
    events.RoomCreated: outcomes.room_created,
    events.CancelDone: outcomes.cancel_done,
    events.MergeMade: outcomes.merge_made,
    events.MergeConflicted: outcomes.merge_conflicted,
    events.LandTried: outcomes.land_tried,
    events.TargetCleaned: outcomes.target_cleaned,
    events.TreeRemoved: outcomes.tree_removed,
    events.TaskStarted: decisions.task_started,
    events.ChecksAdopted: decisions.checks_adopted,
    events.WorktreeRequested: decisions.worktree_requested,
    events.SessionCreated: decisions.session_created,
    events.SessionEnded: decisions.session_ended,
    events.StagePassed: decisions.stage_passed,
    events.StageFailed: decisions.stage_failed,
    events.TaskStopping: decisions.task_stopping,
    events.TaskEnded: decisions.task_ended,
}
