"""What was found of the programs that agents run, and of the files their accounts name."""

from __future__ import annotations

import dataclasses

from orchctl.core import events
from orchctl.core.state import Keyring, Object, Program


def probed(obj: Object, event: events.AgentProbed, now: events.Now) -> Object:
    return dataclasses.replace(obj, program=_program(event, now))


def account_probed(obj: Object, event: events.AccountProbed, now: events.Now) -> Object:
    return dataclasses.replace(obj, keyring=Keyring(event.spec_digest, event.problem, since=now))


def says(known: Program | Keyring | None, event: events.AgentProbed | events.AccountProbed) -> bool:
    """Whether this is no news."""
    if known is None:
        return False
    if isinstance(event, events.AccountProbed):
        return known == Keyring(event.spec_digest, event.problem, since=known.since)
    return known == _program(event, known.since)


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
