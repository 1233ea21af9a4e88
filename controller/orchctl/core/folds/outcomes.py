"""What came of actions and attempts."""

from __future__ import annotations

import dataclasses

from orchctl.core import actions, events
from orchctl.core.folds import parts
from orchctl.core.ids import AttemptId, Oid
from orchctl.core.ports import LandResult, Phase
from orchctl.core.state import Attempt, Candidate, Evidence, Failures, Object, Rendering

replace = dataclasses.replace


def action_started(obj: Object, event: events.ActionStarted, now: events.Now) -> Object:
    do = event.action.do
    if obj.open is not None:
        raise parts.IllegalEvent(f"{obj.key} already has an open action {obj.open.do.verb}")
    obj = replace(obj, open=event.action, actions=obj.actions + 1)
    match do:
        case actions.RunAgent():
            return parts.with_attempts(obj, (*parts.attempts_of(obj), _submitted(do.attempt, "agent", do.agent, now)))
        case actions.CommitLeftovers():
            return parts.with_attempts(
                obj, (*parts.attempts_of(obj), _submitted(do.attempt, "commit", "leftovers", now))
            )
        case actions.RunCheck():
            check = _submitted(do.attempt, "check", do.check, now)
            task = parts.task(obj)
            stage = task.plan.stages[task.stage].name
            check = replace(check, stage=stage, check_digest=do.check_digest, tree=do.tree)
            return parts.with_attempts(obj, (*parts.attempts_of(obj), check))
        case actions.CreateRoom():
            return parts.with_task(obj, room_begun=True)
        case actions.CancelAttempt():
            return parts.update_attempt(obj, do.attempt, cancelling=True)
        case _:
            return obj


def _submitted(attempt: AttemptId, purpose: str, name: str, now: events.Now) -> Attempt:
    return Attempt(id=attempt, purpose=purpose, name=name, submitted=now)


def action_failed(obj: Object, event: events.ActionFailed, now: events.Now) -> Object:
    before = obj.failures
    opened = obj.open
    obj = parts.closed(obj, event)
    count = before.count + 1 if before is not None and before.verb == event.verb else 1
    failures = Failures(verb=event.verb, count=count, last=now, transient=event.transient, message=event.message)
    obj = replace(obj, failures=failures)
    if opened is not None and isinstance(opened.do, actions.RunAgent | actions.CommitLeftovers | actions.RunCheck):
        reason = "NotStarted" if event.transient else "CannotStart"
        lost = {"phase": Phase.LOST, "ended": now, "reason": reason, "message": event.message}
        obj = parts.update_attempt(obj, opened.do.attempt, **lost)
    if opened is not None and isinstance(opened.do, actions.CancelAttempt):
        obj = parts.update_attempt(obj, opened.do.attempt, cancelling=False)
    return obj


def hub_synced(obj: Object, event: events.HubSynced, now: events.Now) -> Object:
    task = parts.task(obj)
    base = task.base or event.head
    return parts.with_task(
        parts.closed(obj, event),
        branch=event.branch,
        target=event.head,
        base=base,
        target_fresh=True,
        control=event.control,
    )


def tree_created(obj: Object, event: events.TreeCreated, now: events.Now) -> Object:
    return replace(parts.closed(obj, event), worktree=replace(parts.worktree(obj), path=event.path))


def prompt_rendered(obj: Object, event: events.PromptRendered, now: events.Now) -> Object:
    task = parts.task(obj)
    made = Rendering(stage=task.stage, cycle=task.cycle, digest=event.digest, texts=event.texts)
    return parts.with_task(parts.closed(obj, event), rendering=made)


def attempt_started(obj: Object, event: events.AttemptStarted, now: events.Now) -> Object:
    return parts.update_attempt(parts.closed(obj, event), event.attempt, phase=Phase.RUNNING, pid=event.pid)


def attempt_ended(obj: Object, event: events.AttemptEnded, now: events.Now) -> Object:
    before = next((one for one in parts.attempts_of(obj) if one.id == event.attempt), None)
    phase, reason, message = event.phase, event.reason, event.message
    if phase is Phase.CANCELLED and before is not None:
        phase, reason, message = _cancelled(obj, before, event)
    ended = parts.update_attempt(
        obj,
        event.attempt,
        phase=phase,
        exit_code=event.exit_code,
        signal=event.signal,
        output_bytes=event.output_bytes,
        reason=reason,
        message=message,
        tail=event.tail,
        ended=now,
    )
    attempt = next(one for one in parts.attempts_of(ended) if one.id == event.attempt)
    if attempt.purpose != "check":
        return ended
    ended = parts.with_task(ended, room_commit=None)  # it ran in the room: the next one gets a fresh room
    if phase is Phase.LOST:
        return ended  # it has said nothing about the tree, so it runs again
    return parts.with_task(ended, evidence=(*parts.task(ended).evidence, _evidence(attempt)))


def _cancelled(obj: Object, attempt: Attempt, event: events.AttemptEnded) -> tuple[Phase, str, str]:
    """Stopped by us: for the reason we had, whoever saw the end first. By somebody else: no verdict on anything."""
    if not attempt.cancelling:
        return Phase.LOST, "Interrupted", "it was stopped by somebody else"
    if obj.open is not None and isinstance(obj.open.do, actions.CancelAttempt):
        return event.phase, event.reason, obj.open.do.reason
    return event.phase, event.reason, event.message


def _evidence(attempt: Attempt) -> Evidence:
    return Evidence(
        check=attempt.name,
        digest=attempt.check_digest,
        tree=Oid(attempt.tree),
        passed=attempt.phase is Phase.SUCCEEDED,
        exit_code=attempt.exit_code,
        message=attempt.message,
        tail=attempt.tail,
        attempt=attempt.id,
        seconds=(attempt.ended.t - attempt.submitted.t) if attempt.ended else 0.0,
    )


def work_imported(obj: Object, event: events.WorkImported, now: events.Now) -> Object:
    task = parts.task(obj)
    return parts.with_task(
        parts.closed(obj, event),
        head=event.commit,
        head_tree=event.tree,
        paths=event.paths,
        protected=event.protected,
        outside=event.outside,
        changed=event.changed,
        offending=event.offending,
        commits=event.commits,
        log=event.log,
        imported=(task.stage, task.cycle),
        slots=tuple(slot for slot in task.slots if slot in task.plan.slots(None)),  # its agent is done
    )


def room_created(obj: Object, event: events.RoomCreated, now: events.Now) -> Object:
    return parts.with_task(parts.closed(obj, event), room=event.path, room_commit=event.commit)


def cancel_done(obj: Object, event: events.CancelDone, now: events.Now) -> Object:
    return parts.closed(obj, event)


def merge_made(obj: Object, event: events.MergeMade, now: events.Now) -> Object:
    made = Candidate(event.target, event.commit, event.tree, paths=event.paths, protected=event.protected)
    return parts.with_task(parts.closed(obj, event), candidate=made, dirty=())


def merge_conflicted(obj: Object, event: events.MergeConflicted, now: events.Now) -> Object:
    return parts.with_task(parts.closed(obj, event), conflicts=event.paths, candidate=None)


def land_tried(obj: Object, event: events.LandTried, now: events.Now) -> Object:
    obj = parts.closed(obj, event)
    match event.result:
        case LandResult.LANDED:
            return parts.with_task(obj, landed=event.commit, dirty=(), dirty_tries=0)
        case LandResult.MOVED:
            return parts.with_task(obj, candidate=None, target_fresh=False, dirty=())
        case LandResult.DIRTY:
            return parts.with_task(obj, dirty=event.paths, dirty_tries=parts.task(obj).dirty_tries + 1)


def target_cleaned(obj: Object, event: events.TargetCleaned, now: events.Now) -> Object:
    return parts.with_task(obj, dirty=())


def tree_removed(obj: Object, event: events.TreeRemoved, now: events.Now) -> Object:
    obj = parts.closed(obj, event)
    if obj.worktree is not None:
        return replace(obj, worktree=replace(obj.worktree, removed=now))
    return parts.with_task(obj, room="", room_commit=None, room_begun=False)
