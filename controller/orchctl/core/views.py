"""Objects as they are served: the row of the read model, the status file and the API answer are all this value.

Pure, and the only place where a display word is chosen. It reads facts; it never asks the world.
"""

from __future__ import annotations

import dataclasses
import json

from orchctl.api import kinds
from orchctl.core import agents, names, preflight, resolve
from orchctl.core.events import Now
from orchctl.core.folds import parts
from orchctl.core.ids import Key, kind_of, name_of, namespace_of
from orchctl.core.kinds import suspending
from orchctl.core.plan import Resolved
from orchctl.core.questions import QuestionState
from orchctl.core.state import Attempt, Judged, Object, SessionState, SourceState, State, TaskState, WorktreeState
from orchctl.kit import timestamps

Json = dict[str, object]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row of the objects table."""

    key: Key
    uid: str
    generation: int
    seq: int
    ready: str
    summary: str
    stage: str
    agent: str
    created_at: float
    body: str
    because: str
    object: Object  # what it was made from


def row(state: State, obj: Object) -> Row:
    status = _status(state, obj)
    body = {
        "apiVersion": kinds.API_VERSION,
        "kind": kind_of(obj.key),
        "metadata": _metadata(state, obj),
        "spec": _spec(obj),
        "status": status,
    }
    return Row(
        key=obj.key,
        uid=_uid(obj),
        generation=obj.desired.generation if obj.desired is not None else 1,
        seq=obj.seq,
        ready=next((one.status for one in obj.conditions if one.type == "Ready"), "Unknown"),
        summary=str(status["summary"]),
        stage=str(status.get("stage", "")),
        agent=_agent(obj),
        created_at=obj.created.at,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        because=_because(obj),
        object=obj,
    )


def _uid(obj: Object) -> str:
    if obj.session is not None:
        return obj.session.uid
    if obj.worktree is not None:
        return obj.worktree.uid
    if obj.question is not None:
        return names.uid_of(obj.question.task_uid, obj.key)
    return obj.desired.uid if obj.desired is not None else ""


def _because(obj: Object) -> str:
    if obj.because is None:
        return ""
    found = dataclasses.asdict(obj.because)
    return json.dumps({**found, "since": obj.because_since.at if obj.because_since is not None else 0.0})


def _metadata(state: State, obj: Object) -> Json:
    result: Json = {"name": name_of(obj.key)}
    if namespace_of(obj.key):
        result["namespace"] = namespace_of(obj.key)
    result["uid"] = _uid(obj)
    result["generation"] = obj.desired.generation if obj.desired is not None else 1
    result["resourceVersion"] = str(obj.seq)
    result["creationTimestamp"] = timestamps.rfc3339(obj.created.at)
    if obj.withdrawn:
        result["deletionTimestamp"] = timestamps.rfc3339(obj.because_since.at if obj.because_since else obj.created.at)
    if obj.desired is not None:
        result["labels"] = dict(obj.desired.labels)
        source = f"{obj.desired.path}:{obj.desired.line}"
        digest = {"orchctl.dev/source": source, "orchctl.dev/spec-digest": obj.desired.spec_digest}
        result["annotations"] = {**dict(obj.desired.annotations), **digest}
    return result


def _spec(obj: Object) -> object:
    if obj.desired is not None:
        return json.loads(obj.desired.spec)
    if obj.question is not None:
        return {"subject": {"kind": "Task", "name": name_of(obj.question.task)}}
    if obj.session is not None:
        worktree = {"name": name_of(obj.session.worktree)}
        return {"prompt": obj.session.prompt, "worktree": worktree}
    if obj.worktree is not None:
        return {"project": obj.worktree.project.split("/", 1)[1], "branch": obj.worktree.branch}
    return {}


def _status(state: State, obj: Object) -> Json:
    result: Json = {"summary": summary(obj)}
    if obj.desired is not None:
        result["observedGeneration"] = obj.desired.generation
    result["conditions"] = [condition.served() for condition in obj.conditions]
    if obj.because is not None and obj.because.waiting and parts.ending_of(obj) is None:
        since = timestamps.rfc3339(obj.because_since.at) if obj.because_since is not None else ""
        result["waiting"] = {"reason": obj.because.waiting, "message": obj.because.text, "since": since}
    if kind_of(obj.key) in ("Task", "Question"):
        result.update(_life(obj))
    if obj.task is not None:
        result.update(_task(state, obj, obj.task))
    if obj.question is not None:
        result.update(_question(obj.question))
    if obj.session is not None:
        result.update(_session(obj.session))
    if obj.worktree is not None:
        result.update(_worktree(obj.worktree))
    if obj.principal is not None:
        by = obj.principal
        result["principal"] = {"class": by.kind, "name": by.name, "verified": by.verified, "commit": by.commit}
    program = agents.found(obj)
    if program is not None:
        result.update(path=program.path, version=program.version, since=_moment(program.since))
    if obj.source is not None:
        result.update(_source(state, obj.source))
    if obj.problems:
        result["problems"] = list(obj.problems)
    return result


def summary(obj: Object) -> str:
    """The one word a table shows. It follows from the facts; nothing may depend on it."""
    if obj.stalled:
        return "Stalled"
    if obj.desired is None and obj.problems:
        return "Invalid"
    if obj.session is not None:
        return _session_word(obj.session)
    if obj.source is not None:
        return _source_word(obj.source)
    if obj.question is not None:
        return _question_word(obj.question)
    if obj.worktree is not None:
        return "Removed" if obj.worktree.removed else "Ready" if obj.worktree.path else "Creating"
    if obj.standing is not None and not obj.withdrawn:
        return obj.standing.reason if not obj.standing.counts else "Effective"
    if kind_of(obj.key) != "Task":
        word = "NotImplemented" if obj.desired is not None and obj.desired.in_the_way else _declared_word(obj)
        return "Deleting" if obj.withdrawn else word
    ended = parts.ending_of(obj)
    if ended is not None:
        return ended.outcome
    if suspending.stands_still(obj.because):
        return "Suspended"
    if obj.because is not None and obj.because.waiting:
        return f"Waiting({obj.because.waiting})"
    if obj.task is None or obj.task.retry is not None:
        return "Pending"
    return "Stopping" if obj.task.stopping is not None else "Running"


def _declared_word(obj: Object) -> str:
    """Of an Agent and an Account whether what they need is there; of all others, that they have been read."""
    if kind_of(obj.key) not in preflight.KINDS or preflight.readiness(obj) is None:
        return "Ready"
    return "NotReady" if preflight.is_known(obj) else "Pending"


def _source_word(source: SourceState) -> str:
    if source.refused is not None:
        return "Refused"
    return "Ready" if not source.unreachable else "Offline" if source.offline else "Unavailable"


def _question_word(question: QuestionState) -> str:
    return "Open" if question.is_open else "Closed" if question.answer is None else "Answered"


def _session_word(session: SessionState) -> str:
    if session.ended is not None:
        return "Succeeded" if session.succeeded else "Failed"
    return "Working" if session.attempts else "Starting"


def _agent(obj: Object) -> str:
    if obj.task is None:
        return ""
    agents = [stage.agent.name for stage in obj.task.plan.stages if stage.agent is not None]
    current = obj.task.plan.stages[min(obj.task.stage, len(obj.task.plan.stages) - 1)].agent
    name = current.name if current is not None else agents[0] if agents else ""
    return f"{name}/{obj.task.cycle + 1}" if name else ""


def _moment(now: Now | None) -> str | None:
    return timestamps.rfc3339(now.at) if now is not None else None


def _life(obj: Object) -> Json:
    """What people have asked of it last, and how it ended if it never began."""
    result: Json = {}
    handled, suspension, unstarted = obj.life.handled, obj.life.suspension, obj.life.unstarted
    if suspension is not None:
        result["suspended"] = {
            "by": suspension.actor,
            "reason": suspension.reason,
            "since": _moment(suspension.since),
            "until": timestamps.rfc3339(suspension.until) if suspension.until is not None else None,
        }
    if handled is not None:
        result["request"] = {
            "token": handled.token,
            "verb": handled.verb,
            "by": handled.actor,
            "at": _moment(handled.at),
            "refused": handled.refused,
        }
    if unstarted is not None:
        result["endedAt"] = _moment(unstarted.at)
    return result


def _task(state: State, obj: Object, task: TaskState) -> Json:
    stages = task.plan.stages
    sessions = [
        key
        for stage, cycle in parts.runs_of(task)
        for key in names.session_keys(obj.key, stage, cycle)
        if key in state.objects and parts.owner_of(state.objects[key]) == obj.key
    ]
    return {
        "stage": stages[min(task.stage, len(stages) - 1)].name,
        "attempt": task.cycle + 1,
        "cycle": task.cycle,
        "branch": task.plan.task_branch,
        "target": task.branch or task.plan.branch,
        "base": task.base,
        "head": task.head,
        "merged": task.landed,
        "workDigest": task.plan.work_digest,
        "worktree": name_of(names.worktree_key(obj.key)),
        "sessions": [name_of(key) for key in sessions],
        "stages": [_stage(state, obj, task, index) for index in range(len(stages))],
        "gates": _gates(task),
        "resolved": [_resolved(obj, one) for one in task.plan.resolved],
        "startedAt": _moment(task.started),
        "endedAt": _moment(task.ended.at if task.ended is not None else None),
    }


def _resolved(obj: Object, one: Resolved) -> Json:
    """As it was pinned, but for the timeout: what the Task itself says of that is in force at once."""
    timeout = resolve.task_spec(obj.desired.spec).timeout if obj.desired is not None else None
    if one.field == "timeout" and timeout:
        one = Resolved("timeout", timeout, "Task")
    result: Json = {"field": one.field, "name": one.name, "digest": one.digest, "source": one.source}
    return result | ({"passedOver": list(one.passed_over)} if one.passed_over else {})


def _stage(state: State, obj: Object, task: TaskState, index: int) -> Json:
    record = task.stages[index]
    waiting = obj.because is not None and obj.because.waiting and record.state == "Running"
    return {
        "name": task.plan.stages[index].name,
        "state": "Waiting" if waiting else record.state,
        "startedAt": _moment(record.started),
        "endedAt": _moment(record.ended),
        "message": record.message,
    }


def _gates(task: TaskState) -> list[Json]:
    """Every check run so far, each with the attempt whose log shows it; then what the other gates say."""
    said = {one.attempt: one for one in task.evidence}
    result: list[Json] = []
    for number, attempt in enumerate(task.checks, start=1):
        evidence = said.get(attempt.id)
        verdict = "Running" if attempt.ended is None else "Lost" if evidence is None else ""
        result.append(
            {
                "stage": attempt.stage,
                "name": attempt.name,
                "type": "check",
                "since": _moment(attempt.ended or attempt.submitted),
                "state": verdict or ("Passed" if evidence is not None and evidence.passed else "Failed"),
                "message": attempt.message,
                "exitCode": attempt.exit_code,
                "attempt": number,
                "attemptId": attempt.id,
                "tree": attempt.tree,
            }
        )
    return result + [_judged(one) for one in task.gating.judged]


def _judged(one: Judged) -> Json:
    """The last verdict of a gate that is no command, and what it is about."""
    found = one.finding
    subject = {
        "kind": "Task",
        "uid": found.subject.uid,
        "stage": found.stage,
        "gate": found.gate,
        "attempt": found.subject.attempt,
        "commit": found.subject.commit,
        "workDigest": found.subject.work_digest,
        "evidenceDigest": found.subject.evidence_digest,
        "policyDigest": found.subject.policy_digest,
    }
    return {
        "stage": found.stage,
        "name": found.gate,
        "type": found.type,
        "state": found.state,
        "message": found.message,
        "since": _moment(one.since),
        **({"subject": subject, "approvals": [name_of(key) for key in found.used]} if found.type == "approval" else {}),
    }


def _session(session: SessionState) -> Json:
    return {
        "state": "Exited" if session.ended is not None else "Working" if session.attempts else "Starting",
        "agent": session.agent,
        "task": name_of(session.task),
        "worktree": name_of(session.worktree),
        "attempt": session.number,
        "isolation": "None",
        "attempts": [_attempt(one) for one in session.attempts],
        "startedAt": _moment(session.created),
        "endedAt": _moment(session.ended),
    }


def _attempt(attempt: Attempt) -> Json:
    return {
        "id": attempt.id,
        "purpose": attempt.purpose,
        "phase": attempt.phase.value,
        "exitCode": attempt.exit_code,
        "signal": attempt.signal,
        "outputBytes": attempt.output_bytes,
        "message": attempt.message,
    }


def _question(question: QuestionState) -> Json:
    answer = question.answer
    result: Json = {
        "kind": "StageFailed",
        "reason": question.reason,
        "stage": question.stage,
        "text": question.text,
        "options": list(question.options),
        "since": _moment(question.since),
    }
    if answer is not None:
        said = {"option": answer.option, "text": answer.text, "by": answer.actor, "at": _moment(answer.at)}
        result["answered"] = said
    return result


def _worktree(worktree: WorktreeState) -> Json:
    return {
        "path": worktree.path,
        "branch": worktree.branch,
        "base": worktree.commit,
        "task": name_of(worktree.task),
        "removedAt": _moment(worktree.removed),
    }


def _source(state: State, source: SourceState) -> Json:
    revision = state.revision
    return {
        "remote": source.remote,
        "ref": revision.ref if revision is not None else "",
        "commit": revision.commit if revision is not None else "",
        "refused": source.refused or "",
        "signer": source.signer,
    }
