"""The gates that wait for a time: `delay` and `window` (GATE-5).

A delay counts controller time from when it was first asked, which is recorded. A window is told by its next edges,
which are looked up outside and recorded too; here they are only compared with the one `now` of the turn.
"""

from __future__ import annotations

from orchctl.core.events import Now
from orchctl.core.gates import verdicts
from orchctl.core.judgements import FoundWindow
from orchctl.core.plan import WindowRule
from orchctl.kit import timestamps


def judge_delay(seconds: int, before: verdicts.Finding | None, now: Now) -> verdicts.Passed | verdicts.Waiting:
    """`before` is what this gate said of the same work, if anything."""
    until = before.until_t if before is not None and before.until_t is not None else now.t + seconds
    if now.t >= until:
        return verdicts.Passed(f"{seconds}s are over", until_t=until)
    return verdicts.Waiting(
        "Delay", f"waits {seconds}s before it goes on", "GATE-5", unblock="it goes on by itself", until_t=until
    )


def judge_window(
    rule: WindowRule, found: FoundWindow | None, now: Now
) -> verdicts.Passed | verdicts.Waiting | verdicts.Unknown:
    """Unknown when the edges have to be looked up: never yet, that window is over, or the clock was set back."""
    if found is None or now.at >= found.closes or now.at < found.asked:
        return verdicts.Unknown()
    if now.at >= found.opens:
        return verdicts.Passed(f"the window is open until {timestamps.rfc3339(found.closes)}")
    return verdicts.Waiting(
        "Window",
        f"the window `{rule.cron}` ({rule.time_zone}) opens at {timestamps.rfc3339(found.opens)}",
        "GATE-5",
        unblock="it goes on by itself",
        until_at=found.opens,
    )
