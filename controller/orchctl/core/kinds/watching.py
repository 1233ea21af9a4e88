"""A running attempt, whoever's it is: let it work until its time is up or its owner wants it stopped."""

from __future__ import annotations

import dataclasses

from orchctl.core import actions
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.proposal import Proposal
from orchctl.core.state import Attempt

CANCEL_GRACE_S = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Stop:
    """Why it should end now, and how long it is given for that."""

    why: str
    grace_s: float = CANCEL_GRACE_S


def watch(attempt: Attempt, limit_s: float, now: Now, *, doing: str, stop: Stop | None = None) -> Proposal:
    """`stop` is None to let it go on; `doing` is what to say meanwhile."""
    due = attempt.submitted.t + limit_s
    why = (
        stop.why
        if stop is not None
        else (f"{attempt.purpose} {attempt.name} ran longer than {limit_s:g}s" if now.t >= due else "")
    )
    if why and not attempt.cancelling:
        do = actions.CancelAttempt(
            attempt=attempt.id, grace_s=stop.grace_s if stop is not None else CANCEL_GRACE_S, reason=why
        )
        return Proposal(Because("TASK-2", why), do=do)
    because = Because("SES-3", doing, evidence=(f"attempt {attempt.id}",))
    return Proposal(because, wake_at=due if now.t < due else None)
