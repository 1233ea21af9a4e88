"""When the programs of agents and the secrets of accounts are looked for: at the start, after an edit, now and then.

Asked by the loop, which does the looking in threads. Only what is news becomes a fact, so a machine on which nothing
changes adds nothing to the ledger.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from orchctl.adapters.probes import programs
from orchctl.core import accounts, agents, events, preflight
from orchctl.core.folds import agents as folds
from orchctl.core.ids import Key, kind_of
from orchctl.core.state import Keyring, Object, Program, State

LOOK_S = 30.0  # how late it is noticed that a program was installed or removed


Sought = agents.Sought | accounts.Files


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What is to be looked for on behalf of one object, and what was found the last time."""

    key: Key
    sought: Sought
    before: Program | Keyring | None


class Scout:
    def __init__(self) -> None:
        self.due = 0.0  # of the loop's own clock
        self._under_way: dict[Key, Sought] = {}

    def touched(self, keys: Iterable[Key]) -> None:
        """Objects have changed: if one of them is an Agent or an Account, all are looked at soon."""
        if any(kind_of(key) in preflight.KINDS for key in keys):
            self.due = 0.0

    def looks(self, state: State, now: float) -> list[Look]:
        """Everything when its time has come, but what is being looked for already."""
        if now < self.due:
            return []
        self.due = now + LOOK_S
        found = []
        for key in state.declared:
            obj = state.objects[key]
            sought = _sought(obj)
            if sought is not None and self._under_way.get(key) != sought:
                self._under_way[key] = sought
                found.append(Look(key, sought, obj.program or obj.keyring))
        return found

    def done(self, look: Look) -> None:
        if self._under_way.get(look.key) == look.sought:
            del self._under_way[look.key]


def _sought(obj: Object) -> Sought | None:
    if kind_of(obj.key) not in preflight.KINDS or obj.desired is None or obj.withdrawn:
        return None
    return agents.sought(obj.desired) if kind_of(obj.key) == "Agent" else accounts.files(obj.desired)


def account_news(look: Look, files: accounts.Files, problem: str) -> list[events.Event]:
    """The fact, unless the ledger says the same already."""
    fact = events.AccountProbed(look.key, spec_digest=files.spec_digest, problem=problem)
    return [] if folds.says(look.before, fact) else [fact]


def news(look: Look, sought: agents.Sought, found: programs.Found) -> list[events.Event]:
    """The fact, unless the ledger says the same already."""
    fact = events.AgentProbed(
        look.key,
        program=sought.program,
        spec_digest=sought.spec_digest,
        path=found.path,
        version=found.version,
        mark=found.mark,
        problem=found.problem,
    )
    return [] if folds.says(look.before, fact) else [fact]
