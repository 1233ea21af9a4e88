"""Rules between documents: what a name must refer to beyond being there, and that nothing goes round in a circle.

Called by `validate` over all documents of a tree, the built-ins among them. Each finding names the document, the
field as the loader wrote it, and what must be (GIT-7).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from orchctl.adapters.manifests import references
from orchctl.adapters.manifests.problems import Document
from orchctl.core.ids import Key, key_of, kind_of, name_of

USE_DEPTH_MAX = 3
DEFAULT_PIPELINE = "change"


class Finding(NamedTuple):
    document: Document
    field: str
    message: str
    code: str


class Tree:
    """All documents by key; a name not in a namespace is looked for among the built-ins of `default`."""

    def __init__(self, documents: Sequence[Document], built_in: Sequence[Document]) -> None:
        self.documents = documents
        self._by_key: dict[Key, Document] = {}
        for each in (*built_in, *documents):
            self._by_key[each.key] = each
        self._built_in = {each.key for each in built_in}
        self.projects: dict[str, list[Document]] = {}  # by namespace
        for each in documents:
            if each.kind == "Project":
                self.projects.setdefault(each.namespace, []).append(each)

    def find(self, kind: str, namespace: str, name: str) -> Document | None:
        if "/" in name:
            namespace, _, name = name.partition("/")
        fallback = key_of(kind, "default", name)
        found = self._by_key.get(key_of(kind, namespace, name))
        return found or (self._by_key[fallback] if fallback in self._built_in else None)


@functools.lru_cache(maxsize=1024)
def spec_of(document: Document) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(document.spec_json)
    return loaded


def findings(tree: Tree) -> Iterator[Finding]:
    for document in tree.documents:
        if document.kind == "Pipeline":
            yield from _pipeline(tree, document)
        elif document.kind == "Task":
            yield from _task(tree, document)
    yield from _circles(tree, "Task", ("dependsOn[].task", "base.task"), "depends on itself")
    yield from _circles(tree, "Pipeline", ("stages[].use.pipeline",), "uses itself")
    yield from _circles(tree, "Pipeline", ("stages[].tasks.template.spec.pipeline",), "makes tasks of itself")


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
        projects = tree.projects.get(task.namespace, ())
        named = [each for each in projects if spec.get("project") in (None, each.name)]
        default = spec_of(named[0])["defaults"].get("pipeline") if len(named) == 1 else None
        name = default or DEFAULT_PIPELINE
    return tree.find("Pipeline", task.namespace, name)


def _circles(tree: Tree, kind: str, paths: tuple[str, ...], what: str) -> Iterator[Finding]:
    """Each circle once, at the first document of it in the order given, written out."""
    edges: dict[Key, dict[Key, str]] = {}
    by_key = {each.key: each for each in tree.documents if each.kind == kind}
    for document in by_key.values():
        for path in paths:
            for at, name in references.values(spec_of(document), path):
                found = tree.find(kind, document.namespace, name)
                if found is not None and found.key in by_key:
                    edges.setdefault(document.key, {}).setdefault(found.key, _field(at))
    done: set[Key] = set()
    for start in by_key:
        circle = _circle_from(start, edges, done)
        if circle:
            shown = " -> ".join(name_of(key) for key in circle)
            field = edges[circle[0]][circle[1]]
            message = f"must not go round in a circle: {kind_of(circle[0])} {shown} {what}"
            yield Finding(by_key[circle[0]], field, message, "cycle")


def _circle_from(start: Key, edges: Mapping[Key, Mapping[Key, str]], done: set[Key]) -> list[Key]:
    """A circle that can be reached from here and was not seen before; iterative, as chains may be long."""
    path: list[Key] = []
    on_path: dict[Key, int] = {}
    stack: list[tuple[Key, Iterator[Key]]] = []
    found: list[Key] = []
    if start in done:
        return found
    stack.append((start, iter(edges.get(start, {}))))
    path.append(start)
    on_path[start] = 0
    while stack:
        following = next(stack[-1][1], None)
        if following is None:
            stack.pop()
            leaving = path.pop()
            del on_path[leaving]
            done.add(leaving)
        elif following in on_path:
            found = found or [*path[on_path[following] :], following]
        elif following not in done:
            on_path[following] = len(path)
            path.append(following)
            stack.append((following, iter(edges.get(following, {}))))
    return found


def _field(at: references.Path) -> str:
    return "spec" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at)
