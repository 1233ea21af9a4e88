"""Rules inside one object that hold between its fields, and so cannot be the type of any one of them.

Called by the loader after the types are known to be right. Pure; says where in the object the fault is, as a path of
field names and indexes, and leaves positions in a file to the loader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orchctl.api import kinds, meta
from orchctl.api.v1alpha1 import agent, pipeline, project


class Violation(NamedTuple):
    path: tuple[str | int, ...]
    message: str
    code: str


def violations(manifest: meta.Manifest) -> list[Violation]:
    found = list(_metadata(manifest))
    match manifest:
        case project.Project():
            checks = [each.name for each in manifest.spec.checks]
            found += _unique(checks, ("spec", "checks"), "name")
        case agent.Agent():
            found += _agent(manifest.spec)
        case pipeline.Pipeline():
            found += _pipeline(manifest.spec)
        case _:
            pass
    return found


def gate_name(gate: pipeline.Gate) -> str:
    """The name of a gate: its own, or its type."""
    return gate.name or ("checks" if gate.checks is not None else "command")


def _metadata(manifest: meta.Manifest) -> Iterator[Violation]:
    if not kinds.KINDS[manifest.kind].namespaced and "namespace" in manifest.metadata.model_fields_set:
        message = f"must not be set: {manifest.kind} objects belong to no namespace"
        yield Violation(("metadata", "namespace"), message, "not_allowed")


def _unique(names: Iterable[str], path: tuple[str | int, ...], *below: str) -> Iterator[Violation]:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            message = f"must be unique; '{name}' is also number {seen[name] + 1} of the list"
            yield Violation((*path, index, *below), message, "duplicate_name")
        seen.setdefault(name, index)


def _agent(spec: agent.AgentSpec) -> Iterator[Violation]:
    if spec.backend == agent.Backend.COMMAND and not spec.command:
        yield Violation(("spec", "command"), "must name a program for backend 'command'", "missing")
    if spec.command and not spec.command[0]:
        yield Violation(("spec", "command", 0), "must be the program to run and not empty", "bad_format")


def _pipeline(spec: pipeline.PipelineSpec) -> Iterator[Violation]:
    names = [stage.name for stage in spec.stages]
    yield from _unique(names, ("spec", "stages"), "name")
    for index, stage in enumerate(spec.stages):
        at = ("spec", "stages", index)
        yield from _stage(stage, at)
        if stage.merge is not None and index != len(spec.stages) - 1:
            yield Violation((*at, "merge"), "must be in the last stage, and in one only", "not_allowed")
        if stage.on_failure is not None and stage.on_failure.goto not in names[: index + 1]:
            goto = (*at, "onFailure", "goto")
            allowed = ", ".join(f"'{name}'" for name in names[: index + 1])
            yield Violation(goto, f"must be this stage or an earlier one: {allowed}", "unknown_stage")


def _stage(stage: pipeline.Stage, at: tuple[str | int, ...]) -> Iterator[Violation]:
    if stage.role is not None and stage.merge is not None:
        yield Violation((*at, "merge"), "must not be beside `role`: a stage has one of them", "not_allowed")
    if stage.role is None:
        for field, given in (("prompt", stage.prompt), ("agents", stage.agents), ("timeout", stage.timeout)):
            if given:
                yield Violation((*at, field), "must not be given without `role`", "not_allowed")
    if stage.role is None and stage.merge is None and not stage.gates:
        yield Violation(at, "must have a `role`, a `merge` or at least one of `gates`", "missing")
    for number, gate in enumerate(stage.gates):
        if (gate.checks is None) == (gate.command is None):
            yield Violation((*at, "gates", number), "must have exactly one of `checks` and `command`", "one_of")
    yield from _unique(map(gate_name, stage.gates), (*at, "gates"))
