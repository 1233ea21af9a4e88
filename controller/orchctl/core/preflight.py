"""What has to be there before an agent is started, as the kinds that have such a thing show it (SES-14)."""

from __future__ import annotations

from orchctl.core import accounts, agents
from orchctl.core.because import Because
from orchctl.core.ids import kind_of
from orchctl.core.state import Object

KINDS = frozenset({"Agent", "Account"})


def readiness(obj: Object) -> Because | None:
    """Why it cannot be used now, or None."""
    return accounts.readiness(obj) if kind_of(obj.key) == "Account" else agents.readiness(obj)


def is_known(obj: Object) -> bool:
    """Whether anybody has looked since it was last edited."""
    return (accounts.found(obj) if kind_of(obj.key) == "Account" else agents.found(obj)) is not None
