"""The JSON Schemas editors read: complete in themselves, closed, and at one with the loader."""

import json
from pathlib import Path

import pytest

from orchctl.api import jsonschema, kinds, schema

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_schema_is_closed_and_complete(kind):
    made = jsonschema.of_kind(kind)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$ref" not in json.dumps(made)
    for path, node in schema.walk(made):
        if node.get("type") == "object" and "x-kubernetes-preserve-unknown-fields" not in node:
            assert "additionalProperties" in node, path
        assert {"type", "const"} & node.keys(), path
    assert "status" not in made["properties"]
    assert ("namespace" in made["properties"]["metadata"]["properties"]) == kinds.KINDS[kind].namespaced


def test_the_combined_schema_has_every_kind():
    made = jsonschema.combined()
    assert made["properties"]["kind"]["enum"] == list(kinds.KINDS)
    for choice in made["allOf"]:
        assert choice["then"]["$ref"].removeprefix("#/$defs/") in made["$defs"]


def test_the_files_are_there_and_the_marks_are_in_them():
    task = json.loads((REPOSITORY / "crds/schemas/task.json").read_text())
    assert task == jsonschema.of_kind("Task")
    assert task["properties"]["spec"]["properties"]["budget"]["x-orchctl-supported"] is False
    assert json.loads((REPOSITORY / "crds/schemas/budget.json").read_text())["x-orchctl-supported"] == "no"
