"""A Task that goes on after its end (TASK-4): where, with what, and what it must not lose or use twice."""

from __future__ import annotations

import pytest

from orchctl.core import actions, events, lifecycle
from orchctl.core.ids import Key
from orchctl.core.ports import Phase
from orchctl.core.state import TaskState
from orchctl.testing import worlds
from tests.unit.core import asking, builders, places

TASK = "Task/default/fix"


def task(bench: worlds.Bench) -> TaskState:
    found = bench.object(TASK).task
    assert found is not None
    return found


def runs(bench: worlds.Bench) -> list[actions.RunAgent]:
    return [one for one in bench.world.done if isinstance(one, actions.RunAgent)]


def heal(bench: worlds.Bench) -> None:
    bench.world.exits = lambda effect: 0
    bench.world.fail = lambda effect: ""
    bench.world.conflicts = ()


def test_task_4_a_failed_task_goes_on_in_its_stage_and_its_attempts_go_on_being_counted() -> None:
    bench = places.failed()
    assert [run.number for run in runs(bench)] == [1, 2, 3]
    heal(bench)
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert [run.number for run in runs(bench)] == [1, 2, 3, 4]
    assert len({run.attempt for run in runs(bench)}) == 4
    assert "check unit failed" in runs(bench)[3].prompt, "it is told why its work was not accepted"
    assert len(builders.body(bench, TASK)["status"]["sessions"]) == 4
    assert [one.verb for one in bench.world.done].count("CreateTree") == 1, "it works in the worktree it has"
    assert bench.object(TASK).stalled == ""


def test_task_4_a_retry_has_the_whole_limit_of_its_loops_again() -> None:
    bench = places.failed()
    bench.give(asking.retry())
    assert [run.number for run in runs(bench)] == [1, 2, 3, 4, 5, 6]
    assert task(bench).ended is not None


def test_mrg_2_a_conflict_that_is_gone_lands_without_another_run_of_the_agent() -> None:
    bench = places.conflicting()
    heal(bench)
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert len(runs(bench)) == 1


def test_task_4_from_stage_goes_further_back_and_never_past_one_that_has_not_passed() -> None:
    bench = places.conflicting()
    heal(bench)
    assert asking.refusal(bench, asking.retry("deploy")) == "it has no stage deploy: its stages are implement, merge"
    bench.give(asking.retry("implement"))
    assert [run.number for run in runs(bench)] == [1, 2]
    assert "conflicts with" in runs(bench)[1].prompt
    other = places.failed()
    said = "stage merge comes after implement, which has not passed"
    assert asking.refusal(other, asking.retry("merge")) == said


def test_task_5_an_edit_of_the_work_is_taken_up_from_the_first_stage() -> None:
    bench = places.conflicting()
    bench.give(places.edited(bench, title="Another"))
    accepted = next(one for one in bench.object(TASK).conditions if one.type == "Accepted")
    assert accepted.reason == "RestartRequired"
    heal(bench)
    bench.give(asking.retry())
    assert [run.number for run in runs(bench)] == [1, 2]
    assert task(bench).plan.title == "Another"
    assert next(one for one in bench.object(TASK).conditions if one.type == "Accepted").status == "True"


def test_task_5_an_edit_of_the_pipeline_is_taken_up_and_sessions_of_former_stages_leave_with_the_task() -> None:
    bench = places.failed()
    heal(bench)
    stages = [{"name": "write", "role": "coder"}, {"name": "merge", "merge": {}}]
    bench.give(builders.admitted("Pipeline", "change", {"stages": stages}, 2))
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert "Session/default/fix-write-4" in bench.machine.state.objects
    for key in list(bench.machine.state.objects):
        builders.body(bench, key)
    bench.give(events.ObjectWithdrawn(Key(TASK)))
    assert not [key for key in bench.machine.state.objects if "fix" in key]


def test_gate_1_red_evidence_is_not_reused_by_a_retry_and_green_is() -> None:
    checks = [{"name": "unit", "run": "make test"}, {"name": "lint", "run": "make lint"}]
    stages = [
        {"name": "implement", "role": "coder"},
        {"name": "verify", "gates": [{"checks": {}}], "onFailure": {"goto": "verify", "limit": 0}},
    ]
    world = worlds.World(exits=lambda do: 1 if isinstance(do, actions.RunCheck) and do.check == "unit" else 0)
    pipeline = builders.admitted("Pipeline", "own", {"stages": stages})
    bench = builders.bench(pipeline, builders.project(checks), builders.task(pipeline="own"), world=world)
    heal(bench)
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Succeeded"
    ran = [one.check for one in bench.world.done if isinstance(one, actions.RunCheck)]
    assert sorted(ran) == ["lint", "unit", "unit"]
    assert len(runs(bench)) == 1


def test_gate_1_a_check_that_vanished_may_vanish_as_often_again() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunCheck) else 0)
    bench = builders.bench(builders.project(), builders.task(), world=world)
    for _ in range(3):
        bench.give(worlds.ended(Key(TASK), task(bench).checks[-1].id, Phase.LOST, None))
    assert task(bench).ended is not None
    bench.give(asking.retry())
    assert task(bench).ended is None
    assert task(bench).checks[-1].ended is None


@pytest.mark.parametrize("verb", ["SyncHub", "CreateTree", "RunAgent", "ImportWork", "MergeWork", "LandWork"])
def test_task_4_what_failed_in_the_world_is_tried_again(verb: str) -> None:
    world = worlds.World(fail=lambda do: "permanent: no" if do.verb == verb else "")
    bench = builders.bench(builders.project(), builders.task(), world=world)
    for _ in range(12):
        bench.wait(600)
    assert task(bench).ended is not None
    heal(bench)
    bench.give(asking.retry())
    bench.wait(3600)
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_wt_2_a_worktree_that_was_removed_is_made_anew_from_the_work_and_salvaged_apart() -> None:
    project = builders.project(worktrees={"keep": "Never"})
    world = worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    bench = builders.bench(project, builders.task(), world=world)
    head = task(bench).head
    assert bench.object("Worktree/default/fix").worktree.removed is not None  # type: ignore[union-attr]
    heal(bench)
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    made = [one for one in bench.world.done if isinstance(one, actions.CreateTree)]
    assert [one.commit == head for one in made] == [False, True]
    salvaged = [one.salvage for one in bench.world.done if isinstance(one, actions.RemoveTree) and one.salvage]
    assert len(set(salvaged)) == 2


def test_task_4_a_retry_while_the_worktree_is_put_away_waits_for_that() -> None:
    project = builders.project(worktrees={"keep": "Never"})
    seen: list[actions.Effect] = []

    def exits(effect: actions.Effect) -> int | None:
        if isinstance(effect, actions.CommitLeftovers):
            seen.append(effect)
        if isinstance(effect, actions.CommitLeftovers) and len(seen) == 4:
            return None
        return 1 if isinstance(effect, actions.RunCheck) else 0

    bench = builders.bench(project, builders.task(), world=worlds.World(exits=exits))
    place = bench.object("Worktree/default/fix")
    assert place.worktree is not None
    running = place.worktree.attempts[-1]
    bench.give(asking.retry())
    assert len(runs(bench)) == 3
    heal(bench)
    bench.give(worlds.ended(place.key, running.id, Phase.SUCCEEDED, 0))
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert len(runs(bench)) == 4


def test_task_7_a_retry_waits_for_a_slot_and_says_so() -> None:
    world = worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    bench = builders.bench(builders.project(limits={"sessions": 1}), builders.task(), world=world)
    bench.world.exits = lambda effect: None if isinstance(effect, actions.RunAgent) else 0
    bench.give(builders.task("other"))
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(Capacity)"
    bench.give(asking.cancel())
    assert builders.body(bench, TASK)["status"]["summary"] == "Cancelled"


def test_task_4_another_project_is_another_task() -> None:
    bench = places.failed()
    bench.give(builders.admitted("Project", "other", {"checks": builders.CHECKS}))
    bench.give(places.edited(bench, project="other"))
    bench.give(asking.retry())
    ended = task(bench).ended
    assert ended is not None
    assert (ended.reason, task(bench).retry) == ("RerunRequired", None)


def test_task_4_what_has_landed_is_rerun_and_what_runs_is_cancelled_first() -> None:
    assert "orchctl rerun" in asking.refusal(places.merged(), asking.retry())
    assert "has not ended" in asking.refusal(places.agent_running(), asking.retry())
    bench = places.agent_running()
    bench.give(places.edited(bench, shutdown="Now"))
    assert asking.refusal(bench, asking.retry()) == (
        "its manifest cancels it: remove `spec.shutdown` from manifests/fix.yaml:1 first"
    )


def test_task_4_a_task_that_was_cancelled_before_it_started_starts() -> None:
    bench = builders.bench(builders.project(), builders.task(agents=["ghost"]))
    bench.give(asking.cancel())
    bench.give(builders.admitted("Agent", "ghost", {"backend": "script"}))
    assert builders.body(bench, TASK)["status"]["summary"] == "Cancelled"
    bench.give(asking.retry())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_task_2_the_time_of_a_retry_counts_from_its_own_beginning() -> None:
    bench = places.agent_running()
    bench.wait(3 * 3600)
    bench.give(asking.cancel())
    bench.wait(3 * 3600)
    bench.give(asking.retry())
    assert task(bench).ended is None
    assert len(bench.recorded(lifecycle.TaskRestarted)) == 1
