"""A running attempt, whoever's it is: let it work until its time is up or its owner wants it stopped."""

from __future__ import annotations

from orchctl.core import actions
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.proposal import Proposal
from orchctl.core.state import Attempt

CANCEL_GRACE_S = 5.0


def watch(attempt: Attempt, limit_s: float, now: Now, *, doing: str, stop: str = "") -> Proposal:
    """`stop` is why it should end now, empty to let it go on; `doing` is what to say meanwhile."""
    due = attempt.submitted.t + limit_s
    why = stop or (f"{attempt.purpose} {attempt.name} ran longer than {limit_s:g}s" if now.t >= due else "")
    if why and not attempt.cancelling:
        do = actions.CancelAttempt(attempt=attempt.id, grace_s=CANCEL_GRACE_S, reason=why)
        return Proposal(Because("TASK-2", why), do=do)
    because = Because("SES-3", doing, evidence=(f"attempt {attempt.id}",))
    return Proposal(because, wake_at=due if now.t < due else None)
