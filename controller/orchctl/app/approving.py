"""Writes Approvals for people: the exact subject a gate is asking about, as a manifest, in a file of its own.

Called by approve, deny and revoke. Nothing is decided here: whether it counts is for the controller to say.
"""

from __future__ import annotations

import dataclasses

from orchctl.adapters import manifests
from orchctl.api import kinds
from orchctl.app import committing
from orchctl.app.authoring import MANIFESTS
from orchctl.app.read import body, failures, locate, rows, yamltext
from orchctl.kit import digest, names, text

NAMES_TRIED_MAX = 100
SUBJECT = (
    ("kind", str), ("uid", str), ("stage", str), ("gate", str), ("attempt", int), ("commit", str),
    ("workDigest", str), ("evidenceDigest", str), ("policyDigest", str),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    decision: str  # Approved | Denied | Revoked
    gate: str | None
    comment: str
    expires: str | None
    namespace: str


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    name: str
    path: str
    text: str
    message: str


def manifest(place: locate.Place, record: rows.Record, wish: Wish) -> Made:
    gate = _gate(record, wish)
    asked = gate.at("subject")
    subject: dict[str, object] = {"kind": "Task", "name": record.name}
    subject |= {field: of_type(asked.text(field)) for field, of_type in SUBJECT if field != "kind"}
    spec: dict[str, object] = {"subject": subject, "decision": wish.decision}
    if wish.comment:
        spec["comment"] = wish.comment
    if wish.expires:
        spec["expiresAt"] = wish.expires
    name = _name(place, record, gate, spec)
    metadata = {"name": name} | ({"namespace": wish.namespace} if wish.namespace != kinds.DEFAULT_NAMESPACE else {})
    written = yamltext.dump({"apiVersion": kinds.API_VERSION, "kind": "Approval", "metadata": metadata, "spec": spec})
    path = f"{MANIFESTS}/approvals/{name}.yaml"
    problems = manifests.parse(written.encode(), path).problems
    if problems:
        raise failures.CommandError("; ".join(problem.message for problem in problems), failures.USAGE)
    said = {"Approved": "Approve", "Denied": "Deny", "Revoked": "Revoke"}[wish.decision]
    message = f"{said} {gate.text('name')} of {record.name}\n\n{text.one_line(wish.comment, 500)}\n"
    return Made(name, path, written, message)


def commit(place: locate.Place, made: Made, ref: str | None) -> committing.Committed:
    branch = committing.ControlBranch(place, ref)
    for number in range(1, NAMES_TRIED_MAX):  # the same may be said again after it was taken back
        name = made.name if number == 1 else f"{made.name[: names.NAME_LENGTH_MAX - 3]}-{number}"
        path = made.path.replace(made.name, name)
        if not branch.has(path):
            return branch.add(path, made.text.replace(f"name: {made.name}\n", f"name: {name}\n"), made.message)
    raise failures.CommandError(f"every name from {made.name} on is taken", failures.CONFLICT)


def _gate(record: rows.Record, wish: Wish) -> body.Body:
    """The gate that is meant: named, or the only one that asks; of a merged task the one that was asked."""
    status = body.of(record).at("status")
    known = [gate for gate in status.each("gates") if gate.text("type") == "approval" and gate.at("subject")]
    wanted = [gate for gate in known if wish.gate is None or gate.text("name") == wish.gate]
    asking = [gate for gate in wanted if gate.text("state") == "Waiting"]
    found = wanted if wish.decision == "Revoked" or not asking else asking
    if len(found) == 1 and (asking or wish.decision == "Revoked"):
        return found[0]
    if len(found) > 1:
        listed = ", ".join(gate.text("name") for gate in found)
        raise failures.CommandError(f"task/{record.name} has several gates: say which with --gate, of {listed}")
    named = f"gate {wish.gate} of " if wish.gate else ""
    raise failures.CommandError(f"{named}task/{record.name} asks nobody now: see `orchctl why {record.name}`")


def _name(place: locate.Place, record: rows.Record, gate: body.Body, spec: dict[str, object]) -> str:
    """Who said it is in the name for people; that it is about something else is in the hash at its end."""
    address = committing.git(place, "config", "user.email", check=False).strip()
    who = names.slug(address.partition("@")[0], fallback="somebody")
    hashed = digest.short_digest(digest.canonical_json([spec["subject"], spec["decision"]]), 8)
    plain = f"{record.name}-{gate.text('stage')}-{gate.text('name')}-{who}"
    return f"{plain[: names.NAME_LENGTH_MAX - 9].rstrip('-')}-{hashed}"
