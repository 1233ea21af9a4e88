"""Each defect put into the production code is found, and by the invariant it breaks."""

import pytest

from tests.sim import mutants


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_the_mutant_is_found(mutant):
    seeds, violation = mutants.found_after(mutant)
    assert seeds, f"not found in {mutants.SEEDS_MAX} seeds"
    assert violation.split(":", 1)[0] in mutant.found_by, violation


def test_most_mutants_are_found_by_an_invariant_and_not_by_an_exception():
    by_exception = [one.name for one in mutants.MUTANTS if one.found_by[0] == "X1"]
    assert len(mutants.MUTANTS) >= 24
    assert len(by_exception) * 5 < len(mutants.MUTANTS)
