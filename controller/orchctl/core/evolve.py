"""The fold: one event makes one new state. Total over `events.EVENTS`; called by recording, recovery and replay.

It never decides and never looks at the clock: all it knows is the state and the recorded event. An event that does
not fit its object raises `IllegalEvent`; the runtime then stalls that object instead of the loop (LOG-8).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from orchctl.core import events, groups, judgements, lifecycle, questions, status, upstream, versioned
from orchctl.core.folds import admission, agents, decisions, gating, outcomes, parts, pruning, source
from orchctl.core.folds import lifecycle as life
from orchctl.core.folds import questions as question_folds
from orchctl.core.ids import ActionKey, Key, kind_of
from orchctl.core.state import (
    WORK_KINDS,
    MemoryShort,
    Object,
    Revision,
    State,
)

replace = dataclasses.replace


def evolve(state: State, recorded: events.Recorded) -> State:
    """The next state. The counters move even when the event concerns no object."""
    event, now = recorded.event, recorded.now
    if state.wall is None or isinstance(event, lifecycle.ClockJumped):
        state = replace(state, wall=now.at - now.t)
    state = groups.tracked(state, event)
    if isinstance(event, lifecycle.Request):
        state = pruning.with_token(state, event.token)
    if isinstance(event, events.RevisionObserved):
        state = replace(state, revision=_revision(event))
    if _concerns_no_object(state, event):
        return replace(_of_the_whole(state, event), seq=recorded.seq, turn=recorded.turn)
    objects, declared = versioned.of(state.objects), versioned.of(state.declared)
    if isinstance(event, events.ObjectRemoved):
        objects, declared = objects.without(event.key), declared.without(event.key)
        return replace(state, seq=recorded.seq, turn=recorded.turn, objects=objects, declared=declared)
    known = objects.get(event.key)
    before = known or Object(key=event.key, created=now)
    fold = _FOLDS.get(type(event))
    if fold is None:
        raise parts.IllegalEvent(f"no fold for {type(event).__name__}")
    after = replace(fold(before, event, now), seq=recorded.seq)
    after = replace(after, conditions=status.conditions(after, now))
    if known is None and kind_of(event.key) not in WORK_KINDS:
        declared = declared.put(event.key, None)
    return replace(
        state,
        seq=recorded.seq,
        turn=recorded.turn,
        objects=objects.put(event.key, after),
        open=_track_open(state, before, after),
        declared=declared,
    )


def _concerns_no_object(state: State, event: events.Event) -> bool:
    if isinstance(event, events.RevisionObserved):  # of a branch of a repo of this machine there is nothing to say
        return not event.signer and event.key not in state.objects
    return isinstance(event, _WHOLE)


_PRUNING = (events.PruneBlocked, events.PruneConfirmed, events.PruneLifted)
_DISK = (events.DiskPressed, events.DiskEased)
_OF_THE_RUN = (events.ControllerStarted, events.LedgerRecovered, events.LedgerSealed, lifecycle.ClockJumped)
_WHOLE = (*_OF_THE_RUN, events.MemoryObserved, *_DISK, *_PRUNING)


def _of_the_whole(state: State, event: events.Event) -> State:
    if isinstance(event, events.MemoryObserved):
        short = MemoryShort(free=event.free, wanted=event.wanted) if event.short else None
        return replace(state, memory=short)
    if isinstance(event, _DISK):
        return replace(state, pressed=event.message if isinstance(event, events.DiskPressed) else "")
    return pruning.pruning(state, event) if isinstance(event, _PRUNING) else state


def _revision(event: events.RevisionObserved) -> Revision:
    return Revision(ref=event.ref, commit=event.commit, tree=event.tree, roots=event.roots)


def _track_open(state: State, before: Object, after: Object) -> Mapping[ActionKey, Key]:
    if before.open is after.open:
        return state.open
    result = versioned.of(state.open)
    if before.open is not None:
        result = result.without(before.open.key)
    if after.open is not None:
        result = result.put(after.open.key, after.key)
    return result


_FOLDS: dict[type[events.Event], Callable[[Object, Any, events.Now], Object]] = {
    events.RevisionObserved: source.observed,
    upstream.RevisionRefused: source.refused,
    upstream.SourceSynced: source.synced,
    upstream.SourceUnreachable: source.unreachable,
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
    events.WindowFound: gating.window_found,
    events.RoomCreated: outcomes.room_created,
    events.CancelDone: outcomes.cancel_done,
    events.MergeMade: outcomes.merge_made,
    events.MergeConflicted: outcomes.merge_conflicted,
    events.LandTried: outcomes.land_tried,
    events.TargetCleaned: outcomes.target_cleaned,
    events.TreeRemoved: outcomes.tree_removed,
    events.TaskStarted: decisions.task_started,
    events.SlotsTaken: decisions.slots_taken,
    events.ChecksAdopted: decisions.checks_adopted,
    events.WorktreeRequested: decisions.worktree_requested,
    events.SessionCreated: decisions.session_created,
    events.SessionEnded: decisions.session_ended,
    judgements.PrincipalFound: admission.principal_found,
    judgements.GateJudged: gating.gate_judged,
    judgements.ApprovalNoted: gating.approval_noted,
    judgements.ApprovalJudged: gating.approval_judged,
    judgements.RevokedAfterMerge: gating.revoked_after_merge,
    events.StagePassed: decisions.stage_passed,
    events.StageFailed: decisions.stage_failed,
    events.TaskStopping: decisions.task_stopping,
    events.TaskEnded: decisions.task_ended,
    lifecycle.SuspendRequested: life.suspend_requested,
    lifecycle.ResumeRequested: life.resume_requested,
    lifecycle.CancelRequested: life.cancel_requested,
    lifecycle.RetryRequested: life.retry_requested,
    lifecycle.TaskRestarted: life.task_restarted,
    lifecycle.WorktreeReused: life.worktree_reused,
    lifecycle.RequestRefused: life.request_refused,
    lifecycle.SuspensionExpired: life.suspension_expired,
    lifecycle.StageAsked: decisions.stage_asked,
    lifecycle.StageContinued: decisions.stage_continued,
    lifecycle.DependencyMet: life.dependency_met,
    lifecycle.StartTimeReached: life.start_time_reached,
    lifecycle.TaskNeverStarted: life.task_never_started,
    questions.AnswerRequested: question_folds.answer_requested,
    questions.QuestionAsked: question_folds.question_asked,
    questions.QuestionAnswered: question_folds.question_answered,
    questions.QuestionClosed: question_folds.question_closed,
    questions.StageRetried: question_folds.stage_retried,
}
