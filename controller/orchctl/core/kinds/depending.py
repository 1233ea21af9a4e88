"""What a Task waits for in other tasks before it starts (TASK-3), and what their failures do to it (TASK-2).

Each dependency that has come is recorded once and stays so: the other task may go on, be edited or leave git after
that. A dependency that is not there, or is leaving, is waited for: a file that was removed by mistake fails nobody's
work. Dependencies guard the start and nothing after it.
"""

from __future__ import annotations

import dataclasses

from orchctl.api.v1alpha1.task import Dependency, DependencyFailure, Until
from orchctl.core import lifecycle, resolve
from orchctl.core.because import Because
from orchctl.core.folds import parts
from orchctl.core.ids import Key, key_of, name_of, namespace_of
from orchctl.core.kinds import verifying
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object
from orchctl.core.view import View

NAMED_MAX = 5
WELL = ("Merged", "Succeeded")


@dataclasses.dataclass(frozen=True, slots=True)
class _Met:
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class _Failed:
    message: str
    skips: bool  # the dependent is skipped for it, it does not fail


@dataclasses.dataclass(frozen=True, slots=True)
class _Awaited:
    message: str
    unblock: str


_Standing = _Met | _Failed | _Awaited


def record(view: View, obj: Object) -> Proposal | None:
    """Take note of what has come since the last look."""
    found = [(edge, one) for edge, one in _standings(view, obj) if isinstance(one, _Met)]
    if not found:
        return None
    met = tuple(
        lifecycle.DependencyMet(obj.key, task=_key(obj, edge), until=edge.until.value, message=one.message)
        for edge, one in found
    )
    return Proposal(Because("TASK-3", "; ".join(one.message for _, one in found[:NAMED_MAX])), decisions=met)


def propose(view: View, obj: Object) -> Proposal | None:
    """The end that a failed dependency means, or the wait for those that are left; None when none is."""
    left = [one for _, one in _standings(view, obj)]
    failed = [one for one in left if isinstance(one, _Failed)]
    if failed:
        hard = next((one for one in failed if not one.skips), None)
        outcome, said = ("Failed", hard) if hard is not None else ("Skipped", failed[0])
        ended = lifecycle.TaskNeverStarted(
            obj.key, outcome=outcome, reason=f"Dependency{outcome}", message=said.message
        )
        return Proposal(Because("TASK-2", said.message), decisions=(ended,))
    awaited = [one for one in left if isinstance(one, _Awaited)]
    if not awaited:
        return None
    more = f"; and {len(awaited) - NAMED_MAX} more" if len(awaited) > NAMED_MAX else ""
    text = "; ".join(one.message for one in awaited[:NAMED_MAX]) + more
    return Proposal(Because("TASK-3", text, unblock=awaited[0].unblock, waiting="Dependency"))


def unmet(obj: Object) -> list[str]:
    """The dependencies that have not come yet as far as is recorded, in words."""
    known = set(obj.life.met)
    return [
        f"{edge.task} ({edge.until.value})" for edge in _edges(obj) if (_key(obj, edge), edge.until.value) not in known
    ]


def awaits(obj: Object, other: Key) -> bool:
    """Whether it cannot start before that task is merged."""
    known = set(obj.life.met)
    return any(
        _key(obj, edge) == other and edge.until is Until.MERGED and (other, edge.until.value) not in known
        for edge in _edges(obj)
    )


def awaited(obj: Object) -> list[Key]:
    """The tasks that have not come yet as far as is recorded."""
    known = set(obj.life.met)
    return [key for edge in _edges(obj) if ((key := _key(obj, edge)), edge.until.value) not in known]


def has_any(obj: Object) -> bool:
    return bool(_edges(obj))


def _edges(obj: Object) -> tuple[Dependency, ...]:
    spec = resolve.readable_task_spec(obj.desired.spec) if obj.desired is not None else None
    return spec.depends_on if spec is not None else ()


def _key(obj: Object, edge: Dependency) -> Key:
    namespace, _, name = edge.task.rpartition("/")
    return key_of("Task", namespace or namespace_of(obj.key), name)


def _standings(view: View, obj: Object) -> list[tuple[Dependency, _Standing]]:
    """How it stands with each dependency that is not recorded as met."""
    known = set(obj.life.met)
    found = []
    for edge in _edges(obj):
        key = _key(obj, edge)
        if (key, edge.until.value) not in known:
            found.append((edge, _standing(obj, edge, view.get(key))))
    return found


def _standing(obj: Object, edge: Dependency, other: Object | None) -> _Standing:
    reached = _reached(other, edge) if other is not None else ""
    if reached:
        return _Met(reached)
    if other is None or other.withdrawn:
        assert obj.desired is not None
        gone = "does not exist" if other is None else "is being removed from git"
        place = f"{obj.desired.path}:{obj.desired.line}"
        unblock = f"add a Task named {edge.task}, or remove it from `dependsOn` in {place}"
        return _Awaited(f"it depends on task {edge.task}, which {gone}", unblock)
    ended = parts.ending_of(other)
    if ended is None:
        unblock = f"it starts by itself then; `orchctl why {name_of(other.key)}` says how far that is"
        return _Awaited(f"waits for task {edge.task} to be {edge.until.value}", unblock)
    how = "has no merge stage" if ended.outcome in WELL else f"has ended as {ended.outcome}: {ended.message}"
    message = f"it depends on task {edge.task}, which {how}"
    if edge.on_failure is DependencyFailure.CONTINUE:
        return _Met(f"{message}; it goes on without it")
    return _Failed(message, skips=edge.on_failure is DependencyFailure.SKIP or ended.outcome == "Skipped")


def _reached(other: Object, edge: Dependency) -> str:
    """In words, when it has come as far as the dependency says."""
    task, ended = other.task, parts.ending_of(other)
    if task is None:
        return ""
    if task.landed is not None:
        return f"task {edge.task} is merged"
    ended_well = task.retry is None and ended is not None and ended.outcome in WELL
    if edge.until is Until.MERGED:
        merges = any(stage.merge for stage in task.plan.stages)
        return f"task {edge.task} has nothing left to merge" if ended_well and merges else ""
    if ended_well or (ended is None and verifying.is_verified(task)):
        return f"task {edge.task} is verified"
    return ""
