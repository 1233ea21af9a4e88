"""Which model belongs to which kind.

Called by the loader, the schema generator and whoever decodes a stored spec. Importing it costs pydantic: the read
path uses `kinds` instead.
"""

from __future__ import annotations

from orchctl.api import kinds, meta
from orchctl.api.v1alpha1 import (
    account,
    agent,
    approval,
    board,
    budget,
    mergequeue,
    milestone,
    pipeline,
    policy,
    project,
    question,
    role,
    session,
    settings,
    task,
    trigger,
    worktree,
)

MODELS: dict[str, type[meta.Manifest]] = {
    "Project": project.Project,
    "Agent": agent.Agent,
    "Role": role.Role,
    "Pipeline": pipeline.Pipeline,
    "Task": task.Task,
    "Session": session.Session,
    "Worktree": worktree.Worktree,
    "Settings": settings.Settings,
    "Account": account.Account,
    "Approval": approval.Approval,
    "Policy": policy.Policy,
    "Question": question.Question,
    "Budget": budget.Budget,
    "Trigger": trigger.Trigger,
    "Milestone": milestone.Milestone,
    "Board": board.Board,
    "MergeQueue": mergequeue.MergeQueue,
}
assert MODELS.keys() == kinds.KINDS.keys()
