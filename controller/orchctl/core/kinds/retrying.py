"""What follows a failed effect, the same for every kind: wait a while that grows, then the kind proposes it again."""

from __future__ import annotations

from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object
from orchctl.kit import backoff


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


def given_up(obj: Object, rule: str) -> Proposal | None:
    """The rest after a failure that trying again does not change: a person has to look."""
    if obj.failures is None or obj.failures.transient:
        return None
    return Proposal(Because(rule, _text(obj), unblock="look at it by hand: nothing of it is removed"))


def _text(obj: Object) -> str:
    assert obj.failures is not None
    times = f" {obj.failures.count} times" if obj.failures.count > 1 else ""
    return f"{obj.failures.verb} failed{times}: {obj.failures.message}"
