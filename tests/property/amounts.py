"""On how many generated examples a property is tried: a few hundred in every run, thousands in a soak."""

from __future__ import annotations

import hypothesis
import pytest

NORMAL = 200
SOAK = 5_000


def tried(normal: int = NORMAL, soak: int = SOAK) -> pytest.MarkDecorator:
    """Gives a test its `examples`, once for a normal run and once for `make soak`."""
    return pytest.mark.parametrize(
        "examples", [pytest.param(normal, id="normal"), pytest.param(soak, id="soak", marks=pytest.mark.soak)]
    )


def of(examples: int) -> hypothesis.settings:
    """Nothing is stored between runs, and no example has a time limit of its own: the machine may be busy."""
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
