"""What must never happen, each as the shortest history in which it once could: guards around landing and keeping."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchctl.adapters.gitsource import treediff
from orchctl.core import actions, events
from orchctl.core.ids import Key
from orchctl.core.kinds import task as task_kind
from orchctl.core.ports import Phase
from orchctl.testing import worlds
from tests.unit.core import asking, builders

TASK = "Task/default/fix"
TWO_CHECKS = [{"name": "gen", "run": "make gen"}, {"name": "unit", "run": "make test"}]


def done(bench: worlds.Bench, effect: type[actions.Effect]) -> list[Any]:
    return [one for one in bench.world.done if isinstance(one, effect)]


def ending(bench: worlds.Bench, key: str = TASK) -> tuple[str, str]:
    task = bench.object(key).task
    assert task is not None
    assert task.ended is not None
    return task.ended.outcome, task.ended.reason


def pipeline(*stages: dict[str, Any]) -> events.ObjectAdmitted:
    return builders.admitted("Pipeline", "own", {"stages": list(stages)})


def test_gate_1_each_check_has_a_room_no_other_check_has_been_in() -> None:
    bench = builders.bench(builders.project(TWO_CHECKS), builders.task())
    order = [one.verb for one in bench.world.done if isinstance(one, actions.CreateRoom | actions.RunCheck)]
    assert order == ["CreateRoom", "RunCheck", "CreateRoom", "RunCheck"]


def test_app_7_protected_paths_are_judged_on_what_would_land() -> None:
    """The work itself is clean, but merging it brings in changes of protected paths from elsewhere."""
    world = worlds.World()
    work = world.execute

    def with_manifests(action: actions.Action) -> list[events.Event]:
        world.paths = ("manifests/evil.yaml",) if isinstance(action.do, actions.MergeWork) else ("src/a.py",)
        return work(action)

    world.execute = with_manifests  # type: ignore[method-assign]
    bench = worlds.Bench(world=world)
    bench.give(*builders.catalogue())
    bench.give(builders.project(), builders.task())
    assert ending(bench) == ("Failed", "ProtectedPath")
    assert not done(bench, actions.LandWork)


def test_gate_7_a_merge_stage_that_wants_checks_asks_when_there_are_none() -> None:
    stages = ({"name": "implement", "role": "coder"}, {"name": "merge", "merge": {}, "gates": [{"checks": {}}]})
    bench = builders.bench(pipeline(*stages), builders.project([]), builders.task(pipeline="own"))
    because = bench.object(TASK).because
    assert because is not None
    assert because.waiting == "Question"
    assert not done(bench, actions.LandWork)


def test_task_1_two_tasks_whose_session_names_collide_each_run_their_own_agent() -> None:
    stages = [pipeline({"name": "review-fix", "role": "coder"})]
    stages.append(builders.admitted("Pipeline", "other", {"stages": [{"name": "fix", "role": "coder"}]}))
    first = builders.task("login", pipeline="own")
    second = builders.task("login-review", pipeline="other")
    bench = builders.bench(*stages, builders.project(), first, second)
    assert len(done(bench, actions.RunAgent)) == 2
    assert ending(bench, "Task/default/login")[0] == ending(bench, "Task/default/login-review")[0] == "Succeeded"


def test_log_8_a_defect_in_one_decision_stalls_that_object_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    propose = task_kind.propose

    def broken(view: Any, obj: Any, now: Any, revision: Any) -> Any:
        if obj.key == TASK:
            raise IndexError("list index out of range")
        return propose(view, obj, now, revision)

    monkeypatch.setattr(task_kind, "propose", broken)
    bench = builders.bench(builders.project(), builders.task(), builders.task("other"))
    assert "IndexError" in bench.object(TASK).stalled
    conditions = {one.type: one.status for one in bench.object(TASK).conditions}
    assert conditions["Stalled"] == "True"
    assert builders.body(bench, "Task/default/other")["status"]["summary"] == "Merged"


def test_gate_1_a_check_that_somebody_else_stopped_has_given_no_verdict() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunCheck) else 0)
    bench = builders.bench(builders.project(), builders.task(), world=world)
    running = bench.object(TASK).task.checks[-1]  # type: ignore[union-attr]
    world.exits = lambda effect: 0
    bench.give(worlds.ended(Key(TASK), running.id, Phase.CANCELLED, None))
    assert ending(bench)[0] == "Merged"
    assert len(done(bench, actions.RunAgent)) == 1


def test_gate_1_a_check_that_keeps_vanishing_is_no_fault_of_the_agents() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunCheck) else 0)
    bench = builders.bench(builders.project(), builders.task(), world=world)
    for _ in range(3):
        running = bench.object(TASK).task.checks[-1]  # type: ignore[union-attr]
        bench.give(worlds.ended(Key(TASK), running.id, Phase.LOST, None))
    assert ending(bench) == ("Failed", "CheckLost")
    assert len(done(bench, actions.RunAgent)) == 1


def test_wt_2_a_worktree_whose_leftovers_cannot_be_committed_is_kept() -> None:
    world = worlds.World(exits=lambda effect: 3 if isinstance(effect, actions.CommitLeftovers) else 0)
    bench = builders.bench(builders.project(), builders.task(), world=world)
    bench.give(events.ObjectWithdrawn(Key(TASK)))
    assert not [one for one in done(bench, actions.RemoveTree) if one.salvage]
    because = bench.object("Worktree/default/fix").because
    assert because is not None
    assert because.rule == "WT-2"


def test_wt_2_what_a_person_left_in_a_kept_worktree_is_committed_before_it_goes() -> None:
    bench = builders.bench(builders.project(), builders.task(), world=worlds.World(conflicts=("a",)))
    before = len(done(bench, actions.CommitLeftovers))
    bench.give(events.ObjectWithdrawn(Key(TASK)))
    assert len(done(bench, actions.CommitLeftovers)) == before + 1
    assert [one.verb for one in bench.world.done[-2:]] == ["CommitLeftovers", "RemoveTree"]


def test_task_7_a_task_that_comes_back_from_waiting_asks_for_a_slot_again() -> None:
    """a waits for checks and gives up the only slot, b takes it; when a has to run its agent again it waits for b."""
    world = worlds.World()
    project = builders.project([], limits={"sessions": 1})
    bench = builders.bench(project, builders.task("a"), world=world)
    world.exits = lambda effect: None if isinstance(effect, actions.RunAgent) else 1
    bench.give(builders.task("b"))
    assert bench.object("Session/default/b-implement-1").session is not None
    bench.give(builders.project(builders.CHECKS, limits={"sessions": 1}))
    because = bench.object("Task/default/a").because
    assert because is not None
    assert because.waiting == "Capacity"
    assert "Session/default/a-implement-2" not in bench.machine.state.objects


def test_task_2_while_a_task_ends_no_wake_up_lies_in_the_past() -> None:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    world.fail = lambda effect: "transient: busy" if isinstance(effect, actions.CancelAttempt) else ""
    bench = builders.bench(builders.project(), builders.task(timeout="60s"), world=world)
    bench.wait(61)
    assert bench.machine.wake_at is not None
    assert bench.machine.wake_at > bench.now.t
    assert bench.object(TASK).stalled == ""


def test_a_clean_up_that_a_person_has_to_help_with_lets_the_controller_rest() -> None:
    fail = "permanent: tampered with"
    world = worlds.World(fail=lambda e: fail if isinstance(e, actions.RemoveTree) and e.salvage else "")
    bench = builders.bench(builders.project(), builders.task(), world=world)
    assert ending(bench)[0] == "Merged"
    assert bench.machine.rests
    assert len([one for one in done(bench, actions.RemoveTree) if one.salvage]) == 1
    world.fail = lambda effect: ""
    bench.wait(601)
    assert bench.object("Worktree/default/fix").worktree.removed is not None  # type: ignore[union-attr]


def test_verified_says_that_every_check_passed_on_what_lands() -> None:
    def exits(effect: actions.Effect) -> int:
        return 1 if isinstance(effect, actions.RunCheck) and effect.check == "unit" else 0

    bench = builders.bench(builders.project(TWO_CHECKS), builders.task(), world=worlds.World(exits=exits))
    conditions = {one.type: one.status for one in bench.object(TASK).conditions}
    assert conditions["Verified"] == "False"


def test_mrg_1_work_that_the_target_holds_already_is_not_merged_again() -> None:
    world = worlds.World()
    work = world.execute

    def nothing_new(action: actions.Action) -> list[events.Event]:
        world.paths = () if isinstance(action.do, actions.MergeWork) else ("src/a.py",)
        return work(action)

    world.execute = nothing_new  # type: ignore[method-assign]
    bench = worlds.Bench(world=world)
    bench.give(*builders.catalogue())
    bench.give(builders.project(), builders.task())
    assert ending(bench)[0] == "Succeeded"
    assert not done(bench, actions.LandWork)


def test_app_6_folders_that_manifests_are_read_from_since_a_task_began_are_protected_from_it() -> None:
    world = worlds.World(paths=("conf/approval.yaml",))
    world.exits = lambda effect: None if isinstance(effect, actions.RunAgent) else 0
    bench = builders.bench(builders.project(), builders.task(), world=world)
    bench.give(dataclasses.replace(builders.revision(), commit=worlds.oid("next"), roots=("conf",)))
    for _ in range(3):
        asking.end_agent(bench)
    assert ending(bench) == ("Failed", "ProtectedPath")
    assert not done(bench, actions.LandWork)


@pytest.mark.parametrize("suffix", treediff.SUFFIXES)
@pytest.mark.parametrize("folder", ["", "deep/down/"])
def test_app_6_where_manifests_may_stand_anywhere_no_agent_writes_one(folder: str, suffix: str) -> None:
    bench = worlds.Bench(world=worlds.World(paths=("src/a.py", f"{folder}approval{suffix}")))
    bench.give(*builders.catalogue(), dataclasses.replace(builders.revision(), roots=("",)))
    bench.give(builders.project(), builders.task())
    assert ending(bench) == ("Failed", "ProtectedPath")
    assert not done(bench, actions.LandWork)
