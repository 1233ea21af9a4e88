"""A controller killed three times at points drawn by chance, while it does one thing (F1): all has happened just once.

A seed names the three points; the test that fails names its seed, and prints where it was killed.
"""

from __future__ import annotations

import random
import signal

import pytest

from tests.e2e import sandbox
from tests.e2e.test_crashes import crash
from tests.e2e.test_crashes_asked import SCENARIOS, verify

SEEDS = 20
SEEDS_SOAK = 300
KILLS = 3
# How many points a controller passes that is not killed, about: beyond it none is passed and the run just ends.
PASSED = {"retry": 72, "cancel": 10, "suspend": 16, "resume": 42, "approval": 44, "chain": 196, "touches": 134}


def killed_thrice(box: sandbox.Sandbox, seed: int) -> None:
    """Three places in the whole of the work; as each start begins to count anew, it is the gaps that are counted."""
    chance = random.Random(seed)
    name = chance.choice(sorted(SCENARIOS))
    places = sorted(chance.sample(range(1, PASSED[name]), KILLS))
    gaps = [place - before for place, before in zip(places, [0, *places], strict=False)]
    print(f"seed {seed}: {name}, killed at the points {gaps}")
    SCENARIOS[name].prepare(box)
    codes = [crash(box, "--nth", str(gap)) for gap in gaps]
    print(f"ended with {codes}")
    assert codes[0] == -signal.SIGKILL, "the first place is always passed"
    assert set(codes) <= {-signal.SIGKILL, 0}
    box.until_idle()
    verify(box, SCENARIOS[name])


def test_f1_every_scenario_has_its_number_of_points() -> None:
    assert set(PASSED) == set(SCENARIOS)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_f1_three_kills_by_chance_lose_and_repeat_nothing(box: sandbox.Sandbox, seed: int) -> None:
    killed_thrice(box, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEEDS, SEEDS + SEEDS_SOAK))
def test_f1_three_kills_by_chance_again_and_again(box: sandbox.Sandbox, seed: int) -> None:
    killed_thrice(box, seed)
