"""Makes a failing story smaller: leaves out what does not matter for the same thing to be broken.

Chance belongs to subjects and not to an order, so what stays in goes on as before wherever it can. Delta debugging:
halves first, then quarters, down to single parts.
"""

from __future__ import annotations

import dataclasses

from orchctl.testing.sim.scenario import Story
from orchctl.testing.sim.simulation import Simulation

RUNS_MAX = 200


def shrunk(story: Story, violation: str) -> Story:
    """The same seed with as few parts as still break the same invariant."""
    wanted = violation.split(":", 1)[0]
    parts, runs, size = story.parts(), 0, 0
    size = max(1, len(parts) // 2)
    while parts and runs < RUNS_MAX:
        smaller = None
        for start in range(0, len(parts), size):
            runs += 1
            left_out = parts[start : start + size]
            tried = dataclasses.replace(story, without=story.without | frozenset(left_out))
            if breaks(tried, wanted):
                smaller = tried
                break
        if smaller is not None:
            story, parts = smaller, smaller.parts()
            size = min(size, max(1, len(parts) // 2))
        elif size == 1:
            break
        else:
            size = max(1, size // 2)
    return story


def breaks(story: Story, invariant: str) -> bool:
    return any(one.split(":", 1)[0] == invariant for one in Simulation(story).run().violations)


def command(story: Story) -> str:
    left_out = f" --without {','.join(sorted(story.without))}" if story.without else ""
    return f"python -m orchctl.testing.sim --seed {story.seed}{left_out}"
