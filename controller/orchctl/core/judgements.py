"""What gates and approvals came to, as events: decisions, recorded when what is said changes; and who said it."""

from __future__ import annotations

import dataclasses

from orchctl.core.gates.verdicts import Finding
from orchctl.core.happenings import Decision, Event
from orchctl.core.ids import Key, Oid


@dataclasses.dataclass(frozen=True, slots=True)
class Principal:
    """Who a decision is by. An author is a claim; only a signature that was verified is more (APP-2)."""

    name: str  # an address
    kind: str = "Human"  # Human | PolicyBot
    verified: bool = False
    signature: str = ""  # Ssh | Gpg, when verified
    commit: Oid | None = None  # that brought it


@dataclasses.dataclass(frozen=True, slots=True)
class CommitLine:
    """What a rule about commits looks at."""

    commit: Oid
    subject: str
    trailers: tuple[str, ...]  # their names


@dataclasses.dataclass(frozen=True, slots=True)
class FoundWindow:
    """The window that is open at `asked`, or else the next one; all in wall time."""

    stage: str
    gate: str
    asked: float
    opens: float
    closes: float


@dataclasses.dataclass(frozen=True, slots=True)
class PrincipalFound(Event):
    """A fact: the history was rewritten, and what an object says is now by somebody else in it (GIT-6)."""

    principal: Principal | None


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """What an approval is worth now, for exactly one subject."""

    counts: bool
    reason: str
    message: str
    verified: bool = False
    stale: tuple[str, ...] = ()  # the parts of the subject that are others now


@dataclasses.dataclass(frozen=True, slots=True)
class GateJudged(Decision):
    """A gate of a task says something else than before, or says it of something else."""

    finding: Finding


@dataclasses.dataclass(frozen=True, slots=True)
class ApprovalNoted(Decision):
    """An Approval names this task: from now on the task looks at it."""

    approval: Key


@dataclasses.dataclass(frozen=True, slots=True)
class ApprovalJudged(Decision):
    """What this Approval is worth has changed."""

    standing: Standing


@dataclasses.dataclass(frozen=True, slots=True)
class RevokedAfterMerge(Decision):
    """An approval the merge of this task rested on was taken back when it was too late (APP-5)."""

    approval: Key
    message: str


JUDGEMENTS: tuple[type[Event], ...] = (PrincipalFound, GateJudged, ApprovalNoted, ApprovalJudged, RevokedAfterMerge)
