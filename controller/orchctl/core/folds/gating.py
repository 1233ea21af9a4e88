"""What gates have said, and what they rest on."""

from __future__ import annotations

import dataclasses

from orchctl.core import events, judgements
from orchctl.core.folds import parts
from orchctl.core.state import Judged, Object

replace = dataclasses.replace


def gate_judged(obj: Object, event: judgements.GateJudged, now: events.Now) -> Object:
    """One record a gate. It is as old as the verdict: that the same is said of something else makes it new."""
    gating = parts.task(obj).gating
    new = event.finding
    kept, since = [], now
    for one in gating.judged:
        old = one.finding
        if (old.stage, old.gate) != (new.stage, new.gate):
            kept.append(one)
        elif old.state == new.state and old.subject.is_same_work(new.subject):
            since = one.since
    return parts.with_task(obj, gating=replace(gating, judged=(*kept, Judged(new, since))))


def window_found(obj: Object, event: events.WindowFound, now: events.Now) -> Object:
    obj = parts.closed(obj, event)
    gating = parts.task(obj).gating
    kept = tuple(one for one in gating.windows if (one.stage, one.gate) != (event.found.stage, event.found.gate))
    return parts.with_task(obj, gating=replace(gating, windows=(*kept, event.found)))


def approval_noted(obj: Object, event: judgements.ApprovalNoted, now: events.Now) -> Object:
    gating = parts.task(obj).gating
    return parts.with_task(obj, gating=replace(gating, approvals=(*gating.approvals, event.approval)))


def approval_judged(obj: Object, event: judgements.ApprovalJudged, now: events.Now) -> Object:
    return replace(obj, standing=event.standing)


def revoked_after_merge(obj: Object, event: judgements.RevokedAfterMerge, now: events.Now) -> Object:
    gating = parts.task(obj).gating
    return parts.with_task(obj, gating=replace(gating, revoked=(*gating.revoked, event.approval)))
