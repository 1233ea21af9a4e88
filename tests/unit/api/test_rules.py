"""The rules of CEL as an API server has to take them: each compiles, is bounded, cheap and points at a known field."""

import re

import cel
import pytest

from orchctl.api import crdgen, kinds, registry, schema, shape

COST_PER_RULE_MAX = 10_000_000  # of apiextensions
COST_PER_CRD_MAX = 100_000_000
STRING_COST = 0.1  # of comparing one character
CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\.(all|exists|exists_one|filter|map)\(([a-z]+), ")


def all_rules():
    def of(model, seen):
        if model in seen:
            return
        seen.add(model)
        for rule in model.RULES:
            yield model, rule
        for each in shape.below(model):
            yield from of(each.model, seen)

    seen: set[type] = set()
    for manifest in registry.MODELS.values():
        yield from of(manifest, seen)


RULES = list(all_rules())


def nodes_with_rules(kind):
    """(path, times it can be there, node) of every node with rules."""

    def of(node, path, times):
        if "x-kubernetes-validations" in node:
            yield path, times, node
        for name, each in node.get("properties", {}).items():
            yield from of(each, f"{path}.{name}", times)
        if "items" in node:
            yield from of(node["items"], f"{path}[]", times * node["maxItems"])

    yield from of(schema.spec_schema(kind), ".spec", 1)


def entry_of(node, path):
    for part in path:
        node = node["properties"][part]
    return node


def cost(rule, node):
    """An upper bound of the steps of a rule: each loop times the most entries it can have."""
    return cost_of(rule, {"self": node})


def cost_of(text, variables):
    total, at = len(re.findall(r"[=<>!&|?]+|has\(|size\(", text)) * 64 * STRING_COST + 1, 0
    while call := CALL.search(text, at):
        end, depth = call.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        root, *path = call[1].split(".")
        listed = entry_of(variables[root], path)
        inner = {**variables, call[3]: listed["items"]}
        total += listed["maxItems"] * cost_of(text[call.end() : end - 1], inner)
        at = end
    return total


def test_there_are_rules():
    assert len(RULES) > 40


@pytest.mark.parametrize(("model", "rule"), RULES, ids=lambda each: getattr(each, "__name__", ""))
def test_a_rule_compiles_and_speaks_of_self_alone(model, rule):
    bound = {match[2] for match in re.finditer(r"\.(all|exists|filter|map)\(([a-z]+),", rule.whole)}
    assert set(cel.compile(rule.whole).variables()) - bound <= {"self"}
    assert rule.message.startswith("must")
    assert "\n" not in rule.whole


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_rules_of_a_crd_stay_within_the_cost_an_api_server_allows(kind):
    total = 0.0
    for path, times, node in nodes_with_rules(kind):
        for rule in node["x-kubernetes-validations"]:
            assert times * cost(rule["rule"], node) < COST_PER_RULE_MAX, (path, rule)
            total += times * cost(rule["rule"], node)
    assert total < COST_PER_CRD_MAX


def test_a_rule_that_costs_too_much_is_seen():
    inner = {"type": "array", "maxItems": 1000, "items": {"type": "string"}}
    node = {"properties": {"a": {"type": "array", "maxItems": 10_000, "items": {"properties": {"b": inner}}}}}
    assert cost("self.a.all(x, x.b.all(y, y != ''))", node) > COST_PER_RULE_MAX


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_crd_carries_every_rule_and_its_field_is_there(kind):
    def carried(node):
        found = [rule["rule"] for rule in node.get("x-kubernetes-validations", ())]
        for path in [rule["fieldPath"] for rule in node.get("x-kubernetes-validations", ()) if "fieldPath" in rule]:
            if not path.startswith((".spec", ".metadata")):
                entry_of(node, path.removeprefix(".").split("."))
        for each in [*node.get("properties", {}).values(), *([node["items"]] if "items" in node else [])]:
            found += carried(each)
        return found

    def wanted(model):
        found = [rule.whole for rule in model.RULES]
        for each in shape.below(model):
            found += wanted(each.model)
        return found

    (version,) = crdgen.crd(kind)["spec"]["versions"]
    assert sorted(carried(version["schema"]["openAPIV3Schema"])) == sorted(wanted(registry.MODELS[kind]))
