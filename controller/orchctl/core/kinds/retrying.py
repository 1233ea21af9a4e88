"""What follows a failed effect, the same for every kind: wait a while that grows, then the kind proposes it again."""

from __future__ import annotations

from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object
from orchctl.kit import backoff

LOOK_AGAIN_S = 600.0  # after a failure that only a person can end: how soon it is noticed that one has


def hold(obj: Object, now: Now, rule: str) -> Proposal | None:
    """The wait after the last failure, or None when there was none or the wait is over."""
    failure = obj.failures
    if failure is None:
        return None
    due = failure.last.t + backoff.delay_s(failure.count, obj.key)
    if now.t >= due:
        return None
    because = Because(rule, _text(obj), unblock="it is tried again by itself")
    return Proposal(because, wake_at=due)


def hold_clean_up(obj: Object, now: Now, rule: str, verb: str) -> Proposal | None:
    """As `hold`, for the removal of things nobody works with any more: never given up, and no reason to stay awake.

    Failures of other effects are history by then: only those of `verb` count.
    """
    failure = obj.failures
    if failure is None or failure.verb != verb:
        return None
    if failure.transient:
        return hold(obj, now, rule)
    due = failure.last.t + LOOK_AGAIN_S
    if now.t >= due:
        return None
    return Proposal(Because(rule, _text(obj), unblock="nothing of it is removed meanwhile"), wake_at=due, resting=True)


def _text(obj: Object) -> str:
    assert obj.failures is not None
    times = f" {obj.failures.count} times" if obj.failures.count > 1 else ""
    return f"{obj.failures.verb} failed{times}: {obj.failures.message}"
