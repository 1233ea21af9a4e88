"""A change of a schema that makes an old manifest invalid is found; one that only allows more is not."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from orchctl.api import compatibility, jsonschema, kinds

REPOSITORY = Path(__file__).resolve().parents[3]
OLD = {
    "Task": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 10, "minLength": 1},
            "mode": {"type": "string", "enum": ["A", "B"], "default": "A"},
            "count": {"type": "integer", "minimum": 1, "maximum": 9},
            "list": {"type": "array", "maxItems": 4, "items": {"type": "string"}},
            "map": {"type": "object", "maxProperties": 4, "additionalProperties": {"type": "string", "maxLength": 5}},
            "amount": {"type": ["integer", "string"]},
        },
        "required": ["name"],
        "additionalProperties": False,
        "x-kubernetes-validations": [{"rule": "has(self.name)", "message": "must"}],
    }
}


def changed(path, value) -> dict[str, Any]:
    new: dict[str, Any] = copy.deepcopy(OLD)
    node = new["Task"]
    *parts, last = path.split("/")
    for part in parts:
        node = node[part]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return new


BREAKING = [
    ("properties/list", None, "Task.list: the field was removed"),
    ("required", ["name", "mode"], "Task.mode: must be given now"),
    ("properties/mode/enum", ["A"], "Task.mode: the value B was removed"),
    ("properties/mode/default", "B", "Task.mode: the default was A, is B"),
    ("properties/name/enum", ["x"], "Task.name: was free, is one of x"),
    ("properties/name/pattern", "^x", "Task.name: the pattern was none, is ^x"),
    ("properties/name/maxLength", 9, "Task.name: maxLength was 10, is 9"),
    ("properties/name/minLength", 2, "Task.name: minLength was 1, is 2"),
    ("properties/count/minimum", 2, "Task.count: minimum was 1, is 2"),
    ("properties/count/maximum", 8, "Task.count: maximum was 9, is 8"),
    ("properties/count/type", "string", "Task.count: was integer, is string"),
    ("properties/amount/type", "integer", "Task.amount: was integer/string, is integer"),
    ("properties/list/maxItems", 3, "Task.list: maxItems was 4, is 3"),
    ("properties/list/minItems", 1, "Task.list: minItems was none, is 1"),
    ("properties/list/items/maxLength", 3, "Task.list[]: maxLength was none, is 3"),
    ("properties/map/additionalProperties/maxLength", 3, "Task.map.*: maxLength was 5, is 3"),
    ("properties/map/additionalProperties", False, "Task.map: keys of one's own are not allowed any more"),
    (
        "x-kubernetes-validations",
        [{"rule": "size(self.list) > 1", "message": "must have two"}],
        "Task: there is a new rule",
    ),
]
HARMLESS = [
    ("properties/more", {"type": "string", "maxLength": 3}),
    ("properties/mode/enum", ["A", "B", "C"]),
    ("properties/name/maxLength", 11),
    ("properties/name/maxLength", None),
    ("properties/name/minLength", None),
    ("properties/count/minimum", 0),
    ("properties/count/type", ["integer", "string"]),
    ("properties/name/description", "Other words."),
    ("required", []),
    ("x-kubernetes-validations", []),
]


@pytest.mark.parametrize(("path", "value", "message"), BREAKING)
def test_what_breaks_an_old_manifest_is_named_with_its_place(path, value, message):
    (found,) = compatibility.breaks(OLD, changed(path, value))
    assert found.startswith(message)


@pytest.mark.parametrize(("path", "value"), HARMLESS)
def test_what_only_allows_more_is_fine(path, value):
    assert compatibility.breaks(OLD, changed(path, value)) == []


def test_a_rule_about_a_field_that_was_not_there_is_fine():
    new = changed("properties/more", {"type": "string"})
    new["Task"]["x-kubernetes-validations"].append({"rule": "!has(self.more) || self.count > 1", "message": "must"})
    assert compatibility.breaks(OLD, new) == []


def test_a_kind_that_is_gone_is_named():
    assert compatibility.breaks(OLD, {}) == ["Task: the kind was removed"]


def test_what_was_released_is_still_valid():
    now = {kind: jsonschema.of_kind(kind) for kind in kinds.KINDS}
    assert compatibility.breaks(now, now) == []
    for folder in sorted(each for each in (REPOSITORY / "crds/released").iterdir() if each.is_dir()):
        singular = {row.singular: kind for kind, row in kinds.KINDS.items()}
        then = {
            singular.get(file.stem, file.stem): json.loads(file.read_text())
            for file in folder.glob("*.json")
            if file.name != jsonschema.COMBINED
        }
        assert compatibility.breaks(then, now) == [], folder.name
