"""What was found of the programs that agents run."""

from __future__ import annotations

import dataclasses

from orchctl.core import events
from orchctl.core.state import Object, Program


def probed(obj: Object, event: events.AgentProbed, now: events.Now) -> Object:
    return dataclasses.replace(obj, program=_program(event, now))


def says(known: Program | None, event: events.AgentProbed) -> bool:
    """Whether this is no news."""
    return known is not None and known == _program(event, known.since)


def _program(event: events.AgentProbed, since: events.Now) -> Program:
    return Program(
        name=event.program,
        spec_digest=event.spec_digest,
        path=event.path,
        version=event.version,
        mark=event.mark,
        problem=event.problem,
        since=since,
    )
