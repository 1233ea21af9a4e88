"""The gates of a stage as they are pinned in a plan: what the pipeline asks for, with what the project says."""

from __future__ import annotations

from orchctl.api.v1alpha1 import gates as gate_kind
from orchctl.api.v1alpha1 import pipeline as pipeline_kind
from orchctl.api.v1alpha1 import project as project_kind
from orchctl.core.plan import Check, CommitRule, FilesRule, GatePlan, WindowRule
from orchctl.kit import durations

DEFAULT_POLICY = "solo"


def checks_of(project: project_kind.ProjectSpec, stage: pipeline_kind.Stage) -> tuple[tuple[Check, ...], bool]:
    """The commands that guard a stage, and whether the project's own checks are wanted among them."""
    checks: list[Check] = []
    wants_checks = False
    for gate in stage.gates:
        if gate.checks is not None:
            wants_checks = True
            checks.extend(project_checks(project))
        if gate.command is not None:
            timeout_s = durations.duration_s(gate.command.timeout)
            checks.append(Check(name=gate.name or "command", run=gate.command.run, timeout_s=timeout_s))
    return tuple(checks), wants_checks


def project_checks(project: project_kind.ProjectSpec) -> tuple[Check, ...]:
    return tuple(
        Check(name=check.name, run=check.run, timeout_s=durations.duration_s(check.timeout)) for check in project.checks
    )


def gates_of(project: project_kind.ProjectSpec, stage: pipeline_kind.Stage) -> tuple[GatePlan, ...]:
    """The gates that run no command."""
    found = (_gate(project, gate) for gate in stage.gates)
    return tuple(gate for gate in found if gate is not None)


def _gate(project: project_kind.ProjectSpec, gate: gate_kind.Gate) -> GatePlan | None:
    if gate.files is not None:
        rule = FilesRule(tuple(gate.files.deny), tuple(gate.files.allow), gate.files.max_changed)
        return GatePlan(gate.name or "files", "files", files=rule)
    if gate.commit is not None:
        return GatePlan(gate.name or "commit", "commit", commit=commit_rule(project) or CommitRule())
    if gate.cel is not None:
        return GatePlan(gate.name or "cel", "cel", expression=gate.cel.expression)
    if gate.delay is not None:
        return GatePlan(gate.name or "delay", "delay", delay_s=durations.duration_s(gate.delay.for_))
    if gate.window is not None:
        window = WindowRule(gate.window.cron, durations.duration_s(gate.window.duration), gate.window.time_zone)
        return GatePlan(gate.name or "window", "window", window=window)
    if gate.approval is not None:
        policy = gate.approval.policy or project.defaults.policy or DEFAULT_POLICY
        return GatePlan(gate.name or "approval", "approval", policy=policy)
    return None


def commit_rule(project: project_kind.ProjectSpec) -> CommitRule | None:
    said = project.guardrails.commit
    if said is None:
        return None
    return CommitRule(said.pattern or "", tuple(trailer.value for trailer in said.trailers))
