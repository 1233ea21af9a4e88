"""The simulator on many seeds, and what makes it worth believing: it repeats itself, and it can be made smaller.

How many seeds: SIM_SEEDS, as `make soak SEEDS=50000` sets it; the seeds that once found a defect always run.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchctl.testing.sim import shrinking
from orchctl.testing.sim.scenario import Story
from orchctl.testing.sim.simulation import Result, Simulation
from tests.sim import seeds
from tests.sim.mutants import MUTANTS
from tests.tidy.sources import ROOT


def run(story: Story) -> Result:
    return Simulation(story).run()


def assert_clean(result: Result, story: Story) -> None:
    again = f"again: {shrinking.command(story)}"
    assert not result.violations, "\n".join([*result.violations, again])


@pytest.mark.parametrize("first", range(0, seeds.GATE, seeds.AT_ONCE))
def test_no_invariant_is_broken(first):
    for seed in range(first, first + seeds.AT_ONCE):
        assert_clean(run(Story(seed)), Story(seed))


@pytest.mark.soak
def test_no_invariant_is_broken_in_many_more_seeds():
    steps = 0
    for seed in range(seeds.GATE, seeds.GATE + int(os.environ.get("SIM_SEEDS", "50000"))):
        result = run(Story(seed))
        steps += result.steps
        assert_clean(result, Story(seed))


@pytest.mark.parametrize("story", seeds.kept(), ids=shrinking.command)
def test_what_was_found_once_stays_found(story):
    assert_clean(run(story), story)


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_i15_hostile_objects_change_nothing_for_the_others(first):
    for seed in range(first, first + 10):
        alone = run(Story(seed, calm=True))
        beside = run(Story(seed, calm=True, hostile=True))
        assert not alone.violations + beside.violations
        others = [pair for pair in beside.outcomes if not pair[0].startswith("hostile")]
        assert others == list(alone.outcomes), seed


def test_a_seed_is_one_run_wherever_it_runs():
    """Neither hashing nor what ran before in the process may matter."""
    wanted = run(Story(5)).digest
    run(Story(6))
    assert run(Story(5)).digest == wanted
    for hash_seed in ("0", "4711"):
        done = subprocess.run(
            [sys.executable, "-m", "orchctl.testing.sim", "--seed", "5"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "controller")},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        assert f"trace {wanted}" in done.stdout


def test_the_trace_says_every_event(capsys):
    lines: list[str] = []
    result = Simulation(Story(5), trace=lines.append).run()
    assert sum(line.startswith("#") for line in lines) >= result.events


def test_faults_strike_and_agents_work_in_the_gate():
    """A gate in which nothing goes wrong, or nothing goes well, would prove nothing."""
    struck: dict[str, int] = {}
    ends: dict[str, int] = {}
    for seed in range(60):
        result = run(Story(seed))
        for fault, count in result.struck:
            struck[fault] = struck.get(fault, 0) + count
        for _, outcome in result.outcomes:
            ends[outcome] = ends.get(outcome, 0) + 1
    from orchctl.testing.sim.faults import FAULTS

    assert set(FAULTS) - set(struck) <= {"offline"}, "offline is no strike but a stretch of time"
    assert ends["Merged/Merged"] > 60
    assert len(ends) > 8


def test_a_failing_seed_is_made_smaller():
    guard = next(one for one in MUTANTS if one.name == "dirty_files_are_landed_over")
    with pytest.MonkeyPatch.context() as patch:
        guard.patch(patch)
        story = next(Story(seed) for seed in range(60) if shrinking.breaks(Story(seed), "MRG-5"))
        small = shrinking.shrunk(story, "MRG-5: ...")
        assert shrinking.breaks(small, "MRG-5")
        assert len(small.parts()) < len(story.parts())
        assert shrinking.command(small).startswith(f"python -m orchctl.testing.sim --seed {story.seed} --without ")


def test_the_track_record_names_every_seed_kept():
    said = Path(ROOT / "controller/docs/track-record.md").read_text(encoding="utf-8")
    for story in seeds.kept():
        assert f"`{story.seed}`" in said
