"""What the generated JSON Schemas say about a kind or a field, for `orchctl explain`.

Reads the files that ship with the package (in a source checkout those in `crds/schemas/`) and imports no model, so it
starts as fast as any read.
"""

from __future__ import annotations

import json
import os

from orchctl.api import kinds
from orchctl.app.read import failures
from orchctl.kit import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUPPORTED = "x-orchctl-supported"
SUPPORTED_VALUES = "x-orchctl-supported-values"


class Field:
    """A place in a schema: the node, and what it is called."""

    __slots__ = ("name", "node", "required")

    def __init__(self, name: str, node: dict[str, Any], *, required: bool) -> None:
        self.name = name
        self.node = node
        self.required = required

    @property
    def type(self) -> str:
        return type_of(self.node)

    @property
    def notes(self) -> list[str]:
        """What else there is to know: choices, default, whether it has behaviour."""
        node = _entry(self.node)
        found = []
        if "enum" in node:
            found.append(f"one of: {', '.join(map(str, node['enum']))}")
        default = self.node.get("default")
        if default not in (None, "", [], {}):
            found.append(f"default: {'true' if default is True else 'false' if default is False else default}")
        if self.node.get(SUPPORTED) is False:
            found.append("not supported yet")
        if SUPPORTED_VALUES in self.node:
            found.append(f"supported yet: {', '.join(self.node[SUPPORTED_VALUES])}")
        return found


def folder() -> str:
    packaged = os.path.join(_PACKAGE, "_crds", "schemas")
    return packaged if os.path.isdir(packaged) else os.path.join(os.path.dirname(_PACKAGE), "..", "crds", "schemas")


def load(kind: kinds.Kind) -> dict[str, Any]:
    path = os.path.join(folder(), f"{kind.singular}.json")
    try:
        with open(path, encoding="utf-8") as stream:
            loaded: dict[str, Any] = json.load(stream)
    except FileNotFoundError:
        raise failures.CommandError(f"{path} is missing: install orchctl again, or run `make generate`") from None
    return loaded


def at(kind: kinds.Kind, path: list[str]) -> Field:
    """The field at a path below a kind; lists and maps are stepped through without saying so."""
    node = load(kind)
    found = Field(kind.kind, node, required=False)
    walked = kind.singular
    for name in path:
        properties = _entry(found.node).get("properties", {})
        if name not in properties:
            raise failures.CommandError(_no_field(name, walked, properties, node), failures.USAGE)
        found = Field(name, properties[name], required=name in _entry(found.node).get("required", ()))
        walked = f"{walked}.{name}"
    return found


def below(field: Field) -> Iterator[Field]:
    node = _entry(field.node)
    required = node.get("required", ())
    for name, each in sorted(node.get("properties", {}).items(), key=lambda pair: (pair[0] not in required, pair[0])):
        yield Field(name, each, required=name in required)


def rules(field: Field) -> list[str]:
    """What must hold between the fields."""
    return [rule["message"] for rule in _entry(field.node).get("x-kubernetes-validations", ())]


def type_of(node: dict[str, Any]) -> str:
    if node.get("type") == "array":
        return f"[]{type_of(node['items'])}"
    values = node.get("additionalProperties")
    if isinstance(values, dict):
        return f"map[string]{type_of(values)}"
    type = node.get("type", "string")
    return "integer or string" if isinstance(type, list) else "Object" if type == "object" else str(type)


def _entry(node: dict[str, Any]) -> dict[str, Any]:
    while node.get("type") == "array" or isinstance(node.get("additionalProperties"), dict):
        node = node["items"] if node.get("type") == "array" else node["additionalProperties"]
    return node


def _no_field(name: str, walked: str, properties: dict[str, Any], root: dict[str, Any]) -> str:
    said = f"{walked} has no field {text.one_line(name, 60)!r}"
    if walked.count(".") == 0 and name in root["properties"]["spec"].get("properties", {}):
        return f"{said}: did you mean `{walked}.spec.{name}`?"
    near = text.did_you_mean(name, properties)
    if near:
        return f"{said}: did you mean `{walked}.{near}`?"
    return f"{said}: it has {', '.join(sorted(properties))}" if properties else f"{said}: it has none"
