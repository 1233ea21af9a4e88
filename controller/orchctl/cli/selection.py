"""Picks the one object that describe, why, logs and events are about.

A bare name means a task, or a session when there is no such task: what people type most is the task's name.
"""

from __future__ import annotations

from orchctl.app.read import failures, resources, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.app.read.locate import Place


def named(words: Sequence[str]) -> list[resources.Target]:
    """Targets that each have a name; a bare word that is no kind is the name of a task or session."""
    if len(words) == 1 and "/" not in words[0]:
        return [resources.Target(resources.kind_called("task"), words[0])]
    targets = resources.parse(words)
    for target in targets:
        if target.name is None:
            raise failures.CommandError(f"which {target.kind.singular}? write KIND/NAME", failures.USAGE)
    return targets


def open_ledger(place: Place, target: resources.Target) -> rows.Reader:
    path = place.ledger
    if path is None:
        raise failures.CommandError(
            f"{target.kind.singular}/{target.name} not found: no controller has run for {place.name} yet,"
            " start one with `orchctl controller`",
            failures.NOT_FOUND,
        )
    return rows.Reader(path)


def one(target: resources.Target, namespace: str, reader: rows.Reader, *, or_session: bool = False) -> rows.Record:
    name = target.name or ""
    record = reader.find(target.kind.kind, resources.namespace_of(target.kind, namespace), name)
    if record is None and or_session and target.kind.kind == "Task":
        record = reader.find("Session", namespace, name)
    if record is None:
        raise resources.not_found(target, namespace, reader)
    return record
