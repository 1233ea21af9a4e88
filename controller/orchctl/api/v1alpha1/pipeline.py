"""Pipeline: the stages of a Task. Rules over several fields (goto, merge last, one of) are in `rules`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta


class Then(StrEnum):
    FAIL = "Fail"


class Strategy(StrEnum):
    SQUASH = "Squash"


class ChecksGate(fields.Model):
    """The project's checks; has no fields of its own yet."""


class CommandGate(fields.Model):
    run: fields.Command = Field(description="Shell command; exit code 0 passes. Never a template.")
    timeout: fields.Duration = Field(default="10m", description="The gate fails if it takes longer.")


class Gate(fields.Model):
    """Exactly one of `checks` and `command`."""

    name: fields.Name | None = Field(default=None, description="Name, unique in the stage; unset: the gate's type.")
    checks: ChecksGate | None = Field(default=None, description="The checks of the Task's project must pass.")
    command: CommandGate | None = Field(default=None, description="A command must pass.")


class OnFailure(fields.Model):
    goto: fields.Name = Field(description="Stage to go back to: this one or an earlier one.")
    limit: Annotated[int, Field(ge=0, le=fields.LOOPS_MAX)] = Field(default=2, description="How often at most.")
    then: Then = Field(default=Then.FAIL, description="What happens when the limit is reached.")


class Merge(fields.Model):
    into: fields.Branch | None = Field(default=None, description="Target branch; unset: the project's branch.")
    strategy: Strategy = Field(default=Strategy.SQUASH, description="How the work lands on the target.")


class Stage(fields.Model):
    """At most one of `role` and `merge`; with neither, the stage only has gates."""

    name: fields.Name = Field(description="Name of the stage, unique in the pipeline.")
    role: fields.Name | None = Field(default=None, description="Role of the agent that works in this stage.")
    prompt: fields.Text = Field(default="", description="What the agent is told; empty: the Task's prompt.")
    agents: fields.Agents = Field(default=(), description="Agents in order of preference; empty: the role's.")
    timeout: fields.Duration | None = Field(default=None, description="Longest time the stage's agent may take.")
    gates: Annotated[tuple[Gate, ...], Field(max_length=16)] = Field(
        default=(), description="What must hold before the Task leaves this stage."
    )
    on_failure: OnFailure | None = Field(default=None, description="Where a red gate leads; unset: the Task fails.")
    merge: Merge | None = Field(default=None, description="This stage lands the work on the target branch.")


class PipelineSpec(fields.Model):
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=fields.STAGES_MAX)] = Field(
        description="Stages in the order they are run."
    )


class Pipeline(meta.Manifest):
    spec: PipelineSpec = Field(description="The pipeline as it should be.")
