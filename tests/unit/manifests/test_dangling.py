"""A name that nothing has: lint says so, and in the controller the object waits with a reason or is told that the field
has no behaviour. No reference is passed over in silence (GIT-7)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from orchctl.adapters import manifests
from orchctl.adapters.manifests import references
from orchctl.api import kinds
from tests.unit.core import builders

GONE = "gone"
STAGE = {"name": "a", "role": "coder"}
SPECS: dict[str, dict[str, Any]] = {
    "Project": {},
    "Agent": {"backend": "script"},
    "Role": {},
    "Pipeline": {"stages": [STAGE]},
    "Task": {"prompt": "x"},
    "Session": {"prompt": "x"},
    "Worktree": {"branch": "orch/x"},
    "Trigger": {"interval": {"every": "6h"}, "template": {"spec": {"prompt": "x"}}},
    "Milestone": {"documents": ["docs/*.md"]},
}
STAGES: dict[str, dict[str, Any]] = {
    "role": {"role": GONE},
    "agents[]": {"agents": [GONE]},
    "panel.members[].role": {"role": None, "panel": {"members": [{"name": "m", "role": GONE}]}},
    "panel.members[].agents[]": {
        "role": None,
        "panel": {"members": [{"name": "m", "role": "reviewer", "agents": [GONE]}]},
    },
    "use.pipeline": {"role": None, "use": {"pipeline": GONE}},
    "variants.agents[]": {"variants": {"agents": [GONE, "script"], "keep": {"approval": {}}}},
    "variants.keep.role": {"variants": {"agents": ["a", "b"], "keep": {"role": GONE}}},
    "variants.keep.approval.policy": {"variants": {"agents": ["a", "b"], "keep": {"approval": {"policy": GONE}}}},
    "merge.conflicts.role": {"role": None, "merge": {"conflicts": {"role": GONE}}},
    "gates[].approval.policy": {"gates": [{"approval": {"policy": GONE}}]},
    "gates[].score.role": {"gates": [{"score": {"role": GONE, "minPercent": 50}}]},
}
# What a Task resolves before it starts, by the object that has the name; everything else is told to be undone yet.
WAITED_FOR = {
    ("Task", "project"), ("Task", "pipeline"), ("Task", "agents[]"),
    ("Project", "defaults.pipeline"), ("Project", "defaults.agents[]"), ("Role", "agents[]"),
    ("Pipeline", "stages[].role"), ("Pipeline", "stages[].agents[]"),
    ("Agent", "account"), ("Project", "defaults.policy"), ("Pipeline", "stages[].gates[].approval.policy"),
}  # fmt: skip
OF_ITS_START = {("Task", "dependsOn[].task")}  # waited for until that task is done: tests/unit/core/test_depending.py
OF_WHOLE_KINDS = {"Session", "Worktree", "Approval", "Trigger", "Milestone", "MergeQueue"}  # each one field or more
REFERENCES = {
    (kind, path): wanted
    for kind, paths in references._OF_KIND.items()
    for path, wanted in paths
    if wanted != references.STAGE  # of the same document: an error at once
}


def with_reference(kind: str, path: str) -> dict[str, Any]:
    """The smallest spec of that kind whose one unusual field is at the path."""
    spec = copy.deepcopy(SPECS[kind])
    for head in ("stages[].", "finally[]."):
        if path.startswith(head) and ".template." not in path and path.removeprefix(head) in STAGES:
            stage = {**STAGE, **STAGES[path.removeprefix(head)]}
            spec[head[:-3]] = [{name: value for name, value in stage.items() if value is not None}]
            return spec
    if path.startswith(("stages[].tasks", "finally[].tasks")):
        inner = {"forEach": {"items": ["x"]}, "template": {"spec": _at(path.split(".spec.", 1)[1])}}
        return {"stages": [{"name": "a", "tasks": inner}]}
    if ".spec." in path:
        spec["template"] = {"spec": {"prompt": "x", **_at(path.split(".spec.", 1)[1])}}
        return spec
    return {**spec, **_at(path)}


def _at(path: str) -> dict[str, Any]:
    value: Any = GONE
    for part in reversed(path.split(".")):
        value = {part.removesuffix("[]"): [value] if part.endswith("[]") else value}
    found: dict[str, Any] = value
    return found


def loaded(kind: str, spec: dict[str, Any]) -> manifests.Document:
    head = {"apiVersion": kinds.API_VERSION, "kind": kind, "metadata": {"name": "x"}}
    found = manifests.parse(json.dumps({**head, "spec": spec}).encode(), "x.yaml")
    assert found.problems == (), (kind, spec)
    return found.documents[0]


@pytest.mark.parametrize(("kind", "path"), sorted(WAITED_FOR))
def test_git_7_a_task_waits_for_a_name_it_needs_and_goes_on_when_it_comes(kind: str, path: str) -> None:
    spec = with_reference(kind, path)
    given = {
        "Task": [
            builders.project(),
            builders.task(**{name: value for name, value in spec.items() if name != "prompt"}),
        ],
        "Project": [builders.project(**spec), builders.task()],
        "Role": [builders.admitted("Role", "coder", spec), builders.project(), builders.task()],
        "Pipeline": [builders.admitted("Pipeline", "change", spec), builders.project(), builders.task()],
        "Agent": [builders.admitted("Agent", "script", spec), builders.project(), builders.task()],
    }
    if path == "defaults.policy":  # needed once somebody is to be asked
        stages = [{**STAGE, "gates": [{"approval": {}}]}]
        given["Project"].insert(0, builders.admitted("Pipeline", "change", {"stages": stages}))
    made = builders.bench(*given[kind])
    because = made.object("Task/default/fix").because
    assert because is not None
    assert (because.rule, because.waiting) == ("GIT-7", "Dependency")
    assert GONE in because.text
    assert because.unblock
    wanted = REFERENCES[kind, path]
    specs: dict[str, dict[str, Any]] = {
        "Pipeline": {"stages": builders.STAGES},
        "Agent": {"backend": "script"},
        "Policy": {"approvals": {"required": 0}},
    }
    made.give(builders.admitted(wanted, GONE, specs.get(wanted, {})))
    assert made.object("Task/default/fix").task is not None


@pytest.mark.parametrize(("kind", "path"), [each for each in REFERENCES if each not in WAITED_FOR | OF_ITS_START])
def test_git_7_every_other_reference_is_of_what_is_said_to_do_nothing_yet(kind: str, path: str) -> None:
    """One that gets its behaviour moves to WAITED_FOR."""
    if kind in SPECS and not path.startswith(("finally[].tasks", "finally[].use", "finally[].merge")):
        assert loaded(kind, with_reference(kind, path)).unsupported
    else:
        assert kind in OF_WHOLE_KINDS or path.startswith("finally[].")
