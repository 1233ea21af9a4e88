"""Rules between documents: what a name must refer to beyond being there.

Called by `relating` for each document whose answer may have changed. Each finding names the document, the field as the
loader wrote it, and what must be (GIT-7). What was looked up is recorded, so that only those are judged again.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from orchctl.adapters.manifests import references
from orchctl.adapters.manifests.problems import Document
from orchctl.core.ids import Key, key_of, kind_of, namespace_of

USE_DEPTH_MAX = 3
DEFAULT_PIPELINE = "change"
SPECS_CACHED_MAX = 1024


class Finding(NamedTuple):
    document: Document
    field: str
    message: str
    code: str


class Tree:
    """All documents by key; a name not in a namespace is looked for among the built-ins of `default`."""

    def __init__(self, built_in: Iterable[Document]) -> None:
        self._by_key: dict[Key, Document] = {}
        self._built_in = {each.key: each for each in built_in}
        self._projects: dict[str, dict[Key, Document]] = {}  # by namespace
        self.looked_up: dict[Key, None] = {}  # since it was last emptied

    def put(self, key: Key, document: Document | None) -> bool:
        """Whether this is news."""
        if self._by_key.get(key) == document:
            return False
        if document is None:
            del self._by_key[key]
        else:
            self._by_key[key] = document
        if kind_of(key) == "Project":
            projects = self._projects.setdefault(namespace_of(key), {})
            projects.pop(key, None)
            projects.update({key: document} if document is not None else {})
        return True

    def at(self, key: Key) -> Document | None:
        return self._by_key.get(key) or self._built_in.get(key)

    def find(self, kind: str, namespace: str, name: str) -> Document | None:
        if "/" in name:
            namespace, _, name = name.partition("/")
        key, fallback = key_of(kind, namespace, name), key_of(kind, "default", name)
        self.looked_up[key] = self.looked_up[fallback] = None
        return self.at(key) or (self.at(fallback) if fallback in self._built_in else None)

    def projects(self, namespace: str) -> Sequence[Document]:
        self.looked_up[projects_key(namespace)] = None
        return tuple(self._projects.get(namespace, {}).values())


def projects_key(namespace: str) -> Key:
    """Stands for the list of a namespace's projects, among the keys that were looked up."""
    return key_of("Project", namespace, "*")


def spec_of(document: Document) -> Mapping[str, Any]:
    return _parsed(document.spec_json)


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def _parsed(spec_json: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(spec_json)
    return loaded


def findings(tree: Tree, document: Document) -> Iterator[Finding]:
    if document.kind == "Pipeline":
        yield from _pipeline(tree, document)
    elif document.kind == "Task":
        yield from _task(tree, document)


def _pipeline(tree: Tree, document: Document) -> Iterator[Finding]:
    stages = spec_of(document)["stages"]
    for index, stage in enumerate(stages):
        at = f"spec.stages[{index}]"
        for number, member in enumerate(stage.get("panel", {}).get("members", ())):
            role = tree.find("Role", document.namespace, member["role"])
            if role is not None and spec_of(role)["access"] != "ReadOnly":
                message = f"must be a role with access ReadOnly; '{member['role']}' may write"
                yield Finding(document, f"{at}.panel.members[{number}].role", message, "not_read_only")
        planner = stage.get("tasks", {}).get("forEach", {}).get("stage")
        if planner is not None and _contract(tree, document, stages, planner) != "plan":
            message = f"must be a stage whose output has contract plan; '{planner}' hands back no plan"
            yield Finding(document, f"{at}.tasks.forEach.stage", message, "no_plan")
        if "use" in stage:
            used = tree.find("Pipeline", document.namespace, stage["use"]["pipeline"])
            if used is not None:
                yield from _parameters(document, stage["use"]["params"], used, f"{at}.use.params")
                if _depth(tree, used) > USE_DEPTH_MAX - 1:
                    message = f"must be at most {USE_DEPTH_MAX} levels deep"
                    yield Finding(document, f"{at}.use.pipeline", message, "too_deep")


def _contract(tree: Tree, document: Document, stages: Sequence[Mapping[str, Any]], name: str) -> str | None:
    stage = next(each for each in stages if each["name"] == name)
    if "output" in stage:
        return str(stage["output"].get("contract"))
    role = tree.find("Role", document.namespace, stage["role"]) if "role" in stage else None
    return spec_of(role).get("output", {}).get("contract") if role is not None else None


def _depth(tree: Tree, document: Document, seen: tuple[Key, ...] = ()) -> int:
    """How many levels of use there are below; a circle is reported elsewhere."""
    if document.key in seen or len(seen) > USE_DEPTH_MAX:
        return 0
    deepest = 0
    for _, name in references.values(spec_of(document), "stages[].use.pipeline"):
        used = tree.find("Pipeline", document.namespace, name)
        deepest = max(deepest, 1 + (_depth(tree, used, (*seen, document.key)) if used is not None else 0))
    return deepest


def _parameters(document: Document, given: Mapping[str, str], pipeline: Document, at: str) -> Iterator[Finding]:
    declared = {each["name"]: each for each in spec_of(pipeline)["params"]}
    for name, value in given.items():
        if name not in declared:
            message = f"must be a parameter of pipeline '{pipeline.name}'; it has {', '.join(declared) or 'none'}"
            yield Finding(document, f"{at}.{name}", message, "unknown_parameter")
        elif declared[name]["enum"] and value not in declared[name]["enum"]:
            message = f"must be one of {', '.join(declared[name]['enum'])}"
            yield Finding(document, f"{at}.{name}", message, "not_allowed")
    for name, each in declared.items():
        if each["required"] and name not in given:
            yield Finding(document, at, f"must have '{name}': pipeline '{pipeline.name}' requires it", "missing")


def _task(tree: Tree, document: Document) -> Iterator[Finding]:
    spec = spec_of(document)
    pipeline = _pipeline_of(tree, document)
    if pipeline is not None:
        yield from _parameters(document, spec["params"], pipeline, "spec.params")
    for index, dependency in enumerate(spec["dependsOn"]):
        other = tree.find("Task", document.namespace, dependency["task"])
        merges = _pipeline_of(tree, other) if other is not None and dependency["until"] == "Merged" else None
        if merges is not None and not any("merge" in stage for stage in spec_of(merges)["stages"]):
            message = f"must be of a pipeline that merges; pipeline '{merges.name}' has no merge stage"
            yield Finding(document, f"spec.dependsOn[{index}].task", message, "never_merged")


def _pipeline_of(tree: Tree, task: Document) -> Document | None:
    spec = spec_of(task)
    name = spec.get("pipeline")
    if name is None:
        projects = tree.projects(task.namespace)
        named = [each for each in projects if spec.get("project") in (None, each.name)]
        default = spec_of(named[0])["defaults"].get("pipeline") if len(named) == 1 else None
        name = default or DEFAULT_PIPELINE
    return tree.find("Pipeline", task.namespace, name)
