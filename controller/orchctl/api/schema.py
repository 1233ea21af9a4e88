"""The schema of a kind as a cluster wants it: no references, no titles, no unions at the level of types.

Called by the CRD generator, and by the loader to name the fields known at a place. An API server refuses anything
that is not structural, so what cannot be said structurally is an error here rather than a surprise there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orchctl.api import fields, meta, registry

Node = dict[str, Any]
_KEPT = (
    "type",
    "description",
    "default",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
    fields.SUPPORTED,
    fields.SUPPORTED_VALUES,
)


@functools.cache
def spec_schema(kind: str) -> Node:
    """The structural schema of the `spec` of a kind. Shared: do not change it."""
    whole = _whole(kind)
    return _structural(whole["properties"]["spec"], whole.get("$defs", {}))


def root_rules(kind: str) -> list[dict[str, str]]:
    """The rules that stand with the object itself and not with its spec."""
    return list(_whole(kind).get("x-kubernetes-validations", ()))


@functools.cache
def _whole(kind: str) -> Node:
    return registry.MODELS[kind].model_json_schema(by_alias=True, mode="validation")


@functools.cache
def metadata_schema() -> Node:
    """The structural schema of what a manifest may have as metadata. Shared: do not change it."""
    whole = meta.ObjectMeta.model_json_schema(by_alias=True, mode="validation")
    return _structural(whole, whole.get("$defs", {}))


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node of a schema with its path, such as `.stages[].gates[].name`."""
    yield path, node
    for name, each in node.get("properties", {}).items():
        yield from walk(each, f"{path}.{name}")
    if "items" in node:
        yield from walk(node["items"], f"{path}[]")
    if isinstance(node.get("additionalProperties"), dict):
        yield from walk(node["additionalProperties"], f"{path}.*")


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """The schema with each node changed, the innermost first; the one given stays as it is."""
    made = dict(node)
    if "properties" in node:
        made["properties"] = {name: mapped(each, change) for name, each in node["properties"].items()}
    if "items" in node:
        made["items"] = mapped(node["items"], change)
    if isinstance(node.get("additionalProperties"), dict):
        made["additionalProperties"] = mapped(node["additionalProperties"], change)
    return change(made)


def known_fields(kind: str, path: Sequence[object]) -> tuple[str, ...]:
    """The fields an object of that kind may have at a path such as ("spec", "stages", 0)."""
    if not path:
        return ("apiVersion", "kind", "metadata", "spec")
    if path[0] == "metadata":
        return ("name", "namespace", "labels", "annotations") if len(path) == 1 else ()
    node: Node = spec_schema(kind)
    for part in path[1:]:
        node = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
    return tuple(node.get("properties", ()))


def _structural(node: Node, definitions: Mapping[str, Node]) -> Node:
    merged = _inlined(node, definitions)
    kept: Node = {name: merged[name] for name in _KEPT if name in merged}
    if kept.get("default", ...) is None:
        del kept["default"]
    if "const" in merged:
        kept["enum"] = [merged["const"]]
    if kept.get("x-kubernetes-int-or-string"):
        return kept
    assert "type" in kept, f"not structural: {merged}"
    if kept["type"] == "object":
        if "properties" in merged:
            kept["properties"] = {
                name: _with_default(_structural(each, definitions), each, name in merged.get("required", ()))
                for name, each in merged["properties"].items()
            }
        elif isinstance(merged.get("additionalProperties"), dict):
            kept["additionalProperties"] = _structural(merged["additionalProperties"], definitions)
        elif isinstance(merged.get("patternProperties"), dict):
            (values,) = merged["patternProperties"].values()  # the keys' form cannot be said structurally
            kept["additionalProperties"] = _structural(values, definitions)
    if kept["type"] == "array":
        kept["items"] = _structural(merged["items"], definitions)
    return kept


def _with_default(kept: Node, written: Node, required: bool) -> Node:
    """An object that may be left out and is then made by its model: what a default of `{}` says."""
    made_by_model = kept.get("type") == "object" and not required and "anyOf" not in written
    return {**kept, "default": {}} if made_by_model and "default" not in kept else kept


def _inlined(node: Node, definitions: Mapping[str, Node]) -> Node:
    """The node with its reference and its `or null` resolved; what stands beside a reference wins over it."""
    merged = dict(node)
    if "anyOf" in merged:
        choices = [each for each in merged.pop("anyOf") if each.get("type") != "null"]
        assert len(choices) == 1, f"not structural: {node}"
        merged = {**_inlined(choices[0], definitions), **merged}
    if "$ref" in merged:
        name = merged.pop("$ref").rsplit("/", 1)[1]
        merged = {**_inlined(definitions[name], definitions), **merged}
    return merged
