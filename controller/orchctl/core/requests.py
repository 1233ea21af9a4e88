"""Which requests of people can be done as things stand, and if not, why: in words that say what to do instead."""

from __future__ import annotations

from orchctl.core import lifecycle, questions, resolve
from orchctl.core.folds import parts
from orchctl.core.ids import kind_of, name_of
from orchctl.core.kinds import answering, restarting, stopping, suspending
from orchctl.core.state import Object, State


def refusal(state: State, request: lifecycle.Request) -> str:
    """Empty when it can be done."""
    if request.token in state.tokens:
        return "it was taken up already"
    obj = state.objects.get(request.key)
    if obj is None:
        return f"there is no {kind_of(request.key)} {name_of(request.key)}"
    if isinstance(request, lifecycle.RequestRefused):
        return ""
    if isinstance(request, questions.AnswerRequested):
        return answering.refusal(state, obj, request)
    if kind_of(obj.key) != "Task":
        return f"it can be asked of a Task only, not of a {kind_of(obj.key)}"
    if obj.desired is None:
        return "its manifest has never been valid"
    if obj.withdrawn:
        return "its manifest was removed from git, so it is ending"
    if resolve.readable_task_spec(obj.desired.spec) is None:
        return f"this release cannot read what another one admitted: commit {obj.desired.path} again"
    match request:
        case lifecycle.SuspendRequested():
            return _ended(obj)
        case lifecycle.ResumeRequested():
            return _ended(obj) or _not_suspended(obj)
        case lifecycle.CancelRequested():
            return _ended(obj) or _not_cancellable(obj, request)
        case lifecycle.RetryRequested():
            return restarting.refusal(obj, request.from_stage)
    return f"{type(request).__name__} is unknown"


def _ended(obj: Object) -> str:
    ended = parts.ending_of(obj)
    return f"it has ended ({ended.outcome})" if ended is not None else ""


def _not_suspended(obj: Object) -> str:
    if obj.life.suspension is not None:
        return ""
    if suspending.is_by_manifest(obj) and obj.desired is not None:
        return f"its manifest suspends it: set `spec.suspend: false` in {obj.desired.path}:{obj.desired.line}"
    return "it is not suspended"


def _not_cancellable(obj: Object, request: lifecycle.CancelRequested) -> str:
    if request.mode not in stopping.MODES:
        return f"mode {request.mode} is none of {', '.join(stopping.MODES)}"
    if obj.task is not None and obj.task.landed is not None:
        return f"its work has landed as {obj.task.landed[:8]}"
    before = obj.task.stopping if obj.task is not None else None
    if before is not None and stopping.MODES.index(before.mode) >= stopping.MODES.index(request.mode):
        return f"it is ending already ({before.mode}): {before.message}"
    return ""
