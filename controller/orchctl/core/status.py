"""The conditions of every kind, computed from its facts each time one changes (kinds of condition: one table each).

Called by `evolve` after each event, so that transition times are part of the fold. Never reads another object.
"""

from __future__ import annotations

import dataclasses

from orchctl.api import conditions as api
from orchctl.api import kinds
from orchctl.core import preflight, resolve
from orchctl.core.events import Now
from orchctl.core.ids import Key, kind_of
from orchctl.core.state import Desired, Object, SessionState, TaskState, WorktreeState
from orchctl.kit import timestamps


@dataclasses.dataclass(frozen=True, slots=True)
class _Wanted:
    """One condition as it should be now; a status of None removes it (abnormal-true conditions when normal)."""

    type: str
    status: str | None
    reason: str
    message: str = ""


def conditions(obj: Object, now: Now) -> api.Conditions:
    generation = obj.desired.generation if obj.desired is not None else 0
    result = obj.conditions
    for wanted in _wanted(obj):
        if wanted.status is None:
            result = api.remove_condition(result, wanted.type)
            continue
        new = api.Condition(
            type=wanted.type,
            status=wanted.status,
            reason=wanted.reason,
            message=wanted.message,
            observed_generation=generation,
            last_transition_time=timestamps.rfc3339(now.at),
        )
        result = api.set_condition(result, new)
    return result


def _wanted(obj: Object) -> list[_Wanted]:
    if obj.stalled:
        return [_stalled("InternalError", obj.stalled), _Wanted(api.READY, "False", "InternalError", obj.stalled)]
    if obj.task is not None:
        return [*_accepted(obj), _supported(obj), *_task(obj, obj.task)]
    if obj.session is not None:
        return _session(obj.session)
    if obj.worktree is not None:
        return _worktree(obj, obj.worktree)
    return [*_accepted(obj), _supported(obj), *_declared(obj)]


def _supported(obj: Object) -> _Wanted:
    """Present only while something that is asked for has no behaviour: it is named, never silently ignored."""
    if obj.desired is None or not (obj.desired.unsupported or kinds.KINDS[kind_of(obj.key)].made_by_controller):
        return _Wanted(api.SUPPORTED, None, "")
    return _Wanted(api.SUPPORTED, "False", api.Reason.NOT_IMPLEMENTED, _not_supported(obj.key, obj.desired))


def _not_supported(key: Key, desired: Desired) -> str:
    row = kinds.KINDS[kind_of(key)]
    if row.made_by_controller:
        return "in this release the controller makes these itself; one written by hand is not acted on"
    if row.supported == "no":
        return f"in this release nothing happens because of a {row.kind}; it is read and checked"
    said = []
    if desired.in_the_way:
        said.append(f"nothing starts that needs {', '.join(desired.in_the_way)}: this release does not do that yet")
    if desired.harmless:
        said.append(f"work goes on without {', '.join(desired.harmless)}, which this release does not do yet")
    return "; ".join(said)


def _accepted(obj: Object) -> list[_Wanted]:
    if obj.problems:
        return [_Wanted(api.ACCEPTED, "False", api.Reason.VALIDATION_FAILED, "\n".join(obj.problems))]
    task, desired = obj.task, obj.desired
    if task is not None and desired is not None and resolve.pinned_digest(desired.spec) != task.plan.pinned_digest:
        message = "edited after it started; it goes on as it was started"
        return [_Wanted(api.ACCEPTED, "False", api.Reason.RESTART_REQUIRED, message)]
    return [_Wanted(api.ACCEPTED, "True", api.Reason.ADMITTED)]


def _stalled(reason: str, message: str) -> _Wanted:
    return _Wanted(api.STALLED, "True", reason, message)


def _declared(obj: Object) -> list[_Wanted]:
    """Objects that have not begun to do anything: a Task that waits to start, and the kinds that only say things."""
    if obj.desired is None:
        message = "\n".join(obj.problems)
        return [
            _Wanted(api.READY, "False", api.Reason.VALIDATION_FAILED, message),
            _stalled(api.Reason.VALIDATION_FAILED, message),
        ]
    is_task = obj.key.startswith("Task/")
    if not is_task and (obj.desired.in_the_way or kinds.KINDS[kind_of(obj.key)].made_by_controller):
        said = (api.Reason.NOT_IMPLEMENTED, _not_supported(obj.key, obj.desired))
        return [_Wanted(api.READY, "False", *said), _stalled(*said)]
    cleared = _Wanted(api.STALLED, None, "")
    if kind_of(obj.key) in preflight.KINDS:
        return [cleared, _preflight(obj)]
    if not is_task:
        return [cleared, _Wanted(api.READY, "True", api.Reason.RECONCILIATION_SUCCEEDED)]
    return [
        cleared,
        _Wanted(api.READY, "Unknown", api.Reason.PROGRESSING),
        _Wanted(api.RECONCILING, "True", api.Reason.PROGRESSING),
        _Wanted(api.SUCCEEDED, "Unknown", api.Reason.PROGRESSING),
        _waiting(obj),
    ]


def _preflight(obj: Object) -> _Wanted:
    """Not stalled without its program or secret: it is ready as soon as that is there."""
    because = preflight.readiness(obj)
    if because is None:
        return _Wanted(api.READY, "True", api.Reason.RECONCILIATION_SUCCEEDED)
    if not preflight.is_known(obj):
        return _Wanted(api.READY, "Unknown", api.Reason.PROGRESSING, because.text)
    return _Wanted(api.READY, "False", api.Reason.AGENT_NOT_READY, f"{because.text}; {because.unblock}")


def _waiting(obj: Object) -> _Wanted:
    if obj.because is None or not obj.because.waiting:
        return _Wanted(api.WAITING, None, "")
    return _Wanted(api.WAITING, "True", obj.because.waiting, obj.because.text)


def _task(obj: Object, task: TaskState) -> list[_Wanted]:
    verified = _verified(task)
    common = [
        _Wanted(api.VERIFIED, "True" if verified else "False", api.Reason.GATES_PASSED if verified else "Pending"),
        _Wanted(api.MERGED, "True" if task.landed else "False", api.Reason.MERGED if task.landed else "Pending"),
    ]
    if task.ended is None:
        return [
            *common,
            _Wanted(api.READY, "Unknown", api.Reason.PROGRESSING),
            _Wanted(api.SUCCEEDED, "Unknown", api.Reason.PROGRESSING),
            _Wanted(api.RECONCILING, "True", api.Reason.PROGRESSING_WITH_RETRY if task.cycle else "Progressing"),
            _Wanted(api.STALLED, None, ""),
            _waiting(obj),
        ]
    over = [_Wanted(api.RECONCILING, None, ""), _Wanted(api.WAITING, None, "")]
    if task.ended.outcome in ("Merged", "Succeeded"):
        good = ("True", task.ended.reason, task.ended.message)
        return [*common, *over, _Wanted(api.READY, *good), _Wanted(api.SUCCEEDED, *good)]
    bad = ("False", task.ended.reason, task.ended.message)
    stalled = _stalled(task.ended.reason, task.ended.message)
    return [*common, *over, _Wanted(api.READY, *bad), _Wanted(api.SUCCEEDED, *bad), stalled]


def _verified(task: TaskState) -> bool:
    """Every check of the plan has passed, last time it ran, on the tree that lands or would land."""
    tree = task.candidate.tree if task.candidate is not None else task.head_tree
    latest = {one.digest: one.passed for one in task.evidence if one.tree == tree}
    wanted = [check.digest for stage in task.plan.stages for check in stage.checks]
    return bool(wanted) and all(latest.get(digest, False) for digest in wanted)


def _session(session: SessionState) -> list[_Wanted]:
    accepted = _Wanted(api.ACCEPTED, "True", api.Reason.MADE_BY_CONTROLLER)
    if session.ended is None:
        return [
            accepted,
            _Wanted(api.READY, "Unknown", api.Reason.PROGRESSING),
            _Wanted(api.SUCCEEDED, "Unknown", api.Reason.PROGRESSING),
            _Wanted(api.RECONCILING, "True", api.Reason.PROGRESSING),
        ]
    result = ("True" if session.succeeded else "False", session.reason or "Completed", session.message)
    ended = [accepted, _Wanted(api.READY, *result), _Wanted(api.SUCCEEDED, *result), _Wanted(api.RECONCILING, None, "")]
    return ended if session.succeeded else [*ended, _stalled(session.reason or "Failed", session.message)]


def _worktree(obj: Object, worktree: WorktreeState) -> list[_Wanted]:
    accepted = _Wanted(api.ACCEPTED, "True", api.Reason.MADE_BY_CONTROLLER)
    if worktree.removed is not None:
        return [accepted, _Wanted(api.READY, "True", "Removed", "removed after salvage")]
    if worktree.path:
        return [accepted, _Wanted(api.READY, "True", "Created")]
    message = obj.failures.message if obj.failures is not None else ""
    return [accepted, _Wanted(api.READY, "Unknown", api.Reason.PROGRESSING, message)]
