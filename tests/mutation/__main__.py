"""`python -m tests.mutation`: breaks the core in a seeded sample of places and says which of them no test noticed."""

from __future__ import annotations

import argparse
import collections
import random
import sys
import tempfile
import time
from concurrent import futures
from pathlib import Path

from tests.mutation import covering, running, sites

SUITES = ("tests/unit/core", "tests/unit/app", "tests/unit/cli")
PACKAGE = "core"
CONTROLS = 5


def main() -> int:
    options = _options()
    mutants = chosen(options.sample, options.seed, options.only)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        lines = covering.measure(Path(folder), SUITES)
    asked = [(mutant, lines.tests(mutant.path, mutant.site.line)) for mutant in mutants if mutant.site is not None]
    warm()
    _control(asked)
    began = time.monotonic()
    # A fork needs a process without threads: each worker is one, and forks for each mutant.
    with futures.ProcessPoolExecutor(options.workers) as pool:
        verdicts = list(pool.map(running.judge, *zip(*asked, strict=True), chunksize=4))
    counts = collections.Counter(verdicts)
    for (mutant, _), verdict in zip(asked, verdicts, strict=True):
        if verdict in ("survived", "uncovered"):
            print(f"{verdict}: {mutant}")
    rate = 100.0 * (counts["killed"] + counts["hangs"]) / len(verdicts)
    print(f"{len(verdicts)} mutants, seed {options.seed}, {time.monotonic() - began:.0f} s: {dict(counts)}")
    print(f"kill rate {rate:.1f} %, at least {options.least:g} % wanted")
    return 0 if rate >= options.least else 1


def _control(asked: list[tuple[running.Mutant, list[str]]]) -> None:
    """A module that is put in the place of another but is whole must be noticed by no test."""
    for mutant, tests in [(mutant, tests) for mutant, tests in asked if tests][:CONTROLS]:
        whole = running.Mutant(mutant.path, None)
        if running.judge(whole, tests) != "survived":
            raise SystemExit(f"{whole}: its tests fail without any defect, so no verdict here would mean anything")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=1_000, help="how many of all places")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--least", type=float, default=85.0, help="per cent that must be noticed")
    parser.add_argument("--only", default="", help="modules whose path holds this")
    return parser.parse_args()


def chosen(sample: int, seed: int, only: str = "") -> list[running.Mutant]:
    """A sample of all places in the core, the same for the same seed and source."""
    every = [
        running.Mutant(path, site)
        for path in running.modules(PACKAGE)
        if only in str(path)
        for site in sites.sites(path.read_text(encoding="utf-8"))
    ]
    return random.Random(seed).sample(every, min(sample, len(every)))


def warm() -> None:
    """What every child needs and no mutant is in; imported once, before the first fork."""
    import hypothesis
    import hypothesis.strategies
    import pydantic
    import pytest

    import orchctl.api.registry

    assert all((hypothesis, pydantic, pytest, orchctl.api.registry))


if __name__ == "__main__":
    sys.exit(main())
