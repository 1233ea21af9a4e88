"""Pipeline: the stages of a Task. Gates are in `gates`; the rules over several fields stand with the models."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules
from orchctl.api.v1alpha1.children import TasksStage
from orchctl.api.v1alpha1.gates import Gate, gate_name_expression
from orchctl.api.v1alpha1.role import Output


class Then(StrEnum):
    FAIL = "Fail"
    ASK = "Ask"
    CONTINUE = "Continue"


class Strategy(StrEnum):
    SQUASH = "Squash"
    MERGE = "Merge"
    REBASE = "Rebase"


class Via(StrEnum):
    QUEUE = "Queue"
    BRANCH = "Branch"
    PULL_REQUEST = "PullRequest"


class Conversation(StrEnum):
    FRESH = "Fresh"
    RESUME = "Resume"


class Distinct(StrEnum):
    NONE = "None"
    AGENT = "Agent"
    BACKEND = "Backend"


class OnFailure(fields.Model):
    goto: fields.Name = Field(description="Stage to go back to: this one or an earlier one.")
    limit: Annotated[int, Field(ge=0, le=fields.LOOPS_MAX)] = Field(default=2, description="How often at most.")
    then: Then = Field(
        default=Then.FAIL,
        description="What happens when it is not tried again: the Task fails, asks a person, or goes on without it.",
    )


class Conflicts(fields.Model):
    role: fields.Name = Field(description="Role of the agent that resolves a merge conflict.")
    limit: Annotated[int, Field(ge=0, le=fields.LOOPS_MAX)] = Field(default=2, description="How often at most.")


class Merge(fields.Model):
    into: fields.Branch | None = Field(default=None, description="Target branch; unset: the project's branch.")
    strategy: Strategy = Field(
        default=Strategy.SQUASH,
        description="How the work lands on the target.",
        json_schema_extra=fields.only("Squash"),
    )
    via: Via | None = fields.planned("The way to the target; unset: straight to the branch.")
    conflicts: Conflicts | None = fields.planned("Who resolves merge conflicts; unset: a conflict fails the stage.")


class PanelMember(fields.Model):
    name: fields.Name = Field(description="Name of the member, unique in the panel.")
    role: fields.Name = Field(description="Role of the member; its access must be ReadOnly.")
    prompt: fields.Text = Field(default="", description="What the member is told; empty: the stage's prompt.")
    agents: fields.Agents = Field(default=(), description="Agents in order of preference; empty: the role's.")


class Panel(fields.Model):
    RULES = (rules.unique("members"),)

    members: Annotated[tuple[PanelMember, ...], Field(min_length=1, max_length=8)] = Field(
        description="Those who judge the work, in parallel and read-only."
    )
    distinct: Distinct = Field(default=Distinct.NONE, description="In what the members' agents must differ.")


class Use(fields.Model):
    pipeline: fields.Name = Field(description="Pipeline whose stages stand here, expanded when the Task starts.")
    params: fields.Parameters = Field(default_factory=dict, description="Values of its parameters.")


class KeepApproval(fields.Model):
    policy: fields.Name | None = Field(default=None, description="Policy; unset: the project's.")


class VariantsKeep(fields.Model):
    RULES = (rules.one_of("role", "approval"),)

    role: fields.Name | None = Field(default=None, description="Role that scores the variants; the best is kept.")
    approval: KeepApproval | None = Field(default=None, description="A person chooses the one to keep.")


class Variants(fields.Model):
    agents: Annotated[tuple[fields.AgentReference, ...], Field(min_length=2, max_length=8)] = Field(
        description="Each does the same work in a worktree of its own."
    )
    keep: VariantsKeep = Field(description="Who decides which of them goes on.")


class Artifact(fields.Model):
    name: fields.Name = Field(description="Name of the artifact, unique in the stage.")
    path: fields.InsidePath = Field(description="File or folder in the worktree.")


def _needs_role(field: str, unset: str) -> rules.Rule:
    message = f"must not be given without `role`{' or `panel`' if field in ('prompt', 'timeout', 'budget') else ''}"
    panel = " || has(self.panel)" if field in ("prompt", "timeout", "budget") else ""
    return rules.Rule(f"has(self.role){panel} || {unset}", message, path=(field,))


class Stage(fields.Model):
    """At most one of `role`, `panel`, `tasks`, `merge` and `use`; with none, the stage only has gates."""

    RULES = (
        rules.at_most_one_of("role", "panel", "tasks", "merge", "use"),
        rules.Rule(
            "has(self.role) || has(self.panel) || has(self.tasks) || has(self.merge) || has(self.use)"
            " || size(self.gates) > 0",
            "must have a `role`, a `panel`, `tasks`, a `merge`, a `use` or at least one of `gates`",
            code="missing",
        ),
        _needs_role("prompt", "self.prompt == ''"),
        _needs_role("agents", "size(self.agents) == 0"),
        _needs_role("timeout", "!has(self.timeout)"),
        _needs_role("budget", "!has(self.budget)"),
        _needs_role("conversation", "!has(self.conversation)"),
        _needs_role("artifacts", "size(self.artifacts) == 0"),
        _needs_role("variants", "!has(self.variants)"),
        _needs_role("output", "!has(self.output)"),
        rules.Rule(
            f"self.gates.filter(one, {gate_name_expression('one')} == {gate_name_expression('item')}).size() == 1",
            "must be unique: give two gates of one type names",
            code="duplicate_name",
            each="gates",
            after_first=True,
        ),
        rules.unique("artifacts"),
    )

    name: fields.Name = Field(description="Name of the stage, unique in the pipeline.")
    role: fields.Name | None = Field(default=None, description="Role of the agent that works in this stage.")
    panel: Panel | None = fields.planned("Several agents judge the work, in parallel and read-only.")
    tasks: TasksStage | None = fields.planned("Child Tasks, one for each item; the stage waits for them.")
    use: Use | None = fields.planned("Stages of another pipeline, at most three levels deep.")
    prompt: fields.Text = Field(default="", description="What the agent is told; empty: the Task's prompt.")
    agents: fields.Agents = Field(default=(), description="Agents in order of preference; empty: the role's.")
    variants: Variants | None = fields.planned("Several agents do the same work, the best is kept.")
    when: fields.Expression | None = fields.planned("CEL: the stage is skipped unless this is true.")
    conversation: Conversation | None = fields.planned("Whether a loop goes on in the agent's conversation or anew.")
    timeout: fields.Duration | None = Field(default=None, description="Longest time the stage's agent may take.")
    budget: fields.Amounts | None = fields.planned("What one session of the stage may consume.")
    env: fields.Environment = fields.planned("Environment of the stage's agent and gates.", {})
    artifacts: Annotated[tuple[Artifact, ...], Field(max_length=16)] = fields.planned(
        "What is kept of the worktree when the stage ends.", ()
    )
    output: Output | None = fields.planned("What the agent must hand back; unset: the role's.")
    gates: Annotated[tuple[Gate, ...], Field(max_length=16)] = Field(
        default=(), description="What must hold before the Task leaves this stage."
    )
    on_failure: OnFailure | None = Field(default=None, description="Where a red gate leads; unset: the Task fails.")
    merge: Merge | None = Field(default=None, description="This stage lands the work on the target branch.")


class Parameter(fields.Model):
    name: fields.ParameterName = Field(description="Name, as in `params.<name>`.")
    description: fields.Line | None = Field(default=None, description="One line for people.")
    default: fields.ParameterValue | None = Field(default=None, description="Value of Tasks that give none.")
    enum: Annotated[tuple[fields.ParameterValue, ...], Field(max_length=32)] = Field(
        default=(), description="The only values allowed; empty: any."
    )
    required: bool = Field(default=False, description="Whether a Task must give a value.")


_GOTO = (
    "!has(item.onFailure) || self.stages.exists(one, one.name == item.onFailure.goto"
    " && self.stages.map(each, each.name).indexOf(one.name) <= self.stages.map(each, each.name).indexOf(item.name))"
)


class PipelineSpec(fields.Model):
    RULES = (
        rules.unique("stages"),
        rules.unique("params"),
        rules.Rule(
            "!has(item.merge) || self.stages[size(self.stages) - 1].name == item.name",
            "must be in the last stage, and in one only",
            path=("merge",),
            each="stages",
        ),
        rules.Rule(
            _GOTO,
            "must be this stage or an earlier one",
            path=("onFailure", "goto"),
            code="unknown_stage",
            each="stages",
        ),
        rules.Rule(
            "!has(item.merge) || !has(item.onFailure) || item.onFailure.then != 'Continue'",
            "must be Fail or Ask: nothing comes after a merge",
            path=("onFailure", "then"),
            each="stages",
        ),
        rules.Rule(
            "!has(item.tasks) || !has(item.tasks.forEach.stage) || self.stages.exists(one,"
            " one.name == item.tasks.forEach.stage && self.stages.map(each, each.name).indexOf(one.name)"
            " < self.stages.map(each, each.name).indexOf(item.name))",
            "must be an earlier stage",
            path=("tasks", "forEach", "stage"),
            code="unknown_stage",
            each="stages",
        ),
        rules.Rule(
            "!has(item.tasks) || !has(item.tasks.forEach.param)"
            " || self.params.exists(one, one.name == item.tasks.forEach.param)",
            "must be one of the pipeline's `params`",
            path=("tasks", "forEach", "param"),
            code="unknown_parameter",
            each="stages",
        ),
        rules.Rule(
            "!has(item.merge) && !has(item.tasks) && !has(item.use) && !has(item.onFailure)",
            "must not merge, make tasks, use a pipeline or go back: it runs after the end",
            each="finally",
        ),
    )

    params: Annotated[tuple[Parameter, ...], Field(max_length=32)] = fields.planned("What a Task may set.", ())
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=fields.STAGES_MAX)] = Field(
        description="Stages in the order they are run."
    )
    finally_: Annotated[tuple[Stage, ...], Field(max_length=4)] = fields.planned(
        "Stages run at the end whatever it is.", (), alias="finally"
    )


class Pipeline(meta.Manifest):
    spec: PipelineSpec = Field(description="The pipeline as it should be.")
