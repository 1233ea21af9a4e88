"""The names by which a document refers to others, as paths into its spec.

Called by the loader, which adds the positions, so that a name nothing has can be shown where it stands. The names of
stages and parameters are listed too: whether they fit is only known together with other documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
Found = tuple[Path, str, str]  # where, the kind it must be of, the name

STAGE, PARAMETER = "stage", "parameter"  # in place of a kind: a part of another document

_STAGE: tuple[tuple[str, str], ...] = (
    ("role", "Role"),
    ("agents[]", "Agent"),
    ("panel.members[].role", "Role"),
    ("panel.members[].agents[]", "Agent"),
    ("use.pipeline", "Pipeline"),
    ("variants.agents[]", "Agent"),
    ("variants.keep.role", "Role"),
    ("variants.keep.approval.policy", "Policy"),
    ("merge.conflicts.role", "Role"),
    ("gates[].approval.policy", "Policy"),
    ("gates[].score.role", "Role"),
    ("tasks.forEach.stage", STAGE),
)
_TASK: tuple[tuple[str, str], ...] = (
    ("project", "Project"),
    ("pipeline", "Pipeline"),
    ("agents[]", "Agent"),
    ("base.task", "Task"),
    ("base.session", "Session"),
    ("reads[].project", "Project"),
    ("reads[].task", "Task"),
    ("dependsOn[].task", "Task"),
)


def _below(prefix: str, table: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{prefix}.{path}", kind) for path, kind in table)


_OF_KIND: dict[str, tuple[tuple[str, str], ...]] = {
    "Project": (("defaults.pipeline", "Pipeline"), ("defaults.agents[]", "Agent"), ("defaults.policy", "Policy")),
    "Agent": (("account", "Account"),),
    "Role": (("agents[]", "Agent"),),
    "Pipeline": (
        *_below("stages[]", _STAGE),
        *_below("stages[].tasks.template.spec", _TASK),
        *_below("finally[]", _STAGE),
    ),
    "Task": _TASK,
    "Session": (
        ("project", "Project"),
        ("role", "Role"),
        ("agents[]", "Agent"),
        ("worktree.name", "Worktree"),
        ("forkFrom.session", "Session"),
    ),
    "Worktree": (("project", "Project"),),
    "Approval": (("subject.name", "Task"),),
    "Trigger": _below("template.spec", _TASK),
    "Milestone": (("project", "Project"), *_below("template.spec", _TASK)),
    "MergeQueue": (("project", "Project"),),
}
# Made while things run, so never named in a tree of manifests: a name nothing has is no mistake there.
MADE_AT_RUN_TIME = frozenset({"Session", "Worktree"})


def of_spec(kind: str, spec: Mapping[str, Any]) -> Iterator[Found]:
    """References of a validated, defaulted spec."""
    for path, wanted in _OF_KIND.get(kind, ()):
        for at, name in values(spec, path):
            yield ("spec", *at), wanted, name.split("/", 1)[0] if wanted == "Agent" else name
    if kind == "Task":
        for name in spec["params"]:
            yield ("spec", "params", name), PARAMETER, name


def values(holder: Any, path: str) -> Iterator[tuple[Path, str]]:
    """What is at a path such as `stages[].gates[].score.role`, each with where exactly."""
    head, _, rest = path.partition(".")
    name, is_list = head.removesuffix("[]"), head.endswith("[]")
    if name not in holder:
        return
    found = enumerate(holder[name]) if is_list else ((None, holder[name]),)
    for index, value in found:
        at: Path = (name,) if index is None else (name, index)
        if not rest:
            yield at, value
            continue
        for below, leaf in values(value, rest):
            yield (*at, *below), leaf
