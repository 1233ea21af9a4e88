"""Whether the work of a Task is verified: what others may wait for before it has landed."""

from __future__ import annotations

from orchctl.core.state import TaskState


def is_verified(task: TaskState) -> bool:
    """All stages before the merge are passed, and every check is green on the tree that lands or would land."""
    working = [record for stage, record in zip(task.plan.stages, task.stages, strict=True) if not stage.merge]
    if any(record.state != "Passed" for record in working):
        return False
    tree = task.candidate.tree if task.candidate is not None else task.head_tree
    latest = {one.digest: one.passed for one in task.evidence if one.tree == tree}
    wanted = [check.digest for stage in task.plan.stages for check in stage.checks]
    return bool(wanted) and all(latest.get(digest, False) for digest in wanted)
