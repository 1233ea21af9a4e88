"""Gates: what must hold before a Task leaves a stage. One model a type; a gate has exactly one of them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from orchctl.api import fields, rules


class Rerun(StrEnum):
    ALLOWED = "Allowed"
    NEVER = "Never"


class Need(StrEnum):
    ALL = "All"
    MAJORITY = "Majority"
    ANY = "Any"


class ChecksGate(fields.Model):
    """The project's checks; has no fields of its own yet."""


class CommandGate(fields.Model):
    run: fields.Command = Field(description="Shell command; exit code 0 passes. Never a template.")
    timeout: fields.Duration = Field(default="10m", description="The gate fails if it takes longer.")
    overlay: fields.Paths = fields.planned("Files taken from the base, not from the work, when the command runs.", ())
    rerun: Rerun | None = fields.planned("Whether it may run again after a crash; unset: Allowed.")


class FilesGate(fields.Model):
    RULES = (
        rules.Rule(
            "size(self.deny) > 0 || size(self.allow) > 0 || has(self.maxChanged)",
            "must have at least one of `deny`, `allow` and `maxChanged`",
            code="missing",
        ),
    )

    deny: fields.Globs = Field(default=(), description="Globs the work must not touch.")
    allow: fields.Globs = Field(default=(), description="Globs outside of which it must touch nothing; empty: any.")
    max_changed: fields.Count | None = Field(default=None, description="How many files it may change at most.")


class CommitGate(fields.Model):
    """The commits of the work must be as the project's guardrails say; has no fields of its own yet."""


class ReviewGate(fields.Model):
    need: Need = Field(default=Need.ALL, description="How many of the panel must not block.")


class ScoreGate(fields.Model):
    role: fields.Name = Field(description="Role that scores the work.")
    min_percent: fields.Percent = Field(description="The lowest score that passes.")
    samples: fields.Count = Field(default=1, description="How often it is scored; the median counts.")


class SecretScanGate(fields.Model):
    """No secret may be in the work; has no fields of its own yet."""


class CelGate(fields.Model):
    expression: fields.GateExpression = Field(description="CEL; true passes.")


class ApprovalGate(fields.Model):
    policy: fields.Name | None = Field(default=None, description="Policy that says who; unset: the project's.")


class WebhookGate(fields.Model):
    name: fields.Name = Field(description="Name in the address that is called.")
    secret: fields.Secret = Field(description="Key the call is signed with.")
    timeout: fields.Duration = Field(default="1d", description="The gate fails if no call comes for this long.")


class DelayGate(fields.Model):
    for_: fields.Duration = Field(alias="for", description="How long to wait.")


class WindowGate(fields.Model):
    cron: fields.Cron = Field(description="When the window opens, as five fields of cron.")
    duration: fields.Duration = Field(description="How long it stays open.")
    time_zone: fields.TimeZone = Field(default="UTC", description="Time zone of the schedule.")


TYPES = (
    "checks", "command", "files", "commit", "review", "score", "secretScan", "cel", "approval", "webhook", "delay",
    "window",
)  # fmt: skip


def gate_name_expression(variable: str) -> str:
    """CEL for the name of a gate: its own, or its type."""
    cases = [f"has({variable}.name) ? {variable}.name : "]
    cases += [f"has({variable}.{type}) ? '{type}' : " for type in TYPES[:-1]]
    return f"({''.join(cases)}'{TYPES[-1]}')"


class Gate(fields.Model):
    """Exactly one of the types."""

    RULES = (rules.one_of(*TYPES),)

    name: fields.Name | None = Field(default=None, description="Name, unique in the stage; unset: the gate's type.")
    checks: ChecksGate | None = Field(default=None, description="The checks of the Task's project must pass.")
    command: CommandGate | None = Field(default=None, description="A command must pass.")
    files: FilesGate | None = Field(default=None, description="Which and how many files may change.")
    commit: CommitGate | None = Field(default=None, description="Commits must be as the guardrails say.")
    review: ReviewGate | None = fields.planned("The panel of this stage must not block.")
    score: ScoreGate | None = fields.planned("A role scores the work.")
    secret_scan: SecretScanGate | None = fields.planned("No secret may be in the work.")
    cel: CelGate | None = Field(default=None, description="A CEL expression must be true.")
    approval: ApprovalGate | None = Field(default=None, description="Somebody must approve.")
    webhook: WebhookGate | None = fields.planned("A signed call from outside must come.")
    delay: DelayGate | None = Field(default=None, description="Some time must pass.")
    window: WindowGate | None = Field(default=None, description="The time must be within a window.")
