"""Every field of a Task is either pinned at its start or live: a new one has to say which (kinds.md, TASK-5)."""

from __future__ import annotations

from orchctl.api.v1alpha1 import task


def test_task_5_every_field_of_a_task_is_pinned_or_live() -> None:
    fields = {info.alias or name for name, info in task.TaskSpec.model_fields.items()}
    assert set(task.PINNED) | set(task.LIVE) == fields
    assert not set(task.PINNED) & set(task.LIVE)
