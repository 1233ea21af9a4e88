"""What a planted defect is: a patch, and the invariants of which at least one must be broken by it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from orchctl.core import events, evolve
from orchctl.testing.sim import simulation
from orchctl.testing.sim.scenario import Story

SEEDS_MAX = 120
replace = dataclasses.replace
Patch = Callable[[pytest.MonkeyPatch], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    found_by: tuple[str, ...]
    patch: Patch
    first: int  # the seed to begin with: rare meetings of faults are begun near


MUTANTS: list[Mutant] = []


def mutant(*found_by: str, first: int = 0) -> Callable[[Patch], Patch]:
    def add(patch: Patch) -> Patch:
        MUTANTS.append(Mutant(patch.__name__, found_by, patch, first))
        return patch

    return add


def wrapped(patch: pytest.MonkeyPatch, owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Puts `around(original, *args)` in the place of a function or method."""
    original = getattr(owner, name)

    def replaced(*args: Any, **named: Any) -> Any:
        return around(original, *args, **named)

    patch.setattr(owner, name, replaced)


def folding(patch: pytest.MonkeyPatch, event: type[events.Event], around: Callable[..., Any]) -> None:
    original = evolve._FOLDS[event]
    patch.setitem(evolve._FOLDS, event, lambda obj, one, now: around(original, obj, one, now))


def found_after(one: Mutant, seeds_max: int = SEEDS_MAX) -> tuple[int, str]:
    """How many seeds it took, and what was broken; 0 when it was not found."""
    with pytest.MonkeyPatch.context() as patch:
        one.patch(patch)
        for count in range(seeds_max):
            violations = simulation.Simulation(Story(one.first + count)).run().violations
            if violations:
                return count + 1, violations[0]
    return 0, ""
