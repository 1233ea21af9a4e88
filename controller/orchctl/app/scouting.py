"""When the programs of agents are looked for: at the start, when an Agent is new or edited, and now and then.

Asked by the loop, which does the looking in threads. Only what is news becomes a fact, so a machine on which nothing
changes adds nothing to the ledger.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from orchctl.adapters.probes import programs
from orchctl.core import agents, events
from orchctl.core.folds import agents as folds
from orchctl.core.ids import Key, kind_of
from orchctl.core.state import Program, State

LOOK_S = 30.0  # how late it is noticed that a program was installed or removed


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """One program that is to be looked for, and what was found the last time."""

    key: Key
    sought: agents.Sought
    before: Program | None


class Scout:
    def __init__(self) -> None:
        self.due = 0.0  # of the loop's own clock
        self._under_way: dict[Key, agents.Sought] = {}

    def touched(self, keys: Iterable[Key]) -> None:
        """Objects have changed: if one of them is an Agent, all are looked at soon."""
        if any(kind_of(key) == "Agent" for key in keys):
            self.due = 0.0

    def looks(self, state: State, now: float) -> list[Look]:
        """Everything when its time has come, but what is being looked for already."""
        if now < self.due:
            return []
        self.due = now + LOOK_S
        found = []
        for key in state.declared:
            obj = state.objects[key]
            if kind_of(key) != "Agent" or obj.desired is None or obj.withdrawn:
                continue
            sought = agents.sought(obj.desired)
            if sought is not None and self._under_way.get(key) != sought:
                self._under_way[key] = sought
                found.append(Look(key, sought, obj.program))
        return found

    def done(self, look: Look) -> None:
        if self._under_way.get(look.key) == look.sought:
            del self._under_way[look.key]


def news(look: Look, found: programs.Found) -> list[events.Event]:
    """The fact, unless the ledger says the same already."""
    fact = events.AgentProbed(
        look.key,
        program=look.sought.program,
        spec_digest=look.sought.spec_digest,
        path=found.path,
        version=found.version,
        mark=found.mark,
        problem=found.problem,
    )
    return [] if folds.says(look.before, fact) else [fact]
