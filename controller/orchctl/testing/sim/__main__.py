"""`python -m orchctl.testing.sim --seed N`: run one seed, or a range of them, and say what was broken.

`--shrink` leaves out faults, acts and tasks one after the other as long as the same thing stays broken, and prints
the command that shows it again.
"""

from __future__ import annotations

import argparse
import sys
import time

from orchctl.testing.sim import shrinking
from orchctl.testing.sim.scenario import Story
from orchctl.testing.sim.simulation import STEPS_MAX, Result, Simulation


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m orchctl.testing.sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--steps", type=int, default=STEPS_MAX, help="the most steps of one seed")
    parser.add_argument("--without", default="", help="parts to leave out: fault:late,act:3,task:t1")
    parser.add_argument("--trace", action="store_true", help="print every event, one a line")
    parser.add_argument("--shrink", action="store_true", help="make a failing seed smaller")
    options = parser.parse_args(argv)
    without = frozenset(part for part in options.without.split(",") if part)
    show = print if options.trace else None
    began, steps, broken = time.process_time(), 0, 0
    for seed in range(options.seed, options.seed + options.seeds):
        story = Story(seed, without)
        result = Simulation(story, options.steps, show).run()
        steps += result.steps
        if result.violations:
            broken += 1
            print("\n".join(_report(result, story)))
            if options.shrink:
                small = shrinking.shrunk(story, result.violations[0])
                print(f"  again: {shrinking.command(small)}")
        elif options.seeds == 1:
            print(_summary(result))
    took_s = time.process_time() - began
    if options.seeds > 1:
        print(
            f"{options.seeds} seeds, {broken} broken, {steps} steps, {steps / took_s:.0f} steps per second of CPU time"
        )
    return 1 if broken else 0


def _report(result: Result, story: Story) -> list[str]:
    return [f"seed {result.seed}: {violation}" for violation in result.violations] + [
        f"  again: {shrinking.command(story)}"
    ]


def _summary(result: Result) -> str:
    ends = ", ".join(f"{task} {outcome}" for task, outcome in result.outcomes)
    faults = ", ".join(f"{fault} {count}" for fault, count in result.struck)
    return (
        f"seed {result.seed}: {result.steps} steps, {result.events} events, {result.virtual_s:.0f}s virtual, "
        f"trace {result.digest}\n  tasks: {ends}\n  faults: {faults or 'none'}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
