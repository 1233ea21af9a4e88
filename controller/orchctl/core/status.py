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
from orchctl.core.judgements import Standing
from orchctl.core.kinds import depending, question, suspending, verifying
from orchctl.core.state import Desired, Ending, Object, SessionState, SourceState, TaskState, WorktreeState
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
        old = api.find(result, wanted.type)
        if old is not None and (old.status, old.reason, old.message, old.observed_generation) == (
            wanted.status,
            wanted.reason,
            wanted.message,
            generation,
        ):
            continue  # as almost always: an event changes one or two of them
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
        return [*_accepted(obj), _supported(obj), _dependencies(obj), *_task(obj, obj.task)]
    if obj.session is not None:
        return _session(obj.session)
    if obj.worktree is not None:
        return _worktree(obj, obj.worktree)
    if obj.source is not None:
        return _source(obj.source)
    if kind_of(obj.key) == "Approval" and obj.desired is not None:
        return [*_accepted(obj), *_approval(obj.standing)]
    if kind_of(obj.key) == "Question" and (obj.question is not None or not obj.problems):
        made = [_Wanted(api.ACCEPTED, "True", api.Reason.MADE_BY_CONTROLLER)]
        return [*(_accepted(obj) if obj.desired is not None else made), _supported(obj), *_question(obj)]
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
    if is_task and obj.life.unstarted is not None:
        return [_dependencies(obj), *_over(obj.life.unstarted)]
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
        _dependencies(obj),
        _suspended(obj),
        _waiting(obj),
    ]


def _dependencies(obj: Object) -> _Wanted:
    if not depending.has_any(obj):
        return _Wanted(api.DEPENDENCIES_READY, None, "")
    unmet = depending.unmet(obj) if obj.task is None else []
    if unmet:
        return _Wanted(api.DEPENDENCIES_READY, "False", api.Reason.DEPENDENCY_NOT_READY, ", ".join(unmet))
    return _Wanted(api.DEPENDENCIES_READY, "True", "DependenciesMet")


def _suspended(obj: Object) -> _Wanted:
    said = suspending.said_of(obj)
    if not said:
        return _Wanted(api.SUSPENDED, None, "")
    reason = "Requested" if obj.life.suspension is not None else "Manifest"
    return _Wanted(api.SUSPENDED, "True", reason, said)


def _preflight(obj: Object) -> _Wanted:
    """Not stalled without its program or secret: it is ready as soon as that is there."""
    because = preflight.readiness(obj)
    if because is None:
        return _Wanted(api.READY, "True", api.Reason.RECONCILIATION_SUCCEEDED)
    if not preflight.is_known(obj):
        return _Wanted(api.READY, "Unknown", api.Reason.PROGRESSING, because.text)
    return _Wanted(api.READY, "False", api.Reason.AGENT_NOT_READY, f"{because.text}; {because.unblock}")


def _waiting(obj: Object) -> _Wanted:
    if obj.because is None or not obj.because.waiting or suspending.stands_still(obj.because):
        return _Wanted(api.WAITING, None, "")
    return _Wanted(api.WAITING, "True", obj.because.waiting, obj.because.text)


def _task(obj: Object, task: TaskState) -> list[_Wanted]:
    verified = verifying.is_verified(task)
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
            _suspended(obj),
            _waiting(obj),
        ]
    return [*common, *_over(task.ended)]


def _over(ended: Ending) -> list[_Wanted]:
    """A task that was skipped is where it should be, and has not done what it was for."""
    gone = [_Wanted(each, None, "") for each in (api.RECONCILING, api.WAITING, api.SUSPENDED)]
    said = (ended.reason, ended.message)
    if ended.outcome in ("Merged", "Succeeded"):
        return [*gone, _Wanted(api.READY, "True", *said), _Wanted(api.SUCCEEDED, "True", *said)]
    if ended.outcome == "Skipped":
        return [*gone, _Wanted(api.READY, "True", *said), _Wanted(api.SUCCEEDED, "False", *said)]
    bad = [_Wanted(api.READY, "False", *said), _Wanted(api.SUCCEEDED, "False", *said)]
    return [*gone, *bad, _stalled(*said)]


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


def _approval(standing: Standing | None) -> list[_Wanted]:
    if standing is None:
        return [_Wanted(api.EFFECTIVE, "Unknown", "Pending")]
    said = (standing.reason, standing.message)
    how = ("Signed", "") if standing.verified else ("Claimed", "only the author of the commit says so")
    return [
        _Wanted(api.STALLED, None, ""),
        _Wanted(api.READY, None, ""),
        _Wanted(api.VERIFIED, "True" if standing.verified else "False", *how),
        _Wanted(api.EFFECTIVE, "True" if standing.counts else "False", *said),
        _Wanted(api.STALE, "True" if standing.stale else None, *said),
    ]


def _question(obj: Object) -> list[_Wanted]:
    """Being answered is all it is for; an answer in git that is not the one that counted is said to be stale."""
    asked = obj.question
    answer = asked.answer if asked is not None else None
    answered, stale = _Wanted(api.ANSWERED, "False", "Open"), _Wanted(api.STALE, None, "")
    if answer is not None:
        answered = _Wanted(api.ANSWERED, "True", "Answered", f"{answer.option}, by {answer.actor}")
    elif asked is not None and asked.closed:
        answered = _Wanted(api.ANSWERED, "False", "Closed", asked.closed)
    said = question.answer_in(obj)
    if asked is None:
        answered = _Wanted(api.ANSWERED, "False", "NotAsked", "no question of this name has been asked")
    if said is not None and question.is_early(obj):
        stale = _Wanted(api.STALE, "True", "NotAsked", "it was said before the question was asked")
    elif said is not None and asked is not None and not asked.is_open and (answer is None or answer.option != said[0]):
        over = answered.message or "the question is over"
        stale = _Wanted(api.STALE, "True", "Over", f"{said[0]} came too late: {over}")
    is_open = asked is not None and asked.is_open
    ready = _Wanted(api.READY, "Unknown" if is_open else "True", answered.reason, answered.message)
    return [answered, stale, ready, _waiting(obj), _Wanted(api.STALLED, None, "")]


def _worktree(obj: Object, worktree: WorktreeState) -> list[_Wanted]:
    accepted = _Wanted(api.ACCEPTED, "True", api.Reason.MADE_BY_CONTROLLER)
    if worktree.removed is not None:
        return [accepted, _Wanted(api.READY, "True", "Removed", "removed after salvage")]
    if worktree.path:
        return [accepted, _Wanted(api.READY, "True", "Created")]
    message = obj.failures.message if obj.failures is not None else ""
    return [accepted, _Wanted(api.READY, "Unknown", api.Reason.PROGRESSING, message)]


def _source(source: SourceState) -> list[_Wanted]:
    """A refused commit needs a person; a remote that is away comes back by itself."""
    synced = _Wanted(api.SYNCED, "True" if source.remote else None, api.Reason.FETCHED)
    ready = _Wanted(api.READY, "True", api.Reason.RECONCILIATION_SUCCEEDED)
    if source.unreachable:
        reason = api.Reason.SOURCE_OFFLINE if source.offline else api.Reason.SOURCE_UNAVAILABLE
        synced = _Wanted(api.SYNCED, "False", reason, unreachable_text(source))
        ready = _Wanted(api.READY, "False", reason, synced.message)
    if source.refused is None:
        verified = _Wanted(api.SOURCE_VERIFIED, "True" if source.signer else None, api.Reason.SIGNATURE_GOOD)
        if source.verified is not None:
            verified = dataclasses.replace(verified, message=f"{source.verified[:12]} is signed by {source.signer}")
        return [synced, verified, ready, _Wanted(api.STALLED, None, "")]
    said = (api.Reason.SIGNATURE_INVALID, refusal_text(source))
    refused = [_Wanted(each, "False", *said) for each in (api.SOURCE_VERIFIED, api.READY)]
    return [synced, *refused, _stalled(*said)]


def refusal_text(source: SourceState) -> str:
    return f"commit {(source.refused or '')[:12]} is not taken up: {source.refusal}"


def unreachable_text(source: SourceState) -> str:
    last = f"last fetched at {timestamps.rfc3339(source.synced_at)}" if source.synced_at else "never fetched"
    return f"{source.remote} cannot be fetched ({last}): {source.unreachable}"
