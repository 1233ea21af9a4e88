"""The edges of windows: across nights, time zones and the two days a year on which a day has no 24 hours."""

import datetime

import pytest

from orchctl.adapters.host import windows
from orchctl.core import ports

BERLIN = "Europe/Berlin"
HOUR_S = 3_600


def at(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("cron", "hours", "now", "opens"),
    [
        ("0 9 * * 1-5", 8, "2026-11-23T08:59:59+01:00", "2026-11-23T09:00:00+01:00"),
        ("0 9 * * 1-5", 8, "2026-11-23T09:00:00+01:00", "2026-11-23T09:00:00+01:00"),
        ("0 9 * * 1-5", 8, "2026-11-23T16:59:59+01:00", "2026-11-23T09:00:00+01:00"),
        ("0 9 * * 1-5", 8, "2026-11-23T17:00:00+01:00", "2026-11-24T09:00:00+01:00"),
        ("0 22 * * *", 8, "2026-11-24T05:00:00+01:00", "2026-11-23T22:00:00+01:00"),
        ("0 9 * * mon-fri", 8, "2026-11-21T12:00:00+01:00", "2026-11-23T09:00:00+01:00"),
        ("0 9 * * 6,7", 8, "2026-11-20T12:00:00+01:00", "2026-11-21T09:00:00+01:00"),
        ("0 9 * * 0", 8, "2026-11-21T12:00:00+01:00", "2026-11-22T09:00:00+01:00"),
        ("0 9 * * */2", 8, "2026-11-23T12:00:00+01:00", "2026-11-24T09:00:00+01:00"),
        ("0 9 * * 5-1", 8, "2026-11-24T08:00:00+01:00", "2026-11-27T09:00:00+01:00"),
        ("0 9 * * *", 8, "2026-10-24T20:00:00+02:00", "2026-10-25T09:00:00+01:00"),
    ],
)
def test_gate_5_the_window_that_is_open_else_the_next(cron, hours, now, opens):
    assert windows.edges(cron, BERLIN, hours * HOUR_S, at(now)) == (at(opens), at(opens) + hours * HOUR_S)


def test_gate_5_a_schedule_that_never_comes_is_said():
    with pytest.raises(ports.PermanentError, match="never comes"):
        windows.edges("0 9 30 2 *", "UTC", HOUR_S, at("2026-11-23T09:00:00+00:00"))
