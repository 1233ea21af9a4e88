"""The templates of a stage, rendered once per cycle before its session is made; a stage without any has no such step.

The plan keeps them as they were written. What an expression may name is fixed by the intent, so rendering again after
a crash gives the same text.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchctl.core import actions, prompts
from orchctl.core.because import Because
from orchctl.core.ids import name_of, namespace_of
from orchctl.core.plan import StagePlan
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.kit import digest


def propose(obj: Object, task: TaskState, stage: StagePlan) -> Proposal | None:
    """The rendering this stage and cycle lacks, or None when there is nothing to render or it is done."""
    texts = prompts.template_texts(stage)
    if not texts or _is_current(task):
        return None
    do = actions.RenderPrompt(texts=texts, roots=digest.canonical_json(_roots(obj, task)))
    return Proposal(Because("TASK-1", f"renders the prompt of stage {stage.name}"), do=do)


def texts_of(task: TaskState) -> Mapping[str, str]:
    """What was rendered for the stage and cycle the task is in, by field name."""
    return dict(task.rendering.texts) if task.rendering is not None and _is_current(task) else {}


def _is_current(task: TaskState) -> bool:
    made = task.rendering
    return made is not None and (made.stage, made.cycle) == (task.stage, task.cycle)


def _roots(obj: Object, task: TaskState) -> dict[str, object]:
    plan = task.plan
    return {
        "task": {
            "name": name_of(obj.key),
            "namespace": namespace_of(obj.key),
            "title": plan.title,
            "prompt": plan.prompt,
            "labels": dict(obj.desired.labels) if obj.desired is not None else {},
        },
        "project": {"name": plan.project.split("/", 1)[1]},
        "params": {},
        "stages": {},
        "feedback": task.feedback,
    }
