"""The three things a gate can say, and the record of what one has said.

A verdict is made anew each time its task is decided, from what is known then; so it can never be about a commit that
is no longer the head. The record is for people, for approvals to name, and for a delay to know when it began.
"""

from __future__ import annotations

import dataclasses

from orchctl.core.ids import Key
from orchctl.kit import digest


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """What a verdict is about; an approval names all of it, and counts for nothing else (APP-1)."""

    uid: str
    stage: str
    gate: str
    attempt: int
    commit: str
    work_digest: str
    evidence_digest: str = ""
    policy_digest: str = ""

    @property
    def digest(self) -> str:
        return digest.sha256_hex(digest.canonical_json(dataclasses.asdict(self)))

    def is_same_work(self, other: Subject) -> bool:
        """Of the same stage, attempt and commit, whatever else was found out about it meanwhile."""
        mine = (self.uid, self.stage, self.gate, self.attempt, self.commit)
        return mine == (other.uid, other.stage, other.gate, other.attempt, other.commit)


def with_policy(subject: Subject, policy_digest: str) -> Subject:
    return dataclasses.replace(subject, policy_digest=policy_digest)


@dataclasses.dataclass(frozen=True, slots=True)
class Passed:
    message: str
    used: tuple[Key, ...] = ()  # the approvals it rests on
    until_t: float | None = None  # of a delay: when it was over


@dataclasses.dataclass(frozen=True, slots=True)
class Failed:
    message: str
    feedback: str = ""  # what the agent is shown; empty: the message
    reason: str = "GateFailed"


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    reason: str  # of the Waiting condition
    message: str
    rule: str
    unblock: str = ""
    until_t: float | None = None  # controller time at which to look again by itself
    until_at: float | None = None  # wall time of the same


@dataclasses.dataclass(frozen=True, slots=True)
class Unknown:
    """A fact is missing that has to be looked up first: the edges of a window."""


Verdict = Passed | Failed | Waiting


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A verdict as it is recorded."""

    stage: str
    gate: str
    type: str
    state: str  # Passed | Failed | Waiting
    message: str
    subject: Subject
    used: tuple[Key, ...] = ()
    until_t: float | None = None


def finding(gate_type: str, subject: Subject, verdict: Verdict) -> Finding:
    return Finding(
        stage=subject.stage,
        gate=subject.gate,
        type=gate_type,
        state=type(verdict).__name__,
        message=verdict.message,
        subject=subject,
        used=verdict.used if isinstance(verdict, Passed) else (),
        until_t=verdict.until_t if isinstance(verdict, Passed | Waiting) else None,
    )
