"""A Task from its manifest to its end, on the pure machine: what is done, in which order, how often, and why."""

from __future__ import annotations

import dataclasses

from orchctl.core import actions, events, evolve, runtime, views
from orchctl.core.folds import parts
from orchctl.core.ids import Key
from orchctl.core.ports import Phase
from orchctl.core.state import State
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = "Task/default/fix"


def verbs(bench: worlds.Bench) -> list[str]:
    return [effect.verb for effect in bench.world.done]


def test_a_prompt_alone_goes_from_manifest_to_merge() -> None:
    bench = builders.bench(builders.project(), builders.task())
    assert verbs(bench) == [
        "SyncHub",
        "CreateTree",
        "RunAgent",
        "CommitLeftovers",
        "ImportWork",
        "CreateRoom",
        "RunCheck",
        "SyncHub",
        "MergeWork",
        "LandWork",
        "RemoveTree",
        "CommitLeftovers",
        "RemoveTree",
    ]
    status = builders.body(bench, TASK)["status"]
    assert status["summary"] == "Merged"
    assert status["merged"] == bench.world.target
    conditions = {one["type"]: one["status"] for one in status["conditions"]}
    assert (conditions["Ready"], conditions["Succeeded"], conditions["Merged"]) == ("True", "True", "True")
    assert [one["state"] for one in status["stages"]] == ["Passed", "Passed"]


def test_gate_1_equal_tree_and_check_reuse_evidence_on_the_merge_result() -> None:
    bench = builders.bench(builders.project(), builders.task())
    assert verbs(bench).count("RunCheck") == 1


def test_mrg_3_a_moved_target_is_merged_and_verified_again() -> None:
    world = worlds.World()
    moved = worlds.oid("somebody else")

    def move_once(effect: actions.Effect) -> str:
        if isinstance(effect, actions.LandWork) and effect.old != moved:
            world.target = moved
        return ""

    world.fail = move_once
    bench = builders.bench(builders.project(), builders.task(), world=world)
    assert verbs(bench).count("LandWork") == 2
    assert verbs(bench).count("RunCheck") == 2, "the merge result is another tree: evidence for it is gathered"
    assert bench.object(TASK).task.landed == world.target  # type: ignore[union-attr]


def test_task_5_a_red_check_goes_back_to_the_agent_with_its_output_and_is_capped() -> None:
    world = worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    # Each try has to be judged on its own tree, or the evidence of the first would be reused.
    bench = builders.bench(builders.project(), builders.task(), world=world)
    runs = [effect for effect in world.done if isinstance(effect, actions.RunAgent)]
    assert [run.number for run in runs] == [1, 2, 3]
    assert "output of" not in runs[0].prompt
    assert "output of" in runs[1].prompt
    assert "Fix the login." in runs[1].prompt
    task = bench.object(TASK).task
    assert task is not None
    assert task.ended is not None
    assert (task.ended.outcome, task.ended.reason) == ("Failed", "GateFailed")
    assert "LandWork" not in verbs(bench)
    assert {c.type: c.status for c in bench.object(TASK).conditions}["Stalled"] == "True"


def test_ses_16_every_attempt_is_started_exactly_once() -> None:
    bench = builders.bench(builders.project(), builders.task())
    assert set(bench.world.attempts.values()) == {1}
    assert len(bench.world.attempts) == 4  # agent, commit, check, and the commit before the worktree goes


def test_task_1_an_agent_that_changes_nothing_has_not_done_the_task() -> None:
    bench = builders.bench(builders.project(), builders.task(), world=worlds.World(paths=()))
    task = bench.object(TASK).task
    assert task is not None
    assert task.ended is not None
    assert task.ended.reason == "NoChange"


def test_app_6_a_change_to_the_manifests_is_refused() -> None:
    world = worlds.World(paths=("manifests/project.yaml", "src/a.py"))
    bench = builders.bench(builders.project(), builders.task(), world=world)
    task = bench.object(TASK).task
    assert task is not None
    assert task.ended is not None
    assert task.ended.reason == "ProtectedPath"
    assert "manifests/project.yaml" in task.ended.message


def test_gate_7_without_checks_the_work_waits_and_goes_on_when_the_project_gains_some() -> None:
    bench = builders.bench(builders.task())
    because = bench.object(TASK).because
    assert because is not None
    assert because.waiting == "Question"
    assert "orch/fix" in because.text
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(Question)"
    bench.wait(30 * 24 * 3600.0)
    assert bench.object(TASK).task.ended is None, "waiting for a person uses up no time of the task"  # type: ignore[union-attr]
    bench.give(builders.project())
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert verbs(bench).count("RunAgent") == 1


def test_git_7_a_missing_reference_waits_with_its_name_and_starts_when_it_appears() -> None:
    bench = builders.bench(builders.project(), builders.task(agents=["ghost"]))
    because = bench.object(TASK).because
    assert because is not None
    assert "ghost" in because.text
    assert "script" in because.unblock
    assert bench.world.done == []
    bench.give(builders.admitted("Agent", "ghost", {"backend": "script"}))
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_mrg_5_a_dirty_target_waits_with_the_paths_and_lands_when_clean() -> None:
    bench = builders.bench(builders.project(), builders.task(), world=worlds.World(dirty=("src/a.py",)))
    because = bench.object(TASK).because
    assert because is not None
    assert (because.rule, because.waiting) == ("MRG-5", "MergeQueue")
    assert because.evidence == ("src/a.py",)
    assert verbs(bench).count("LandWork") == 1
    bench.world.dirty = ()
    bench.give(events.TargetCleaned(Key(TASK)))
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_mrg_2_a_conflict_fails_the_task_and_keeps_the_worktree() -> None:
    bench = builders.bench(builders.project(), builders.task(), world=worlds.World(conflicts=("src/a.py",)))
    task = bench.object(TASK).task
    assert task is not None
    assert task.ended is not None
    assert task.ended.reason == "MergeConflict"
    removed = [effect for effect in bench.world.done if isinstance(effect, actions.RemoveTree)]
    assert [effect.salvage for effect in removed] == [""], "only the gate room goes"


def test_task_2_an_agent_that_runs_too_long_is_stopped_and_the_edge_is_taken() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(), builders.task(timeout="3d"), world=world)
    assert verbs(bench)[-1] == "RunAgent"
    bench.wait(3599)
    assert "CancelAttempt" not in verbs(bench)
    bench.wait(1)
    assert verbs(bench).count("CancelAttempt") == 1
    assert list(bench.recorded(events.StageFailed)), "the stage's failure edge is taken"
    assert verbs(bench).count("ImportWork") == 1, "what it had written is kept all the same"


def test_task_2_a_task_past_its_timeout_stops_what_runs_and_keeps_the_work() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(), builders.task(timeout="10m"), world=world)
    bench.wait(600)
    task = bench.object(TASK).task
    assert task is not None
    assert task.ended is not None
    assert (task.ended.outcome, task.ended.reason) == ("Failed", "DeadlineExceeded")
    assert verbs(bench)[-3:] == ["CancelAttempt", "CommitLeftovers", "ImportWork"]


def test_git_5_a_removed_manifest_stops_the_agent_salvages_and_leaves() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(), builders.task(), world=world)
    bench.give(events.ObjectWithdrawn(Key(TASK)))
    assert verbs(bench)[-5:] == ["CancelAttempt", "CommitLeftovers", "ImportWork", "CommitLeftovers", "RemoveTree"]
    salvaged = bench.world.done[-1]
    assert isinstance(salvaged, actions.RemoveTree)
    assert salvaged.salvage.startswith("refs/orch/salvage/")
    assert TASK not in bench.machine.state.objects
    assert not [key for key in bench.machine.state.objects if key.startswith(("Session/", "Worktree/"))]


def test_task_2_a_transient_failure_backs_off_and_goes_on() -> None:
    world = worlds.World()
    failed: list[actions.Effect] = []

    def twice(effect: actions.Effect) -> str:
        if isinstance(effect, actions.ImportWork) and len(failed) < 2:
            failed.append(effect)
            return "transient: the hub is locked"
        return ""

    world.fail = twice
    bench = builders.bench(builders.project(), builders.task(), world=world)
    assert verbs(bench)[-1] == "ImportWork"
    assert bench.machine.wake_at is not None
    for _ in range(2):
        bench.wait(10)
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_task_2_a_permanent_failure_ends_the_task_with_its_sentence() -> None:
    world = worlds.World(fail=lambda e: "permanent: no such branch" if isinstance(e, actions.SyncHub) else "")
    bench = builders.bench(builders.project(), builders.task(), world=world)
    task = bench.object(TASK).task
    assert task is not None
    assert task.ended is not None
    assert (task.ended.reason, task.ended.message) == ("SyncHubFailed", "no such branch")


def test_git_3_a_bad_edit_of_a_running_task_leaves_it_running() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(), builders.task(), world=world)
    problem = "manifests/fix.yaml:3:5: error: spec.prompt: must be a string [type]"
    bench.give(events.ObjectRejected(Key(TASK), path="manifests/fix.yaml", problems=(problem,)))
    conditions = {one.type: one for one in bench.object(TASK).conditions}
    assert (conditions["Accepted"].status, conditions["Accepted"].reason) == ("False", "ValidationFailed")
    assert problem in conditions["Accepted"].message
    assert conditions["Ready"].status == "Unknown"
    assert "Stalled" not in conditions


def test_git_3_a_task_that_was_never_valid_is_stalled_with_its_place() -> None:
    problem = "manifests/bad.yaml:3:5: error: spec.prompt: must be a string [type]"
    bench = builders.bench(
        events.ObjectRejected(Key("Task/default/bad"), path="manifests/bad.yaml", problems=(problem,)),
        builders.project(),
        builders.task(),
    )
    conditions = {one.type: one.status for one in bench.object("Task/default/bad").conditions}
    assert conditions == {"Accepted": "False", "Ready": "False", "Stalled": "True"}
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged", "the others go on"


def test_task_5_a_running_task_is_not_touched_by_an_edit_of_its_pipeline() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(), builders.task(), world=world)
    plan = bench.object(TASK).task.plan  # type: ignore[union-attr]
    bench.give(builders.admitted("Pipeline", "change", {"stages": [{"name": "other", "role": "coder"}]}, 2))
    assert bench.object(TASK).task.plan == plan  # type: ignore[union-attr]


def test_task_7_a_full_project_holds_the_start_with_its_numbers_and_wakes_the_next() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(limits={"sessions": 1}), builders.task("a"), world=world)
    bench.give(builders.task("b"))
    because = bench.object("Task/default/b").because
    assert because is not None
    assert because.waiting == "Capacity"
    assert "1 of 1" in because.text
    world.exits = lambda effect: 0
    running = next(one for one in bench.object("Session/default/a-implement-1").session.attempts)  # type: ignore[union-attr]
    key = Key("Session/default/a-implement-1")
    bench.give(worlds.ended(key, running.id, Phase.SUCCEEDED, 0))
    assert builders.body(bench, "Task/default/a")["status"]["summary"] == "Merged"
    assert builders.body(bench, "Task/default/b")["status"]["summary"] == "Merged"


def test_log_8_late_and_doubled_facts_are_stale_and_change_nothing() -> None:
    bench = builders.bench(builders.project(), builders.task())
    before = bench.machine.state
    for recorded in list(bench.log):
        if isinstance(recorded.event, events.Outcome | events.AttemptEnded):
            step = bench.machine.step([recorded.event], bench.now)
            assert step.stale
            assert not step.recorded
    assert bench.machine.state == before


def test_log_3_folding_the_record_again_gives_the_same_state_and_the_same_rows() -> None:
    bench = builders.bench(builders.project(), builders.task(), builders.task("other"))
    state = State()
    for recorded in bench.log:
        state = evolve.evolve(state, recorded)
    live = bench.machine.state
    assert state == live
    for key, obj in live.objects.items():
        assert views.row(state, state.objects[key]) == views.row(live, obj)


def test_log_1_a_machine_built_from_any_prefix_of_the_record_goes_on_to_the_same_end() -> None:
    """A crash after any event: what was open is carried out again, what ran is looked at, nothing starts twice."""
    whole = builders.bench(builders.project(), builders.task())
    for cut in range(1, len(whole.log)):
        bench = _restarted(whole, cut)
        assert builders.body(bench, TASK)["status"]["summary"] == "Merged", f"cut after {cut} events"
        assert all(count == 1 for count in bench.world.attempts.values())


def _restarted(whole: worlds.Bench, cut: int) -> worlds.Bench:
    state = State()
    for recorded in whole.log[:cut]:
        state = evolve.evolve(state, recorded)
    bench = worlds.Bench(machine=runtime.Runtime(state), now=whole.now)
    task = state.objects[Key(TASK)].task if Key(TASK) in state.objects else None
    if task is not None and task.landed is not None:
        bench.world.target = task.landed
    facts = [fact for obj in state.objects.values() if obj.open for fact in bench.world.execute(obj.open)]
    for obj in state.objects.values():
        for attempt in parts.attempts_of(obj):
            if attempt.phase is Phase.RUNNING:
                facts.append(worlds.ended(obj.key, attempt.id, Phase.SUCCEEDED, 0))
    given = {recorded.event for recorded in whole.log[:cut] if isinstance(recorded.event, events.ObjectAdmitted)}
    wanted = [*builders.catalogue(), builders.project(), builders.task()]
    step = bench.machine.step([worlds.started(), *(one for one in wanted if one not in given), *facts], bench.now)
    bench.log += step.recorded
    bench.give(*[fact for action in step.actions for fact in bench.world.execute(action)])
    return bench


def test_task_5_an_edit_of_a_live_field_counts_at_once_and_of_a_pinned_one_after_a_restart() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    bench = builders.bench(builders.project(), builders.task(timeout="10m"), world=world)

    def accepted() -> tuple[str, str]:
        condition = next(one for one in bench.object(TASK).conditions if one.type == "Accepted")
        return condition.status, condition.reason

    bench.give(dataclasses.replace(builders.task(timeout="20m", priority=3), generation=2))
    assert accepted() == ("True", "Admitted")
    bench.wait(601)
    assert bench.object(TASK).task.stopping is None  # type: ignore[union-attr]
    bench.give(dataclasses.replace(builders.task(timeout="20m", title="Another"), generation=3))
    assert accepted() == ("False", "RestartRequired")
    bench.wait(600)
    assert bench.object(TASK).task.ended.reason == "DeadlineExceeded"  # type: ignore[union-attr]
