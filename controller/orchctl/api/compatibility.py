"""Whether what was valid under one set of schemas is still valid under another: the promise from release to release.

Called by the tests, with the schemas of each released version kept in `crds/released/`. Pure: two sets of JSON
Schemas in, sentences out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]  # by kind

_UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "minLength", "minItems", "minProperties")


def breaks(old: Schemas, new: Schemas) -> list[str]:
    """Everything that was valid and is not any more, each with the place; empty: compatible."""
    found: list[str] = []
    for kind, schema in old.items():
        if kind not in new:
            found.append(f"{kind}: the kind was removed")
        else:
            found += _node(schema, new[kind], kind)
    return found


def _node(old: Schema, new: Schema, at: str) -> Iterator[str]:
    if _types(old) - _types(new):
        yield f"{at}: was {'/'.join(sorted(_types(old)))}, is {'/'.join(sorted(_types(new)))}"
        return
    yield from _values(old, new, at)
    yield from _limits(old, new, at)
    yield from _fields(old, new, at)
    for below, mark in (("items", "[]"), ("additionalProperties", ".*")):
        before, after = old.get(below), new.get(below)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _node(before, after, f"{at}{mark}")
        elif before not in (None, False) and after is False:
            yield f"{at}: keys of one's own are not allowed any more"


def _types(node: Schema) -> set[str]:
    type = node.get("type", ())
    return {type} if isinstance(type, str) else set(type)


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if after is not None and before is None:
        yield f"{at}: was free, is one of {', '.join(map(str, after))}"
    elif before is not None and after is not None:
        for value in before:
            if value not in after:
                yield f"{at}: the value {value} was removed"
    if new.get("pattern") is not None and old.get("pattern") != new["pattern"] and before is None:
        yield f"{at}: the pattern was {old.get('pattern', 'none')}, is {new['pattern']}"
    if "default" in old and old["default"] != new.get("default"):
        yield f"{at}: the default was {old['default']}, is {new.get('default', 'none')}"


def _allowed(node: Schema) -> list[Any] | None:
    if "const" in node:
        return [node["const"]]
    found = node.get("enum")
    return list(found) if found is not None else None


def _limits(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for name in _UPPER:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{at}: {name} was {old.get(name, 'none')}, is {new[name]}"
    for name in _LOWER:
        if name in new and new[name] > old.get(name, 0 if name != "minimum" else new[name] - 1):
            yield f"{at}: {name} was {old.get(name, 'none')}, is {new[name]}"


def _fields(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            yield f"{at}.{name}: must be given now"
    for name, each in before.items():
        if name not in after:
            yield f"{at}.{name}: the field was removed"
        else:
            yield from _node(each, after[name], f"{at}.{name}")
    known = {rule["rule"] for rule in old.get("x-kubernetes-validations", ())}
    for rule in new.get("x-kubernetes-validations", ()):
        if rule["rule"] not in known and not _is_about_added(rule["rule"], before, after):
            yield f"{at}: there is a new rule: {rule['message']}"


def _is_about_added(rule: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a rule can only fail for who sets a field that was not there before."""
    added = [name for name in after if name not in before]
    return any(f"self.{name}" in rule for name in added)
