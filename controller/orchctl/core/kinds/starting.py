"""How a Task starts: what it runs with is resolved and pinned, or there is a reason why it waits."""

from __future__ import annotations

from orchctl.core import events, resolve
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.kinds import depending, ending, stopping, suspending, timing
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, Revision
from orchctl.core.view import View


def propose(view: View, obj: Object, now: Now, revision: Revision | None) -> Proposal:
    assert obj.desired is not None
    if obj.withdrawn:
        return ending.remove(obj)
    over = obj.life.unstarted
    if over is not None:
        return Proposal(ending.over(obj, over))
    before = stopping.unstarted(obj, now) or depending.record(view, obj)
    return before or suspending.hold(obj, None, _begin(view, obj, now, revision))


def _begin(view: View, obj: Object, now: Now, revision: Revision | None) -> Proposal:
    assert obj.desired is not None
    waits = depending.propose(view, obj) or timing.start(obj, now)
    if waits is not None:
        return waits
    try:
        plan = resolve.plan_of(view, obj, revision)
    except resolve.Unresolved as refusal:
        return Proposal(refusal.because)
    return Proposal(
        Because("TASK-3", "ready to start"),
        decisions=(events.TaskStarted(obj.key, plan=plan),),
        needs_slot=True,
    )
