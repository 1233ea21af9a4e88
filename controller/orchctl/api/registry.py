"""Which model belongs to which kind.

Called by the loader, the schema generator and whoever decodes a stored spec. Importing it costs pydantic: the read
path uses `kinds` instead.
"""

from __future__ import annotations

from orchctl.api import kinds, meta
from orchctl.api.v1alpha1 import agent, pipeline, project, role, session, task, worktree

MODELS: dict[str, type[meta.Manifest]] = {
    "Project": project.Project,
    "Agent": agent.Agent,
    "Role": role.Role,
    "Pipeline": pipeline.Pipeline,
    "Task": task.Task,
    "Session": session.Session,
    "Worktree": worktree.Worktree,
}
assert MODELS.keys() == kinds.KINDS.keys()
