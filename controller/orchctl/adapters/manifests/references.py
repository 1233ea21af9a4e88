"""The names by which a document refers to others, as paths into its spec.

Called by the loader, which adds the positions, so that a name nothing has can be shown where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
Found = tuple[Path, str, str]  # where, the kind it must be of, the name


def of_spec(kind: str, spec: Mapping[str, Any]) -> Iterator[Found]:
    """References of a validated, defaulted spec."""
    if kind == "Project":
        yield from _of(spec["defaults"], ("spec", "defaults"))
    elif kind == "Pipeline":
        for index, stage in enumerate(spec["stages"]):
            yield from _of(stage, ("spec", "stages", index))
    elif kind != "Agent":
        yield from _of(spec, ("spec",))


def _of(holder: Mapping[str, Any], at: Path) -> Iterator[Found]:
    for field in ("project", "pipeline", "role"):
        if field in holder:
            yield (*at, field), field.capitalize(), holder[field]
    for index, agent in enumerate(holder.get("agents", ())):
        yield (*at, "agents", index), "Agent", agent.split("/", 1)[0]
