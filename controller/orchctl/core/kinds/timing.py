"""What a Task's manifest says of the time on the wall: when it may start, and by when it has to be done (TIME-2).

Both are decided once and recorded: a clock that is set back undoes neither, and one that is set forward, or a
controller that was not running then, loses neither.
"""

from __future__ import annotations

from orchctl.core import lifecycle, resolve
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.folds import parts
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object
from orchctl.kit import timestamps


def start(obj: Object, now: Now) -> Proposal | None:
    """The wait for its time, or the record that it has come; None when nothing keeps it from starting."""
    assert obj.desired is not None
    wanted = resolve.task_spec(obj.desired.spec).start_after
    if wanted is None or obj.life.start_reached == wanted:
        return None
    if now.at >= timestamps.seconds(wanted):
        reached = lifecycle.StartTimeReached(obj.key, start_after=wanted)
        return Proposal(Because("TIME-2", f"its time to start, {wanted}, has come"), decisions=(reached,))
    unblock = f"edit or remove `spec.startAfter` in {obj.desired.path}:{obj.desired.line}"
    return Proposal(Because("TIME-2", f"it does not start before {wanted}", unblock=unblock, waiting="StartAfter"))


def missed(obj: Object, now: Now) -> str:
    """In words, that its deadline is over; empty while it is not."""
    due = _deadline(obj)
    if due is None or now.at < due:
        return ""
    return f"not done by its deadline, {timestamps.rfc3339(due)}"


def alarm(obj: Object, now: Now) -> float | None:
    """The next moment on the wall at which something is to be decided."""
    moments = [obj.life.suspension.until if obj.life.suspension is not None else None]
    if parts.ending_of(obj) is None:
        moments.append(_deadline(obj))
        moments.append(_start(obj) if obj.task is None else None)
    return min((one for one in moments if one is not None and one > now.at), default=None)


def _deadline(obj: Object) -> float | None:
    written = resolve.task_spec(obj.desired.spec).deadline if obj.desired is not None else None
    return timestamps.seconds(written) if written is not None else None


def _start(obj: Object) -> float | None:
    written = resolve.task_spec(obj.desired.spec).start_after if obj.desired is not None else None
    return timestamps.seconds(written) if written is not None else None
