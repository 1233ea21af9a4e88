"""JSON Schemas (draft 2020-12) of the manifests, for editors and for `orchctl explain`.

Called by `crdgen`, which writes them beside the CRDs: one file a kind, and `all.json` for files of several kinds.
Stricter than a CRD in one point: a field that is not there is an error, as it is for the loader.
"""

from __future__ import annotations

import json
from typing import Any

from orchctl.api import fields, kinds, schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
COMBINED = "all.json"


def of_kind(kind: str) -> dict[str, Any]:
    """The schema of a manifest of that kind, complete in itself."""
    row = kinds.KINDS[kind]
    spec = schema.mapped(schema.spec_schema(kind), _closed)
    needs_spec = ["spec"] if spec.get("required") else []
    return {
        "$schema": DRAFT,
        "title": kind,
        "description": row.description,
        fields.SUPPORTED: row.supported,
        "type": "object",
        "properties": {
            "apiVersion": {"const": kinds.API_VERSION, "description": "Group and version."},
            "kind": {"const": kind, "description": "Kind of the object."},
            "metadata": _metadata(row),
            "spec": spec,
        },
        "required": ["apiVersion", "kind", "metadata", *needs_spec],
        "additionalProperties": False,
    }


def combined() -> dict[str, Any]:
    """One schema for a file with any of the kinds: the kind says which part holds, so that errors stay short."""
    choices = [
        {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": {"$ref": f"#/$defs/{kind}"},
        }
        for kind in kinds.KINDS
    ]
    parts = {kind: {name: each for name, each in of_kind(kind).items() if name != "$schema"} for kind in kinds.KINDS}
    return {
        "$schema": DRAFT,
        "title": "orchctl manifest",
        "type": "object",
        "properties": {"apiVersion": {"const": kinds.API_VERSION}, "kind": {"enum": list(kinds.KINDS)}},
        "required": ["apiVersion", "kind"],
        "allOf": choices,
        "$defs": parts,
    }


def files() -> dict[str, str]:
    """File name to content."""
    made = {f"{kinds.KINDS[kind].singular}.json": of_kind(kind) for kind in kinds.KINDS}
    return {name: json.dumps(each, indent=1, ensure_ascii=False) + "\n" for name, each in made.items()} | {
        COMBINED: json.dumps(combined(), separators=(",", ":"), ensure_ascii=False) + "\n"
    }


def _metadata(row: kinds.Kind) -> dict[str, Any]:
    whole = schema.metadata_schema()
    properties = dict(whole["properties"])
    if not row.namespaced:
        del properties["namespace"]
    return {**schema.mapped({**whole, "properties": properties}, _closed), "description": "Name, namespace, labels."}


def _closed(node: schema.Node) -> schema.Node:
    if node.get("x-kubernetes-int-or-string"):
        return {**node, "type": ["integer", "string"]}
    if node.get("type") == "object" and not node.get("x-kubernetes-preserve-unknown-fields"):
        return {"additionalProperties": False, "properties": {}, **node} if "additionalProperties" not in node else node
    return node
