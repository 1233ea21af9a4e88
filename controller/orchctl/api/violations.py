"""Runs the rules of a manifest's models over it and says where in it each fault is.

Called by the loader once the types are known to be right, with the defaulted data: what an API server would see.
Positions in a file are left to the loader.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from orchctl.api import fields, kinds, meta, shape
from orchctl.api.rules import Rule

Path = tuple[str | int, ...]
_SELF = re.compile(r"\bself\b(?:\.([A-Za-z_][A-Za-z0-9_]*)\b(?!\())?")
_RULE_ERRORS = (RuntimeError, KeyError, TypeError, ValueError, OverflowError)


class Violation(NamedTuple):
    path: Path
    message: str
    code: str


class _Node(NamedTuple):
    """The rules of one model, and of those below it that have any."""

    rules: tuple[Rule, ...]
    below: tuple[tuple[str, bool, _Node], ...]


def violations(manifest: meta.Manifest, data: Mapping[str, Any]) -> list[Violation]:
    """`data` is the manifest as it is dumped, by alias and without what is unset."""
    found = list(_of_scope(manifest))
    node = _node(type(manifest))
    return found if node is None else found + list(_of(node, data, ()))


def _of_scope(manifest: meta.Manifest) -> Iterator[Violation]:
    if not kinds.KINDS[manifest.kind].namespaced and "namespace" in manifest.metadata.model_fields_set:
        message = f"must not be set: {manifest.kind} objects belong to no namespace"
        yield Violation(("metadata", "namespace"), message, "not_allowed")


@functools.cache
def _node(model: type[fields.Model]) -> _Node | None:
    below = []
    for each in shape.below(model):
        node = _node(each.model)
        if node is not None:
            below.append((each.alias, each.is_list, node))
    return _Node(model.RULES, tuple(below)) if model.RULES or below else None


def _of(node: _Node, data: Mapping[str, Any], at: Path) -> Iterator[Violation]:
    for rule in node.rules:
        if not _holds(rule.whole, {"self": _named_in(rule.whole, data)}):
            yield from _located(rule, data, at)
    for field, is_list, inner in node.below:
        if field not in data:
            continue
        if not is_list:
            yield from _of(inner, data[field], (*at, field))
            continue
        for index, item in enumerate(data[field]):
            yield from _of(inner, item, (*at, field, index))


def _named_in(expression: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields a rule names: handing a long prompt over to a rule about two dates costs more than the rule."""
    names = _names(expression)
    return data if names is None else {name: data[name] for name in names if name in data}


@functools.cache
def _names(expression: str) -> tuple[str, ...] | None:
    """The fields of `self` an expression reads; None when it uses `self` in any other way."""
    uses = _SELF.findall(expression)
    return None if "" in uses else tuple(dict.fromkeys(uses))


def _located(rule: Rule, data: Mapping[str, Any], at: Path) -> Iterator[Violation]:
    if not rule.each:
        yield Violation((*at, *rule.path), rule.message, rule.code)
        return
    first = True
    for index, item in enumerate(data[rule.each]):
        if _holds(rule.expression, {"self": data, "item": item}):
            continue
        if not (rule.after_first and first):
            yield Violation((*at, rule.each, index, *rule.path), rule.message, rule.code)
        first = False


def _holds(expression: str, variables: dict[str, Any]) -> bool:
    """A rule that cannot be evaluated does not hold, as with an API server."""
    try:
        return _program(expression).execute(_context(variables)) is True
    except _RULE_ERRORS:
        return False


@functools.cache
def _program(expression: str) -> Any:
    import cel  # a fifth of a second, and readers of manifests without rules need none of it

    return cel.compile(expression)


def _context(variables: dict[str, Any]) -> Any:
    import cel

    return cel.Context(variables, {"indexOf": _index_of})


def _index_of(listed: list[Any], wanted: Any) -> int:
    """A function of lists that an API server has and the library does not."""
    return listed.index(wanted) if wanted in listed else -1
