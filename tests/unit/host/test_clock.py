"""Controller time: it goes on over restarts and reboots and never runs back (TIME-1)."""

from __future__ import annotations

import time

import pytest

from orchctl.adapters.host import clock as clocks
from orchctl.core.events import Now


class Hardware:
    """The machine's clocks, set by hand."""

    def __init__(self) -> None:
        self.boot, self.boottime, self.wall = "boot-1", 1_000.0, 1_800_000_000.0

    def goes_on(self, seconds: float) -> None:
        self.boottime += seconds
        self.wall += seconds

    def reboots(self, down_s: float) -> None:
        self.boot, self.boottime = f"{self.boot}+", 5.0
        self.wall += down_s


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch) -> Hardware:
    made = Hardware()
    monkeypatch.setattr(clocks, "boot_id", lambda: made.boot)
    monkeypatch.setattr(time, "clock_gettime", lambda which: made.boottime)
    monkeypatch.setattr(time, "time", lambda: made.wall)
    return made


def started(stored: str | None, last: Now | None) -> tuple[clocks.Clock, str]:
    anchor = clocks.anchored(stored, last)
    return clocks.Clock(anchor), anchor.encoded()


def test_the_first_start_begins_at_zero(hardware: Hardware) -> None:
    clock, _ = started(None, None)
    assert clock.now() == Now(at=1_800_000_000.0, t=0.0)
    hardware.goes_on(2.5)
    assert clock.now() == Now(at=1_800_000_002.5, t=2.5)


def test_a_restart_on_the_same_boot_counts_the_time_between(hardware: Hardware) -> None:
    clock, stored = started(None, None)
    hardware.goes_on(10)
    last = clock.now()
    hardware.goes_on(90)
    again, stored_again = started(stored, last)
    assert again.now().t == 100.0
    assert stored_again == stored


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_changed_wall_clock_changes_no_duration(hardware: Hardware, jump_s: float) -> None:
    clock, stored = started(None, None)
    hardware.goes_on(10)
    last = clock.now()
    hardware.wall += jump_s
    assert clock.now().t == 10.0
    again, _ = started(stored, last)
    assert again.now() == Now(at=1_800_000_010.0 + jump_s, t=10.0)


def test_after_a_reboot_the_wall_clock_says_how_long_it_was(hardware: Hardware) -> None:
    clock, stored = started(None, None)
    hardware.goes_on(10)
    last = clock.now()
    hardware.reboots(down_s=60)
    again, stored = started(stored, last)
    assert again.now().t == 70.0
    hardware.goes_on(5)
    assert again.now().t == 75.0
    third, _ = started(stored, again.now())
    assert third.now().t == 75.0


def test_after_a_reboot_with_a_wall_clock_gone_back_time_stands_but_never_runs_back(hardware: Hardware) -> None:
    clock, stored = started(None, None)
    hardware.goes_on(10)
    last = clock.now()
    hardware.reboots(down_s=-3_600)
    again, _ = started(stored, last)
    assert again.now().t == 10.0
    hardware.goes_on(1)
    assert again.now().t == 11.0


def test_a_ledger_without_an_anchor_goes_on_by_the_wall_clock(hardware: Hardware) -> None:
    again, _ = started(None, Now(at=hardware.wall - 30.0, t=7.0))
    assert again.now().t == 37.0


def test_the_real_clocks_agree_with_each_other() -> None:
    clock, _ = started(None, None)
    first, before = clock.now(), time.time()
    assert 0.0 <= first.t < 5.0
    assert abs(first.at - before) < 5.0
    assert clock.now().t >= first.t
    assert len(clocks.boot_id()) == 36
