"""The field types all kinds are built from: strict, frozen, bounded, with a wording for every refusal.

Every string, list and map has a maximum, so that no manifest can make the controller hold or compute without limit,
and so that the generated CRDs stay inside what an API server accepts. Called by `v1alpha1` and `meta` only.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError

from orchctl.api import formats
from orchctl.api.rules import Rule
from orchctl.kit import durations, names, text

LINE_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 65_536  # a prompt; longer material belongs in a file of the project
COMMAND_LENGTH_MAX = 8_192
PATH_LENGTH_MAX = 1_024
LIST_ITEMS_MAX = 64
MAP_ITEMS_MAX = 64
STAGES_MAX = 32
SESSIONS_MAX = 1_000
LOOPS_MAX = 20
PRIORITY_MAX = 1_000_000


class Model(BaseModel):
    """Base of everything in a manifest: unknown fields, wrong types and later changes are all refused."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=False,
    )
    RULES: ClassVar[tuple[Rule, ...]] = ()  # what must hold between the fields

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        node = handler(core_schema)
        if cls.RULES:
            handler.resolve_ref_schema(node)["x-kubernetes-validations"] = [rule.exported() for rule in cls.RULES]
        return node


SUPPORTED = "x-orchctl-supported"  # False: there is no behaviour behind this field yet
SUPPORTED_VALUES = "x-orchctl-supported-values"  # of a field, the values that have behaviour
HARMLESS = "x-orchctl-harmless"  # work may go on without it: what is done stays the same


def planned(description: str, default: Any = None, *, harmless: bool = False, alias: str | None = None) -> Any:
    """A field that is read and checked but has no behaviour yet; whoever sets it is told so in the status."""
    extra: dict[str, Any] = {SUPPORTED: False, **({HARMLESS: True} if harmless else {})}
    return Field(default=default, description=description, alias=alias, json_schema_extra=extra)


def only(*values: str) -> dict[str, Any]:
    """For `json_schema_extra`: of the values of this enum only these have behaviour yet."""
    return {SUPPORTED_VALUES: list(values)}


def _plain_line(value: str) -> str:
    if not text.is_plain_line(value):
        raise PydanticCustomError("plain_line", "must be one line without control or direction characters")
    return value


def _branch(value: str) -> str:
    bad = (
        value.startswith(("-", "/", ".")) or value.endswith(("/", ".", ".lock")) or ".." in value or "//" in value
    ) or "/." in value
    if bad or "@{" in value or value == "@" or ".lock/" in value:
        raise PydanticCustomError("git_branch", "must be a branch name that git accepts, such as 'main' or 'release/1'")
    return value


_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def _branch_template(value: str) -> str:
    """What stands around the expressions must be fit for a branch; what they give is looked at when it is known."""
    sample = _EXPRESSION.sub("x", value)
    if re.fullmatch(BRANCH_PATTERN, sample) is None:
        raise PydanticCustomError("git_branch", "must be a branch name that git accepts, but for its `${{ }}`")
    _branch(sample)
    return value


def _relative_glob(value: str) -> str:
    if value.startswith("/") or ".." in value.split("/"):
        raise PydanticCustomError("relative_glob", "must be a glob relative to the repository and inside it")
    return value


AGENT_PATTERN = r"^[a-z0-9-]{1,63}(/[A-Za-z0-9._:-]{1,63})?$"
BRANCH_PATTERN = r"^[A-Za-z0-9._/@{}+=,%#!-]+$"
ENVIRONMENT_NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
LABEL_KEY_PATTERN = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
LABEL_VALUE_PATTERN = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"

REFERENCE_PATTERN = r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
TIMESTAMP_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
TOUCH_PATTERN = r"^(([*]?[^*])*[*]?|(([*]?[^*])*[*]?/)?[*][*])$"  # `**` as the last part only: overlap is by prefix
OID_PATTERN = r"^[0-9a-f]{7,64}$"
PARAMETER_PATTERN = r"^[a-z][A-Za-z0-9_]{0,62}$"

# What a value must be, in words; the loader shows this instead of the expression.
PATTERN_MUST = {
    names.NAME_PATTERN: "must be lower-case letters, digits and '-', and begin and end with a letter or digit",
    durations.DURATION_PATTERN: durations.DURATION_MUST,
    durations.SIZE_PATTERN: durations.SIZE_MUST,
    AGENT_PATTERN: "must be the name of an Agent, or name/model, such as 'codex' or 'claude/opus'",
    BRANCH_PATTERN: "must be a branch name that git accepts, such as 'main' or 'release/1'",
    ENVIRONMENT_NAME_PATTERN: "must be a variable name: letters, digits and '_', and not begin with a digit",
    LABEL_KEY_PATTERN: "must be a label key: [prefix/]name of letters, digits, '-', '_' and '.'",
    LABEL_VALUE_PATTERN: "must be a label value: letters, digits, '-', '_' and '.', or empty",
    REFERENCE_PATTERN: "must be the name of an object, or namespace/name",
    TIMESTAMP_PATTERN: "must be a time in UTC such as '2026-12-24T18:00:00Z'",
    TOUCH_PATTERN: "must have `**` only as its last part, such as 'src/auth/**'",
    OID_PATTERN: "must be the hexadecimal id of a commit or digest",
    PARAMETER_PATTERN: "must be a parameter name: a lower-case letter, then letters, digits and '_'",
}

Name = Annotated[str, StringConstraints(pattern=names.NAME_PATTERN, min_length=1, max_length=names.NAME_LENGTH_MAX)]
AgentReference = Annotated[str, StringConstraints(pattern=AGENT_PATTERN, min_length=1, max_length=127)]
Duration = Annotated[str, StringConstraints(pattern=durations.DURATION_PATTERN, min_length=2, max_length=7)]
Branch = Annotated[
    str, StringConstraints(pattern=BRANCH_PATTERN, min_length=1, max_length=200), AfterValidator(_branch)
]
BranchTemplate = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LINE_LENGTH_MAX),
    AfterValidator(_plain_line),
    AfterValidator(_branch_template),
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=LINE_LENGTH_MAX), AfterValidator(_plain_line)]
Text = Annotated[str, StringConstraints(max_length=TEXT_LENGTH_MAX)]
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH_MAX)]
Command = Annotated[str, StringConstraints(min_length=1, max_length=COMMAND_LENGTH_MAX)]
Argument = Annotated[str, StringConstraints(max_length=COMMAND_LENGTH_MAX)]
Path = Annotated[str, StringConstraints(min_length=1, max_length=PATH_LENGTH_MAX), AfterValidator(_plain_line)]
Glob = Annotated[str, StringConstraints(min_length=1, max_length=PATH_LENGTH_MAX), AfterValidator(_relative_glob)]
Sessions = Annotated[int, Field(ge=1, le=SESSIONS_MAX)]
EnvironmentName = Annotated[str, StringConstraints(pattern=ENVIRONMENT_NAME_PATTERN, min_length=1, max_length=100)]
EnvironmentValue = Annotated[str, StringConstraints(max_length=COMMAND_LENGTH_MAX)]
Environment = Annotated[dict[EnvironmentName, EnvironmentValue], Field(max_length=MAP_ITEMS_MAX)]
Agents = Annotated[tuple[AgentReference, ...], Field(max_length=16)]
LabelKey = Annotated[str, StringConstraints(pattern=LABEL_KEY_PATTERN, min_length=1, max_length=253)]
LabelValue = Annotated[str, StringConstraints(pattern=LABEL_VALUE_PATTERN, max_length=63)]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=MAP_ITEMS_MAX)]
Annotations = Annotated[
    dict[LabelKey, Annotated[str, StringConstraints(max_length=4_096)]], Field(max_length=MAP_ITEMS_MAX)
]


class SessionLimits(Model):
    sessions: Sessions | None = Field(default=None, description="How many sessions may run at once; unset: no limit.")


Reference = Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN, min_length=1, max_length=127)]
Timestamp = Annotated[
    str,
    StringConstraints(pattern=TIMESTAMP_PATTERN, min_length=20, max_length=20),
    AfterValidator(formats.timestamp),
]
Oid = Annotated[str, StringConstraints(pattern=OID_PATTERN, min_length=7, max_length=64)]
Digest = Oid
ParameterName = Annotated[str, StringConstraints(pattern=PARAMETER_PATTERN, min_length=1, max_length=63)]
ParameterValue = Annotated[str, StringConstraints(max_length=4_096)]
Parameters = Annotated[dict[ParameterName, ParameterValue], Field(max_length=MAP_ITEMS_MAX)]
Size = Annotated[str, StringConstraints(pattern=durations.SIZE_PATTERN, min_length=1, max_length=11)]
Percent = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1, le=10_000)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000_000_000)]
Usd = Annotated[
    str,
    BeforeValidator(formats.usd),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": formats.USD_PATTERN, "maxLength": 12}),
]
Cron = Annotated[str, StringConstraints(min_length=9, max_length=100), AfterValidator(formats.cron)]
TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(formats.time_zone)]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=1_024), AfterValidator(formats.expression)]
GateExpression = Annotated[
    str, StringConstraints(min_length=1, max_length=1_024), AfterValidator(formats.gate_expression)
]
Regex = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(formats.regex)]
Globs = Annotated[tuple[Glob, ...], Field(max_length=LIST_ITEMS_MAX)]
Touches = Annotated[
    tuple[Annotated[Glob, StringConstraints(pattern=TOUCH_PATTERN)], ...], Field(max_length=LIST_ITEMS_MAX)
]
Paths = Annotated[tuple[Glob, ...], Field(max_length=LIST_ITEMS_MAX)]  # without `*` a glob is a path inside
InsidePath = Glob
Commands = Annotated[tuple[Command, ...], Field(max_length=16)]
Argv = Annotated[tuple[Argument, ...], Field(min_length=1, max_length=LIST_ITEMS_MAX)]
Lines = Annotated[tuple[Line, ...], Field(max_length=LIST_ITEMS_MAX)]
Branches = Annotated[tuple[Glob, ...], Field(max_length=16)]


class Secret(Model):
    from_file: Path = Field(description="File with the value, outside every repository; `~` is the home folder.")


class SecretVariable(Model):
    env: EnvironmentName = Field(description="Name of the environment variable.")
    from_file: Path = Field(description="File with the value, outside every repository; `~` is the home folder.")


Secrets = Annotated[tuple[SecretVariable, ...], Field(max_length=LIST_ITEMS_MAX)]


class Amounts(Model):
    """Consumption, as opposed to `limits`, which is concurrency."""

    RULES = (
        Rule(
            "[has(self.usd), has(self.tokens), has(self.turns), has(self.wall)].exists(given, given)",
            "must have at least one of `usd`, `tokens`, `turns` and `wall`",
            code="missing",
        ),
    )

    usd: Usd | None = Field(default=None, description="Money, a whole number or a decimal in quotes.")
    tokens: Tokens | None = Field(default=None, description="Tokens of all kinds together.")
    turns: Count | None = Field(default=None, description="Turns of the agent.")
    wall: Duration | None = Field(default=None, description="Time on the clock.")


class Selector(Model):
    match_labels: Labels = Field(default_factory=dict, description="Labels an object must have; empty: all objects.")
