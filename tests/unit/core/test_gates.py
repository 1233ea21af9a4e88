"""Gates that are no commands: what each lets through, in what order they are asked, and that none fires twice."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchctl.core import actions, events, judgements
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = "Task/default/fix"
HOUR_S, DAY_S = 3_600.0, 86_400.0


def pipeline(*gates: dict[str, Any], merge: tuple[dict[str, Any], ...] = (), limit: int = 0) -> events.ObjectAdmitted:
    again = {"onFailure": {"goto": "implement", "limit": limit}}
    stages = [
        {"name": "implement", "role": "coder", "gates": list(gates), **again},
        {"name": "merge", "merge": {}, "gates": list(merge), **again},
    ]
    return builders.admitted("Pipeline", "own", {"stages": stages})


def bench(*facts: events.Event, world: worlds.World | None = None, **spec: Any) -> worlds.Bench:
    made = builders.bench(*facts, world=world or worlds.World())
    projects = [fact for fact in facts if fact.key.startswith("Project/")]
    made.give(*([] if projects else [builders.project()]), builders.task(pipeline="own", **spec))
    return made


def ending(made: worlds.Bench) -> tuple[str, str]:
    task = made.object(TASK).task
    assert task is not None
    assert task.ended is not None, made.object(TASK).because
    return task.ended.outcome, task.ended.message


def gate(made: worlds.Bench, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = builders.body(made, TASK)["status"]["gates"]
    return next(one for one in found if one["name"] == name)


def landed(made: worlds.Bench) -> int:
    return len([one for one in made.world.done if isinstance(one, actions.LandWork)])


CHECKED: dict[str, Any] = {"checks": {}}
PASSING = [
    {"files": {"deny": ["manifests/**"], "allow": ["src/**"], "maxChanged": 3}},
    {"cel": {"expression": "diff.files < 3 && diff.paths.all(p, p.startsWith('src/'))"}},
    {"cel": {"expression": "evidence.checks.passed && evidence.checks.unit.exitCode == 0"}},
    {"cel": {"expression": "task.name == 'fix' && project.name == 'shop' && stages.implement.outcome == 'Running'"}},
]
FAILING = [
    ({"files": {"deny": ["src/**"]}}, "must not change src/a.py"),
    ({"files": {"allow": ["docs/**"]}}, "must not change src/a.py"),
    ({"files": {"maxChanged": 1}}, "changes 2 files, at most 1"),
    ({"cel": {"expression": "diff.files < 2"}}, "is false"),
    ({"cel": {"expression": "diff.nothing < 2"}}, "cannot be evaluated: KeyError"),
    ({"cel": {"expression": "1 / 0 > 2"}}, "cannot be evaluated: ZeroDivisionError"),
    ({"cel": {"expression": "diff.files"}}, "is int, not true or false"),
]


@pytest.mark.parametrize("passing", PASSING, ids=str)
def test_gate_3_a_gate_that_holds_lets_the_work_on(passing: dict[str, Any]) -> None:
    made = bench(pipeline(CHECKED, passing))
    assert ending(made)[0] == "Merged"
    (name,) = passing
    said = gate(made, name)
    assert (said["state"], said["type"], said["stage"]) == ("Passed", name, "implement")
    assert said["since"]


@pytest.mark.parametrize(("failing", "message"), FAILING, ids=str)
def test_gate_3_a_gate_that_does_not_hold_takes_the_failure_edge(failing: dict[str, Any], message: str) -> None:
    world = worlds.World(paths=("src/a.py", "src/b.py"))
    made = bench(pipeline(CHECKED, failing, limit=1), world=world)
    outcome, said = ending(made)
    assert outcome == "Failed"
    assert message in said
    assert landed(made) == 0
    (again,) = made.recorded(events.StageFailed)
    assert isinstance(again, events.StageFailed)
    assert message in again.feedback
    (name,) = failing
    assert gate(made, name)["state"] == "Failed"


def test_gate_3_all_red_gates_of_a_round_are_said_together() -> None:
    made = bench(pipeline({"files": {"deny": ["src/**"]}}, {"cel": {"expression": "diff.files > 9"}}))
    assert "gate files" in ending(made)[1]
    assert "gate cel" in ending(made)[1]


def test_gate_3_more_paths_than_are_kept_cannot_be_judged_by_their_names() -> None:
    world = worlds.World()
    execute = world.execute

    def huge(action: actions.Action) -> list[events.Event]:
        found = execute(action)
        return [dataclasses.replace(one, changed=500) if isinstance(one, events.WorkImported) else one for one in found]

    world.execute = huge  # type: ignore[method-assign]
    made = bench(pipeline({"cel": {"expression": "diff.paths.all(p, p.startsWith('src/'))"}}), world=world)
    assert "cannot be evaluated" in ending(made)[1]


GUARDED: dict[str, Any] = {"guardrails": {"commit": {"pattern": "^(fix|feat): .+$", "trailers": ["Task", "Attempt"]}}}
GOOD = "fix: say hello\n\nIt said goodbye.\n\nTask: fix\nAttempt: 1\n"


def test_app_7_commits_that_are_as_the_guardrails_say_pass_and_the_merge_is_one_of_them() -> None:
    world = worlds.World(messages=(GOOD,))
    made = bench(builders.project(**GUARDED), pipeline({"commit": {}}), world=world, title="fix: say hello")
    assert ending(made)[0] == "Merged"
    (merge,) = [one for one in world.done if isinstance(one, actions.MergeWork)]
    assert merge.message.startswith("fix: say hello\n\nTask: fix\n")
    assert merge.message.endswith("Attempt: 1\n")


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("Say hello\n\nTask: fix\nAttempt: 1\n", "does not match"),
        ("fix: say hello\n\nTask: fix\n", "no trailer Attempt"),
    ],
)
def test_app_7_a_commit_that_is_not_fails_the_gate_and_is_named(message: str, fault: str) -> None:
    world = worlds.World(messages=(GOOD, message))
    made = bench(builders.project(**GUARDED), pipeline({"commit": {}}), world=world, title="fix: say hello")
    assert fault in ending(made)[1]
    assert landed(made) == 0


def test_app_7_a_title_that_could_not_land_is_said_before_any_work() -> None:
    made = bench(builders.project(**GUARDED), pipeline(CHECKED))
    because = made.object(TASK).because
    assert because is not None
    assert (because.rule, because.waiting) == ("APP-7", "Guardrail")
    assert "spec.title" in because.unblock
    assert not made.world.done


def test_app_7_a_gate_about_commits_needs_a_rule_about_them() -> None:
    made = bench(pipeline({"commit": {}}))
    because = made.object(TASK).because
    assert because is not None
    assert "guardrails.commit" in because.unblock
    assert not made.world.done


def test_gate_5_a_delay_counts_from_the_round_before_it_and_ends_once() -> None:
    made = bench(pipeline(CHECKED, merge=({"delay": {"for": "10m"}},)))
    because = made.object(TASK).because
    assert because is not None
    assert (because.rule, because.waiting) == ("GATE-5", "Delay")
    assert gate(made, "delay")["state"] == "Waiting"
    made.wait(599)
    assert landed(made) == 0
    made.wait(1)
    assert ending(made)[0] == "Merged"
    said = [one.finding.state for one in made.recorded(judgements.GateJudged) if isinstance(one, judgements.GateJudged)]
    assert said == ["Waiting", "Passed"]


def test_gate_5_a_delay_does_not_begin_again_when_the_wall_clock_is_set() -> None:
    made = bench(pipeline(CHECKED, merge=({"delay": {"for": "10m"}},)))
    made.now = events.Now(at=made.now.at - DAY_S, t=made.now.t + 600)
    made.give()
    assert ending(made)[0] == "Merged"


def windowed(at: float) -> tuple[worlds.Bench, float]:
    """A merge behind a window of an hour a day that opens so many seconds from now, and when it opens."""
    world = worlds.World()
    world.window_opens = 1_800_000_000.0 + at
    rule = {"cron": "0 9 * * *", "duration": "1h", "timeZone": "Europe/Berlin"}
    return bench(pipeline(CHECKED, merge=({"window": rule},)), world=world), world.window_opens


def test_gate_5_an_open_window_lets_through_at_once() -> None:
    made, _ = windowed(-60.0)
    assert ending(made)[0] == "Merged"


def test_gate_5_a_window_opens_once_and_not_a_second_early() -> None:
    made, opens = windowed(HOUR_S)
    because = made.object(TASK).because
    assert because is not None
    assert because.waiting == "Window"
    made.wait(opens - made.now.at - 1)
    assert landed(made) == 0
    made.wait(1)
    assert ending(made)[0] == "Merged"


def test_time_2_a_window_that_was_slept_through_is_waited_for_again() -> None:
    made, opens = windowed(HOUR_S)
    made.wait(3 * HOUR_S)
    assert landed(made) == 0, "it is over"
    made.wait(opens + DAY_S - made.now.at)
    assert ending(made)[0] == "Merged"


def test_time_2_a_clock_set_back_looks_the_window_up_again() -> None:
    made, _ = windowed(HOUR_S)
    looked = [one for one in made.world.done if isinstance(one, actions.FindWindow)]
    made.now = events.Now(at=made.now.at - DAY_S, t=made.now.t + 60)
    made.world.window_opens -= DAY_S
    made.give()
    assert len([one for one in made.world.done if isinstance(one, actions.FindWindow)]) == len(looked) + 1
    made.wait(HOUR_S)
    assert ending(made)[0] == "Merged"


def test_time_2_the_wait_for_a_wall_time_is_looked_at_again_before_it_is_over() -> None:
    """The wall clock may be set forward while the controller sleeps: a minute is how late that is noticed."""
    made, _ = windowed(HOUR_S)
    assert made.machine.wake_at == made.now.t + 60
    count = len(made.log)
    made.wait(60)
    assert len(made.log) == count, "looking says nothing new"


def test_gate_5_a_window_that_closes_while_the_merge_waits_is_closed() -> None:
    made, opens = windowed(HOUR_S)
    made.world.dirty = ("src/a.py",)
    made.wait(opens - made.now.at)
    because = made.object(TASK).because
    assert because is not None
    assert because.waiting == "MergeQueue"
    made.wait(2 * HOUR_S)
    tries = landed(made)
    made.world.dirty = ()
    made.give(events.TargetCleaned(made.object(TASK).key))
    assert landed(made) == tries
    made.wait(opens + DAY_S - made.now.at)
    assert ending(made)[0] == "Merged"
