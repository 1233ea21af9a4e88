"""What people have asked of a Task, and how it ends before it has begun."""

from __future__ import annotations

import dataclasses

from orchctl.core import events, lifecycle
from orchctl.core.folds import parts
from orchctl.core.state import Cancellation, Ending, Handled, Object, Suspension

replace = dataclasses.replace


def suspend_requested(obj: Object, event: lifecycle.SuspendRequested, now: events.Now) -> Object:
    suspension = Suspension(actor=event.actor, reason=event.reason, since=now, until=event.until)
    return _handled(parts.with_life(obj, suspension=suspension), event, "Suspend", now)


def resume_requested(obj: Object, event: lifecycle.ResumeRequested, now: events.Now) -> Object:
    return _handled(parts.with_life(obj, suspension=None), event, "Resume", now)


def cancel_requested(obj: Object, event: lifecycle.CancelRequested, now: events.Now) -> Object:
    wish = Cancellation(actor=event.actor, reason=event.reason, mode=event.mode, at=now)
    return _handled(parts.with_life(obj, cancellation=wish), event, "Cancel", now)


def request_refused(obj: Object, event: lifecycle.RequestRefused, now: events.Now) -> Object:
    return _handled(obj, event, event.verb, now, event.reason)


def _handled(obj: Object, event: lifecycle.Request, verb: str, now: events.Now, refused: str = "") -> Object:
    handled = Handled(token=event.token, verb=verb, actor=event.actor, at=now, refused=refused)
    return parts.with_life(obj, handled=handled)


def suspension_expired(obj: Object, event: lifecycle.SuspensionExpired, now: events.Now) -> Object:
    return parts.with_life(obj, suspension=None)


def task_never_started(obj: Object, event: lifecycle.TaskNeverStarted, now: events.Now) -> Object:
    if obj.task is not None:
        raise parts.IllegalEvent(f"{obj.key} has started already")
    ending = Ending(outcome=event.outcome, reason=event.reason, message=event.message, at=now)
    return parts.with_life(obj, unstarted=ending, suspension=None)
