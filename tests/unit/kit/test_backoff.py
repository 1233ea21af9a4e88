"""Waiting between tries: it grows, is capped, and is the same for the same history."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies

from orchctl.kit import backoff


@hypothesis.settings(deadline=None, database=None)
@hypothesis.given(who=strategies.text(max_size=20), failures=strategies.integers(0, 1_000))
def test_a_delay_is_positive_capped_and_repeatable(who: str, failures: int) -> None:
    delay_s = backoff.delay_s(failures, who)
    assert backoff.FIRST_S <= delay_s <= backoff.LONGEST_S * (1 + backoff.SPREAD)
    assert backoff.delay_s(failures, who) == delay_s


def test_it_doubles_until_it_is_capped() -> None:
    for failures in range(1, 6):
        assert backoff.delay_s(failures, "a") >= backoff.FIRST_S * 2 ** (failures - 1)
    assert backoff.delay_s(50, "a") >= backoff.LONGEST_S


def test_who_waits_spreads_the_tries() -> None:
    assert len({backoff.delay_s(3, f"Task/default/t{n}") for n in range(50)}) > 25
