"""What was found of the programs that agents run."""

from __future__ import annotations

import dataclasses

from orchctl.core import events
from orchctl.core.state import Object, Program


def probed(obj: Object, event: events.AgentProbed, now: events.Now) -> Object:
    program = Program(
        name=event.program,
        spec_digest=event.spec_digest,
        path=event.path,
        version=event.version,
        mark=event.mark,
        problem=event.problem,
        since=now,
    )
    return dataclasses.replace(obj, program=program)
