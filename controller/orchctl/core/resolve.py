"""What a Task leaves out, filled in: Task -> Stage -> Role -> Project -> built in. Settings has nothing of it.

Pure: every object it asks for is read through the view, so a Task that waits for a missing Role is decided again the
moment the Role appears. The result is pinned by `TaskStarted`.
"""

from __future__ import annotations

import dataclasses
import functools
import json

from orchctl.api.v1alpha1 import pipeline as pipeline_kind
from orchctl.api.v1alpha1 import project as project_kind
from orchctl.api.v1alpha1 import role as role_kind
from orchctl.api.v1alpha1 import task as task_kind
from orchctl.core import choosing, gating, lacking, names, prompts
from orchctl.core.because import Because
from orchctl.core.gates import commits
from orchctl.core.ids import Key, key_of, name_of, namespace_of
from orchctl.core.plan import AgentPlan, CommitRule, Plan, Resolved, StagePlan
from orchctl.core.state import Object, Revision
from orchctl.core.view import View
from orchctl.kit import digest, durations

DEFAULT_PIPELINE = "change"
DEFAULT_ROLE = "coder"
DEFAULT_TASK_TIMEOUT = "4h"
DEFAULT_STAGE_TIMEOUT_S = 3600
DEFAULT_LOOP_LIMIT = 2
CONTROL_REPO = "."  # as a project's repo: the repo that holds the manifests
SPECS_CACHED_MAX = 1024


class Unresolved(Exception):
    """Something the Task refers to is missing or unusable; `because` is what the Task waits for."""

    def __init__(self, because: Because) -> None:
        super().__init__(because.text)
        self.because = because


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def task_spec(spec: str) -> task_kind.TaskSpec:
    return task_kind.TaskSpec.model_validate_json(spec)


def readable_task_spec(spec: str) -> task_kind.TaskSpec | None:
    """None for one that another release admitted and this one cannot read: folds and conditions go on without it."""
    try:
        return task_spec(spec)
    except ValueError:
        return None


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def pinned_digest(spec: str) -> str:
    """Of the fields a running Task is not to be changed in, as far as they say anything.

    Specs that differ in live fields only have the same digest, and so has one that a later release gave new defaults.
    """
    fields = json.loads(spec)
    said = {name: fields[name] for name in task_kind.PINNED if fields.get(name)}
    return digest.sha256_hex(digest.canonical_json(said))


def timeout_s(obj: Object, plan: Plan) -> int:
    """The longest time the Task may take, by its spec as it is now: a live field."""
    timeout = task_spec(obj.desired.spec).timeout if obj.desired is not None else None
    return durations.duration_s(timeout) if timeout else plan.default_timeout_s


def attempts_max(obj: Object) -> int:
    """How many attempts the Task may make in all, by its spec as it is now: a live field."""
    assert obj.desired is not None
    return task_spec(obj.desired.spec).attempts


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def project_spec(spec: str) -> project_kind.ProjectSpec:
    return project_kind.ProjectSpec.model_validate_json(spec)


@dataclasses.dataclass(frozen=True, slots=True)
class _Inputs:
    """What every step of the resolution needs, gathered once."""

    view: View
    namespace: str
    task: task_kind.TaskSpec
    project: project_kind.ProjectSpec
    project_name: str
    resolved: list[Resolved]


def plan_of(view: View, obj: Object, revision: Revision | None) -> Plan:
    """The pinned plan, or `Unresolved` with what is missing."""
    assert obj.desired is not None
    task = task_spec(obj.desired.spec)
    namespace = namespace_of(obj.key)
    resolved: list[Resolved] = []
    project_obj = find_project(view, namespace, task.project)
    project = project_spec(project_obj.desired.spec) if project_obj and project_obj.desired else _NO_PROJECT
    project_name = name_of(project_obj.key) if project_obj is not None else "control"
    _require_support(obj)
    if project_obj is not None:
        _require_support(project_obj)
    source = "Task" if task.project else "BuiltIn"
    resolved.append(Resolved("project", project_name, source, _digest(project_obj)))
    inputs = _Inputs(view, namespace, task, project, project_name, resolved)
    pipeline = _pipeline(inputs)
    stages = tuple(_stage(inputs, pipeline, stage) for stage in pipeline.stages)
    repo = project.repo.url or CONTROL_REPO
    branch = project.repo.branch or (_branch_of(revision) if repo == CONTROL_REPO else "")
    default_timeout_s = _timeout(inputs)
    title = task.title or next(iter(task.prompt.strip().splitlines()), name_of(obj.key))
    return Plan(
        project=f"{namespace}/{project_name}",
        repo=repo,
        branch=branch,
        task_branch=f"orch/{name_of(obj.key)}",
        title=title,
        prompt=task.prompt,
        stages=stages,
        env=tuple(sorted(project.worktrees.env.items())),
        keep=project.worktrees.keep.value,
        protected=tuple(project.guardrails.protected_paths),
        commit=_commit_rule(project, title, obj),
        manifest_roots=revision.roots if revision is not None else (),
        default_timeout_s=default_timeout_s,
        resolved=tuple(resolved),
        pinned_digest=pinned_digest(obj.desired.spec),
        touches=tuple(task.touches),
        work_digest=_work_digest(obj.desired.spec, stages, resolved),
    )


def _commit_rule(project: project_kind.ProjectSpec, title: str, obj: Object) -> CommitRule | None:
    """The commit that lands begins with the title: better to be told before the work than after it (APP-7)."""
    rule = gating.commit_rule(project)
    subject = prompts.commit_subject(title)
    if rule is None or commits.fits(rule, subject):
        return rule
    assert obj.desired is not None
    text = f"its merge commit would begin with {subject!r}, which guardrails.commit does not allow: {rule.pattern}"
    unblock = f"set `spec.title` in {obj.desired.path}:{obj.desired.line} to a line that matches"
    raise Unresolved(Because("APP-7", text, unblock=unblock, waiting="Guardrail"))


_NO_PROJECT = project_kind.ProjectSpec()


def _work_digest(spec: str, stages: tuple[StagePlan, ...], resolved: list[Resolved]) -> str:
    """Of all that is pinned: the work fields, and Pipeline, Roles and Agents as they are now, all of each."""
    used = [f"{one.field}={one.name}@{one.digest}" for one in resolved if one.field not in ("project", "timeout")]
    project = next(one.name for one in resolved if one.field == "project")
    return names.uid_of(pinned_digest(spec), repr(stages), project, *used)


def _digest(obj: Object | None) -> str:
    return obj.desired.spec_digest if obj is not None and obj.desired is not None else ""


def _timeout(inputs: _Inputs) -> int:
    """Of a Task that says none itself; what it says is a live field."""
    given = inputs.project.defaults.timeout
    source = "Project" if given else "BuiltIn"
    inputs.resolved.append(Resolved("timeout", given or DEFAULT_TASK_TIMEOUT, source))
    return durations.duration_s(given or DEFAULT_TASK_TIMEOUT)


def _branch_of(revision: Revision | None) -> str:
    prefix = "refs/heads/"
    return revision.ref.removeprefix(prefix) if revision is not None and revision.ref.startswith(prefix) else ""


def find_project(view: View, namespace: str, name: str | None) -> Object | None:
    """The named project, else the only one of the namespace, else None: the control repo is the project."""
    if name:
        return _find(view, "Project", namespace, name)
    found = [obj for obj in view.all_of("Project") if namespace_of(obj.key) == namespace and obj.desired]
    if len(found) > 1:
        text = f"{len(found)} projects in namespace {namespace}, and the task names none"
        raise Unresolved(Because("GIT-7", text, unblock="set `spec.project`", waiting="Dependency"))
    return found[0] if found else None


def _find(view: View, kind: str, namespace: str, name: str) -> Object:
    """A referenced object: in the namespace, or else the built-in one, which lives in `default`."""
    for key in (key_of(kind, namespace, name), key_of(kind, "default", name)):
        obj = view.get(key)
        if obj is not None and obj.desired is not None and not obj.withdrawn:
            return obj
    raise Unresolved(lacking.absence(view, kind, key_of(kind, namespace, name), name))


def _require_support(obj: Object) -> None:
    because = lacking.support(obj)
    if because is not None:
        raise Unresolved(because)


def _pipeline(inputs: _Inputs) -> pipeline_kind.PipelineSpec:
    task, project = inputs.task, inputs.project
    name = task.pipeline or project.defaults.pipeline or DEFAULT_PIPELINE
    source = "Task" if task.pipeline else "Project" if project.defaults.pipeline else "BuiltIn"
    found = _find(inputs.view, "Pipeline", inputs.namespace, name)
    assert found.desired is not None
    inputs.resolved.append(Resolved("pipeline", name, source, found.desired.spec_digest))
    _require_support(found)
    return pipeline_kind.PipelineSpec.model_validate_json(found.desired.spec)


def _stage(inputs: _Inputs, pipeline: pipeline_kind.PipelineSpec, stage: pipeline_kind.Stage) -> StagePlan:
    checks, wants_checks = gating.checks_of(inputs.project, stage)
    goto, limit = _failure_edge(pipeline, stage)
    for gate in stage.gates:
        if gate.approval is not None:
            _policy(inputs, stage.name, gate.approval.policy)
    if any(gate.commit is not None for gate in stage.gates) and inputs.project.guardrails.commit is None:
        text = f"a gate of stage {stage.name} is about commits, and project {inputs.project_name} says nothing of them"
        unblock = "set `spec.guardrails.commit` of the Project, or remove the gate"
        raise Unresolved(Because("APP-7", text, unblock=unblock, waiting="Dependency"))
    base = StagePlan(
        name=stage.name,
        prompt=stage.prompt,
        timeout_s=durations.duration_s(stage.timeout) if stage.timeout else DEFAULT_STAGE_TIMEOUT_S,
        checks=checks,
        wants_checks=wants_checks,
        gates=gating.gates_of(inputs.project, stage),
        goto=goto,
        limit=limit,
        then=stage.on_failure.then.value if stage.on_failure is not None else "Fail",
        merge=stage.merge is not None,
        into=(stage.merge.into or "") if stage.merge is not None else "",
    )
    if stage.role is None:
        return base
    found = _find(inputs.view, "Role", inputs.namespace, stage.role)
    assert found.desired is not None
    _require_support(found)
    role = role_kind.RoleSpec.model_validate_json(found.desired.spec)
    inputs.resolved.append(Resolved(f"stages.{stage.name}.role", stage.role, "Stage", found.desired.spec_digest))
    agent = _agent(inputs, stage, role)
    limited_by: tuple[Key, ...] = (Key(f"Agent//{agent.name}"), found.key)
    if agent.account:
        limited_by = (*limited_by, Key(f"Account//{agent.account}"))
    return dataclasses.replace(base, role=stage.role, system=role.system, agent=agent, limited_by=limited_by)


def _policy(inputs: _Inputs, stage: str, named: str | None) -> None:
    """Whose approval is wanted. It is read as it is when it is asked for; that there is one is known from the start."""
    name = named or inputs.project.defaults.policy or gating.DEFAULT_POLICY
    source = "Stage" if named else "Project" if inputs.project.defaults.policy else "BuiltIn"
    _require_support(_find(inputs.view, "Policy", inputs.namespace, name))
    inputs.resolved.append(Resolved(f"stages.{stage}.policy", name, source))


def _failure_edge(pipeline: pipeline_kind.PipelineSpec, stage: pipeline_kind.Stage) -> tuple[int, int]:
    """(stage to go back to, how often). Unset: the nearest stage at or before this one that has an agent."""
    order = [one.name for one in pipeline.stages]
    if stage.on_failure is not None:
        return order.index(stage.on_failure.goto), stage.on_failure.limit
    here = order.index(stage.name)
    writing = [index for index in range(here + 1) if pipeline.stages[index].role is not None]
    return (writing[-1], DEFAULT_LOOP_LIMIT) if writing else (here, 0)


def _agent(inputs: _Inputs, stage: pipeline_kind.Stage, role: role_kind.RoleSpec) -> AgentPlan:
    chain = (
        ("Task", inputs.task.agents),
        ("Stage", stage.agents),
        ("Role", role.agents),
        ("Project", inputs.project.defaults.agents),
    )
    source, wanted = next(((source, agents) for source, agents in chain if agents), ("BuiltIn", ()))
    environ = tuple(inputs.project.worktrees.env.items())
    made = choosing.choose(inputs.view, wanted, environ) if wanted else choosing.default(inputs.view, environ)
    if isinstance(made, Because):
        raise Unresolved(made)
    name = f"{made.agent.name}/{made.agent.model}" if made.agent.model else made.agent.name
    inputs.resolved.append(Resolved(f"stages.{stage.name}.agent", name, source, made.digest, made.passed_over))
    return made.agent
