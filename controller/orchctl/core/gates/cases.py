"""One case before a gate: the task as it is now, what is judged, and what expressions may name."""

from __future__ import annotations

import dataclasses

from orchctl.core.events import Now
from orchctl.core.gates import verdicts
from orchctl.core.ids import key_of, name_of, namespace_of
from orchctl.core.plan import Check, GatePlan, StagePlan
from orchctl.core.state import Evidence, Object, TaskState
from orchctl.core.view import View
from orchctl.kit import digest


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    view: View
    obj: Object
    task: TaskState
    now: Now

    @property
    def stage(self) -> StagePlan:
        return self.task.plan.stages[self.task.stage]


def recorded(task: TaskState) -> tuple[verdicts.Finding, ...]:
    return tuple(one.finding for one in task.gating.judged)


def subject_of(case: Case, gate: GatePlan, policy_digest: str = "") -> verdicts.Subject:
    assert case.obj.desired is not None
    return verdicts.Subject(
        uid=case.obj.desired.uid,
        stage=case.stage.name,
        gate=gate.name,
        attempt=case.task.cycle + 1,
        commit=case.task.head or case.task.base or "",
        work_digest=case.task.plan.work_digest,
        evidence_digest=evidence_digest(case),
        policy_digest=policy_digest,
    )


def policy(case: Case, gate: GatePlan) -> Object | None:
    """The policy as it is now, in the task's namespace or else the built-in one."""
    for namespace in (namespace_of(case.obj.key), "default"):
        found = case.view.get(key_of("Policy", namespace, gate.policy))
        if found is not None and found.desired is not None and not found.withdrawn:
            return found
    return None


def policy_digest(found: Object | None) -> str:
    return found.desired.spec_digest if found is not None and found.desired is not None else ""


def evidence(case: Case) -> tuple[tuple[Check, Evidence], ...]:
    """What the checks of the stages so far have said about the work itself, the latest of each.

    A merge stage runs its own on the result of the merge, after the other gates: they are no part of what is judged.
    """
    task = case.task
    stages = task.plan.stages[: task.stage + (0 if case.stage.merge else 1)]
    here = case.stage.name if case.stage.merge else None
    ran = {one.id for one in task.checks if one.stage != here}
    seen = {one.digest: one for one in task.evidence if one.tree == task.head_tree and one.attempt in ran}
    found = {
        check.name: (check, seen[check.digest]) for stage in stages for check in stage.checks if check.digest in seen
    }
    return tuple(found.values())


def evidence_digest(case: Case) -> str:
    """Of all that was found out about the work by the time somebody is asked about it."""
    said: list[list[object]] = [[check.name, one.digest, one.tree, one.passed] for check, one in evidence(case)]
    said += [[str(case.task.head_tree or ""), case.task.changed]]
    return digest.sha256_hex(digest.canonical_json(said))


def roots(case: Case) -> dict[str, object]:
    """Everything an expression of a gate may name."""
    task, obj = case.task, case.obj
    found = evidence(case)
    results = {
        check.name: {"passed": one.passed, "exitCode": one.exit_code, "seconds": one.seconds} for check, one in found
    }
    stages = {
        stage.name: {"outcome": record.state, "message": record.message}
        for stage, record in zip(task.plan.stages, task.stages, strict=True)
    }
    return {
        "task": {
            "name": name_of(obj.key),
            "namespace": namespace_of(obj.key),
            "title": task.plan.title,
            "prompt": task.plan.prompt,
            "labels": dict(obj.desired.labels) if obj.desired is not None else {},
        },
        "project": {"name": task.plan.project.split("/", 1)[1]},
        "params": dict(task.plan.params),
        "stages": stages,
        "diff": _diff(task),
        "evidence": {"checks": {**results, "passed": bool(found) and all(one.passed for _, one in found)}},
    }


def _diff(task: TaskState) -> dict[str, object]:
    """Of more paths than are kept none is named: an expression about all of them must not pass on some."""
    named: dict[str, object] = {"paths": list(task.paths)} if task.changed <= len(task.paths) else {}
    return {"files": task.changed, "commits": task.commits, **named}
