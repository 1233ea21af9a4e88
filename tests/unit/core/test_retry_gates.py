"""A task that is retried by an edited pipeline: which gates are asked before its work lands (APP-1, TASK-4)."""

from __future__ import annotations

from typing import Any

from orchctl.core import actions
from orchctl.testing import worlds
from tests.unit.core import asking, builders
from tests.unit.core import test_approvals as approving


def reviewed(*stages: dict[str, Any]) -> worlds.Bench:
    """Approved in a stage of its own, ended in a conflict, and retried by a pipeline with these stages instead."""
    review = {"name": "review", "gates": [{"name": "leads", "approval": {"policy": "leads"}}]}
    world = worlds.World(conflicts=("x",))
    made = approving.bench(stages=[approving.STAGES[0], review, {"name": "merge", "merge": {}}], world=world)
    made.give(approving.approval(made))
    assert approving.summary(made) == "Failed"
    world.conflicts = ()
    edited = [approving.STAGES[0], *stages, {"name": "merge", "merge": {}}]
    made.give(builders.admitted("Pipeline", "own", {"stages": edited}, generation=2), asking.retry())
    return made


def test_app_1_task_4_a_gate_that_was_added_to_a_passed_stage_is_asked_after_a_retry() -> None:
    two = [{"name": name, "approval": {"policy": "leads"}} for name in ("leads", "second")]
    made = reviewed({"name": "review", "gates": two})
    assert not approving.landed(made)
    assert approving.waiting(made) == "Approval"
    made.give(approving.approval(made, name="one"))
    assert not approving.landed(made)
    made.give(approving.approval(made, name="two", gate_name="second"))
    assert approving.summary(made) == "Merged"


def test_app_1_task_4_a_gate_that_the_retried_pipeline_has_no_more_is_not_asked() -> None:
    made = reviewed({"name": "other", "gates": [{"name": "second", "approval": {"policy": "leads"}}]})
    made.give(approving.approval(made, name="two", gate_name="second"))
    assert made.object(approving.TASK).stalled == ""
    assert approving.summary(made) == "Merged"


def test_app_1_task_4_with_the_same_gates_a_retry_goes_on_where_it_ended() -> None:
    made = reviewed({"name": "review", "gates": [{"name": "leads", "approval": {"policy": "leads"}}]})
    assert approving.summary(made) == "Merged"
    assert len([one for one in made.world.done if isinstance(one, actions.RunAgent)]) == 1
