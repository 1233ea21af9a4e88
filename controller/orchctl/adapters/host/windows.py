"""When a window of a schedule opens and closes, in wall time: the calendar and the time zones are looked up here.

Called by the effect runner; the answer is recorded, so that a later release of the zone data changes no decision that
was made. The same question gets the same answer.
"""

from __future__ import annotations

import datetime
import zoneinfo

from apscheduler.triggers.cron import CronTrigger

from orchctl.core.ports import PermanentError
from orchctl.kit import schedules


def edges(cron: str, time_zone: str, duration_s: int, at: float) -> tuple[float, float]:
    """(opens, closes) of the first window that is not over at `at`: the one that is open then, or the next one."""
    trigger = CronTrigger.from_crontab(schedules.named_days(cron), timezone=zoneinfo.ZoneInfo(time_zone))
    earliest = datetime.datetime.fromtimestamp(at - duration_s, tz=datetime.UTC) + datetime.timedelta(microseconds=1)
    found = trigger.get_next_fire_time(None, earliest)
    if found is None:
        raise PermanentError(f"the schedule `{cron}` never comes: no window of it will open")
    opens = found.timestamp()
    return opens, opens + duration_s
