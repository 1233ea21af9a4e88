"""How a Task starts: what it runs with is resolved and pinned, or there is a reason why it waits."""

from __future__ import annotations

from orchctl.core import events, resolve
from orchctl.core.because import Because
from orchctl.core.kinds import ending, stopping, suspending
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, Revision
from orchctl.core.view import View


def propose(view: View, obj: Object, revision: Revision | None) -> Proposal:
    assert obj.desired is not None
    if obj.withdrawn:
        return ending.remove(obj)
    over = obj.life.unstarted
    if over is not None:
        return Proposal(Because("TASK-2", over.message))
    return stopping.unstarted(obj) or suspending.hold(obj, None, _begin(view, obj, revision))


def _begin(view: View, obj: Object, revision: Revision | None) -> Proposal:
    assert obj.desired is not None
    try:
        plan = resolve.plan_of(view, obj, revision)
    except resolve.Unresolved as refusal:
        return Proposal(refusal.because)
    return Proposal(
        Because("TASK-3", "ready to start"),
        decisions=(events.TaskStarted(obj.key, plan=plan),),
        needs_slot=True,
        priority=resolve.task_spec(obj.desired.spec).priority,
    )
