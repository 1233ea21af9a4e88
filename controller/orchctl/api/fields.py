"""The field types all kinds are built from: strict, frozen, bounded, with a wording for every refusal.

Every string, list and map has a maximum, so that no manifest can make the controller hold or compute without limit,
and so that the generated CRDs stay inside what an API server accepts. Called by `v1alpha1` and `meta` only.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

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


def _relative_glob(value: str) -> str:
    if value.startswith("/") or ".." in value.split("/"):
        raise PydanticCustomError("relative_glob", "must be a glob relative to the repository and inside it")
    return value


AGENT_PATTERN = r"^[a-z0-9-]{1,63}(/[A-Za-z0-9._:-]{1,63})?$"
BRANCH_PATTERN = r"^[A-Za-z0-9._/@{}+=,%#!-]+$"
ENVIRONMENT_NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
LABEL_KEY_PATTERN = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
LABEL_VALUE_PATTERN = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"

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
}

Name = Annotated[str, StringConstraints(pattern=names.NAME_PATTERN, min_length=1, max_length=names.NAME_LENGTH_MAX)]
AgentReference = Annotated[str, StringConstraints(pattern=AGENT_PATTERN, min_length=1, max_length=127)]
Duration = Annotated[str, StringConstraints(pattern=durations.DURATION_PATTERN, min_length=2, max_length=7)]
Branch = Annotated[
    str, StringConstraints(pattern=BRANCH_PATTERN, min_length=1, max_length=200), AfterValidator(_branch)
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
