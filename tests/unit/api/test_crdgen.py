"""CRDs: fresh in the repository, structural, and found when stale."""

from pathlib import Path

import pytest

from orchctl.api import crdgen, kinds

REPOSITORY = Path(__file__).resolve().parents[3]


def nodes(schema, path=""):
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from nodes(each, f"{path}.{name}")
    for below in ("items", "additionalProperties"):
        if below in schema:
            yield from nodes(schema[below], f"{path}[{below}]")


def flaws(schema):
    """What makes a schema not structural, or unbounded, by the rules of apiextensions."""
    forbidden = {"$ref", "$defs", "definitions", "title", "const", "anyOf", "oneOf", "allOf", "not", "uniqueItems"}
    for path, node in nodes(schema):
        for name in sorted(forbidden & node.keys()):
            yield f"{path}: {name}"
        if ("type" in node) == ("x-kubernetes-int-or-string" in node):
            yield f"{path}: no type"
        if node.get("default") == {} and node.get("required"):
            yield f"{path}: a default that is not valid"
        if any(name.startswith("x-orchctl") for name in node):
            yield f"{path}: a mark of our own"
        if node.get("type") == "array" and not ("items" in node and "maxItems" in node):
            yield f"{path}: list without items or maximum"
        if "properties" in node and "additionalProperties" in node:
            yield f"{path}: properties beside additionalProperties"
        if "additionalProperties" in node and "maxProperties" not in node:
            yield f"{path}: map without maximum"
        if (
            path.startswith(".spec")
            and node.get("type", "string") == "string"
            and not ({"maxLength", "enum"} & node.keys())
        ):
            yield f"{path}: string without maximum"


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_crd_is_structural_and_bounded(kind):
    (version,) = crdgen.crd(kind)["spec"]["versions"]
    root = version["schema"]["openAPIV3Schema"]
    assert list(flaws(root)) == []
    assert version["subresources"] == {"status": {}}
    for path, node in nodes(root["properties"]["spec"]):
        for name, each in node.get("properties", {}).items():
            assert each.get("description"), f"{kind}.spec{path}.{name} has no description"


def test_the_lint_finds_what_is_not_structural():
    bad = {"type": "object", "properties": {"a": {"title": "A"}, "b": {"type": "array", "items": {"type": "string"}}}}
    assert list(flaws(bad)) == [".a: title", ".a: no type", ".b: list without items or maximum"]


def test_the_files_in_the_repository_are_fresh():
    assert crdgen.stale(REPOSITORY / "crds") == []


def test_a_stale_a_missing_and_a_foreign_file_are_found_and_repaired(tmp_path, capsys):
    assert crdgen.main([str(tmp_path)]) == 0
    assert crdgen.main(["--check", str(tmp_path)]) == 0
    (tmp_path / "tasks.orchctl.dev.yaml").write_text("old")
    (tmp_path / "roles.orchctl.dev.yaml").unlink()
    (tmp_path / "boards.orchctl.dev.yaml").write_text("")
    names = ["boards.orchctl.dev.yaml", "roles.orchctl.dev.yaml", "tasks.orchctl.dev.yaml"]
    assert crdgen.stale(tmp_path) == names
    assert crdgen.main(["--check", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert all(name in said for name in names)
    assert crdgen.main([str(tmp_path)]) == 0
    assert crdgen.stale(tmp_path) == []


def test_the_text_reads_back_as_the_data():
    from ruamel.yaml import YAML

    for kind in kinds.KINDS:
        assert YAML(typ="safe").load(crdgen.yaml_text(crdgen.crd(kind))) == crdgen.crd(kind)
