"""A controller killed with -9 around what people ask of it and around Tasks that wait for each other (F1, TASK-4).

Requests are left in the inbox while no controller runs, so at which point the next one is killed is exact. `Fact`
points are around the record of a request or of the end of an agent; the others are those around an effect.
"""

from __future__ import annotations

import dataclasses
import pathlib
import signal
from collections.abc import Callable

import pytest

from orchctl.core import actions
from orchctl.testing import crashes
from tests.e2e import sandbox
from tests.e2e.test_approvals import PIPELINE
from tests.e2e.test_crashes import crash, left_over, verify_ledger


def killed(box: sandbox.Sandbox, point: str) -> None:
    assert crash(box, "--at", point) == -signal.SIGKILL, "the point was passed"


def failed(box: sandbox.Sandbox) -> pathlib.Path:
    """A Task that has failed, mended, and the request to go on with it. Returns the file that counts runs."""
    runs = box.root / "runs"
    box.write("manifests/task.yaml", sandbox.task(f"append {runs} run", "replace greet.sh goodbye hullo"))
    box.commit("Ask for a greeting")
    box.until_idle()
    assert box.summary("fix") == "Failed"
    box.write("manifests/task.yaml", sandbox.task(f"append {runs} run", "replace greet.sh hullo hello"))
    box.commit("Spell it right")
    box.orchctl("retry", "fix")
    return runs


def working(box: sandbox.Sandbox) -> pathlib.Path:
    """A Task whose agent was left alone at work; it goes on to `go`, which is returned."""
    go = box.root / "go"
    script = (f"append {box.root / 'runs'} run", f"wait-for {go} 60", "replace greet.sh goodbye hello")
    box.write("manifests/task.yaml", sandbox.task(*script))
    box.commit("Ask for a greeting")
    killed(box, "RunAgent:1:after-outcome")
    sandbox.until((box.root / "runs").exists, "the agent works")
    return go


def cancelled(box: sandbox.Sandbox) -> None:
    working(box)
    box.orchctl("cancel", "fix", "--mode", "Now")


def suspended(box: sandbox.Sandbox) -> None:
    go = working(box)
    box.orchctl("suspend", "fix")
    go.touch()


def resumed(box: sandbox.Sandbox) -> None:
    suspended(box)
    box.until_idle()
    assert box.summary("fix") == "Suspended"
    box.orchctl("resume", "fix")


def approved(box: sandbox.Sandbox) -> None:
    script = (f"append {box.root / 'runs'} run", "replace greet.sh goodbye hello")
    box.write("manifests/task.yaml", sandbox.task(*script, extra="  pipeline: asked\n") + PIPELINE)
    box.commit("Ask for a greeting")
    box.until_idle()
    assert box.summary("fix") == "Waiting(Approval)"
    box.orchctl("approve", "fix", "--commit")


def chained(box: sandbox.Sandbox) -> None:
    """Each Task needs the file of the one before it."""
    box.write("greet.sh", "echo hello\n")
    for name, before in (("a", ""), ("b", "a"), ("c", "b")):
        there = [f"run test -f {before}.txt"] if before else []
        extra = f"  title: Add {name}\n" + (f"  dependsOn: [{{task: {before}}}]\n" if before else "")
        script = (f"append {box.root / 'runs'} {name}", *there, f"write {name}.txt {name}")
        box.write(f"manifests/{name}.yaml", sandbox.task(*script, name=name, extra=extra))
    box.commit("Ask for three files")


def taking_turns(box: sandbox.Sandbox) -> None:
    """Two Tasks mean to change the same folder: the second begins when the first has landed."""
    box.write("greet.sh", "echo hello\n")
    for name, priority in (("a", 1), ("b", 0)):
        extra = f"  title: Add {name}\n  touches: [src/**]\n  priority: {priority}\n"
        script = (f"append {box.root / 'runs'} {name}", f"append src/all.txt {name}")
        box.write(f"manifests/{name}.yaml", sandbox.task(*script, name=name, extra=extra))
    box.commit("Ask for two lines")


GREETING = "Make the greeting say hello."


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What is left to be done when the controller starts that is killed, at which points, and what comes of it."""

    prepare: Callable[[sandbox.Sandbox], object]
    around: tuple[str, ...]  # `Name:n`, an effect or a fact
    merged: tuple[str, ...]  # what we merged, newest first
    runs: tuple[str, ...]  # what the runs of agents wrote, each just once
    ends: dict[str, str]

    @property
    def points(self) -> list[str]:
        return [
            f"{name}:{moment}"
            for name in self.around
            for moment in (crashes.MOMENTS if name.split(":")[0] in actions.EFFECTS else crashes.RECORD)
        ]


MERGED = {"fix": "Merged"}
SCENARIOS = {
    "retry": Scenario(failed, ("RetryRequested:1", "RunAgent:1", "ImportWork:1"), (GREETING,), ("run",) * 4, MERGED),
    "cancel": Scenario(
        cancelled, ("CancelRequested:1", "CancelAttempt:1", "AttemptEnded:1"), (), ("run",), {"fix": "Cancelled"}
    ),
    "suspend": Scenario(
        suspended, ("SuspendRequested:1", "AttemptEnded:1", "CommitLeftovers:1"), (), ("run",), {"fix": "Suspended"}
    ),
    "resume": Scenario(resumed, ("ResumeRequested:1", "CreateRoom:1"), (GREETING,), ("run",), MERGED),
    "approval": Scenario(approved, ("ObjectAdmitted:1", "MergeWork:1", "LandWork:1"), (GREETING,), ("run",), MERGED),
    "chain": Scenario(
        chained,
        ("LandWork:1", "CreateTree:2", "RunAgent:2"),
        ("Add c", "Add b", "Add a"),
        ("a", "b", "c"),
        dict.fromkeys("abc", "Merged"),
    ),
    "touches": Scenario(
        taking_turns, ("LandWork:1", "RunAgent:2"), ("Add b", "Add a"), ("a", "b"), dict.fromkeys("ab", "Merged")
    ),
}
POINTS = [(name, point) for name, scenario in SCENARIOS.items() for point in scenario.points]


def verify(box: sandbox.Sandbox, scenario: Scenario) -> None:
    """The world: which agents ran and how often, what was merged, in which order; and then the ledger."""
    assert (box.root / "runs").read_text().split() == list(scenario.runs)
    assert box.git("log", "--author=orchctl", "--format=%s").splitlines() == list(scenario.merged)
    assert box.git("rev-list", "--merges", "--count", "main") == "0"
    assert box.git("status", "--porcelain") == ""
    assert sandbox.marked_processes(box.root) == []
    assert list((box.state / "inbox/new").glob("*")) == [], "each request was answered"
    if set(scenario.ends.values()) == {"Merged"}:
        assert left_over(box) == []
    verify_ledger(box, **scenario.ends)


@pytest.mark.parametrize(("name", "point"), POINTS, ids=[f"{name}-{point}" for name, point in POINTS])
def test_f1_a_kill_around_what_was_asked_or_waited_for_loses_and_repeats_nothing(
    box: sandbox.Sandbox, name: str, point: str
) -> None:
    scenario = SCENARIOS[name]
    scenario.prepare(box)
    killed(box, point)
    box.until_idle()
    verify(box, scenario)


@pytest.mark.parametrize("name", SCENARIOS)
def test_f1_each_of_these_goes_the_same_way_when_nothing_is_killed(box: sandbox.Sandbox, name: str) -> None:
    scenario = SCENARIOS[name]
    scenario.prepare(box)
    box.until_idle()
    verify(box, scenario)
