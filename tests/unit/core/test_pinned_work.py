"""What a Task runs with is pinned when it starts: edits of what it was resolved from come too late for it (TASK-5)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchctl.api.v1alpha1 import task as task_kind
from orchctl.core import actions, events
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = "Task/default/fix"
EDITS: dict[str, Any] = {
    "project": "shop",
    "pipeline": "change",
    "title": "Another title",
    "prompt": "Do something else.",
    "params": {"ticket": "SHOP-12"},
    "agents": ["clerk"],
    "base": {"branch": "main"},
    "touches": ["src/**"],
    "sparse": ["apps/web"],
    "reads": [{"project": "api"}],
    "dependsOn": [{"task": "other"}],
    "mergeGroup": "login",
    "priority": 7,
    "timeout": "3h",
    "attempts": 12,
    "startAfter": "2026-12-24T18:00:00Z",
    "deadline": "2027-12-24T18:00:00Z",
    "budget": {"turns": 5},
    "suspend": True,
    "shutdown": "Now",
}
OTHER_STAGES = [{"name": "implement", "role": "coder", "prompt": "Other."}, builders.STAGES[1]]
OTHERS: dict[str, events.ObjectAdmitted] = {
    "Pipeline": builders.admitted("Pipeline", "change", {"stages": OTHER_STAGES}, 2),
    "Role": builders.admitted("Role", "coder", {"system": "You do something else.", "access": "ReadWrite"}, 2),
    "Agent": builders.admitted("Agent", "script", {"backend": "script", "env": {"OTHER": "1"}, "model": "x"}, 2),
}


def running() -> worlds.Bench:
    world = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    return builders.bench(builders.project(), builders.task(), world=world)


def edited(**spec: Any) -> events.ObjectAdmitted:
    return dataclasses.replace(builders.task(**spec), generation=2)


def accepted(bench: worlds.Bench) -> tuple[str, str]:
    condition = next(one for one in bench.object(TASK).conditions if one.type == "Accepted")
    return condition.status, condition.reason


def test_task_5_every_field_of_a_task_is_edited_here() -> None:
    assert set(EDITS) == {*task_kind.PINNED, *task_kind.LIVE}


@pytest.mark.parametrize("field", task_kind.PINNED)
def test_task_5_an_edit_of_a_pinned_field_is_taken_up_by_a_restart_only(field: str) -> None:
    bench = running()
    plan = bench.object(TASK).task.plan  # type: ignore[union-attr]
    bench.give(edited(**{field: EDITS[field]}))
    assert accepted(bench) == ("False", "RestartRequired")
    assert bench.object(TASK).task.plan == plan  # type: ignore[union-attr]
    bench.give(dataclasses.replace(builders.task(), generation=3))
    assert accepted(bench) == ("True", "Admitted"), "it says again what it was started with"


@pytest.mark.parametrize("field", task_kind.LIVE)
def test_task_5_an_edit_of_a_live_field_is_accepted_while_it_runs(field: str) -> None:
    bench = running()
    bench.give(edited(**{field: EDITS[field]}))
    assert accepted(bench) == ("True", "Admitted")


@pytest.mark.parametrize("kind", OTHERS)
def test_task_5_an_edit_of_what_it_was_resolved_from_changes_no_later_run_either(kind: str) -> None:
    """The second run, after a red check, is what the first was, told what was wrong."""
    world = builders.Meddled(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    world.meddle(actions.RunCheck, OTHERS[kind])
    bench = builders.bench(builders.project(), builders.task(), world=world)
    assert bench.object(OTHERS[kind].key).desired.generation == 2  # type: ignore[union-attr]
    first, second, *_ = [effect for effect in world.done if isinstance(effect, actions.RunAgent)]
    assert second.prompt.startswith(first.prompt.rstrip("\n"))
    assert (second.agent, second.command, second.model) == (first.agent, first.command, first.model)
    assert dict(second.env)["ORCH_STAGE"] == "implement"
    assert "OTHER" not in dict(second.env)
    assert len([effect for effect in world.done if isinstance(effect, actions.RunAgent)]) == 3, "the old loop's limit"


@pytest.mark.parametrize("kind", OTHERS)
def test_task_5_the_work_digest_covers_all_of_each_object_that_is_pinned(kind: str) -> None:
    def digest_of(*facts: events.Event) -> str:
        bench = builders.bench(*facts, builders.project(), builders.task())
        found: str = bench.object(TASK).task.plan.work_digest  # type: ignore[union-attr]
        return found

    assert digest_of() == digest_of()
    assert digest_of(OTHERS[kind]) != digest_of()


def test_task_5_the_work_digest_covers_what_a_role_says_beside_its_prompt() -> None:
    def digest_of(access: str) -> str:
        role = builders.admitted("Role", "coder", {"access": access})
        bench = builders.bench(role, builders.project(), builders.task())
        found: str = bench.object(TASK).task.plan.work_digest  # type: ignore[union-attr]
        return found

    assert digest_of("ReadOnly") != digest_of("ReadWrite")


def test_task_5_the_work_digest_leaves_out_live_fields_and_what_a_project_is_allowed() -> None:
    def digest_of(project: events.ObjectAdmitted, **live: Any) -> str:
        bench = builders.bench(project, builders.task(**live))
        found: str = bench.object(TASK).task.plan.work_digest  # type: ignore[union-attr]
        return found

    plain = digest_of(builders.project())
    assert digest_of(builders.project(), priority=3, timeout="2h") == plain
    assert digest_of(builders.project(limits={"sessions": 2})) == plain
