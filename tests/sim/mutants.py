"""All planted defects: the proof that the oracles see.

`python -m tests.sim.mutants` prints after how many seeds each was found.
"""

from __future__ import annotations

import sys

from tests.sim import planted_decisions, planted_work
from tests.sim.planting import MUTANTS, SEEDS_MAX, found_after

__all__ = ["MUTANTS", "SEEDS_MAX", "found_after", "planted_decisions", "planted_work"]


def main() -> int:
    missed = 0
    for one in MUTANTS:
        seeds, violation = found_after(one)
        right = violation.split(":", 1)[0] in one.found_by
        missed += not right
        print(f"{'ok  ' if right else 'MISS'} {one.name}: {seeds} seeds: {violation[:110]}", flush=True)
    print(f"{len(MUTANTS)} mutants, {missed} not found as they should be")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
