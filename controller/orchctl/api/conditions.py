"""Conditions of a status, and what they add up to: the conventions of Kubernetes and kstatus, as pure functions.

Called by the core for every status it proposes and by whoever waits for an object. One transition time per change of
status and nothing else: a time that moves on every look would make each look a change.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping

MESSAGE_LENGTH_MAX = 1_024  # as in metav1 a sentence, not a log

READY = "Ready"
RECONCILING = "Reconciling"  # present only while it holds
STALLED = "Stalled"  # present only while it holds
ACCEPTED = "Accepted"
SUCCEEDED = "Succeeded"
WAITING = "Waiting"
SUSPENDED = "Suspended"  # present only while it holds
DEPENDENCIES_READY = "DependenciesReady"  # of a Task that has dependencies
VERIFIED = "Verified"
MERGED = "Merged"
WORKTREE_READY = "WorktreeReady"
WRITER_LOCKED = "WriterLocked"
SYNCED = "Synced"  # of a source with a remote
SOURCE_VERIFIED = "SourceVerified"  # of a source whose commits must be signed
EFFECTIVE = "Effective"  # of an Approval: it counts
STALE = "Stale"  # present only while it holds: an Approval or answer is about something else than what is judged now
ANSWERED = "Answered"  # of a Question
SUPPORTED = "Supported"  # present, and False, only while something asked for has no behaviour


class Reason:
    """Reasons that may appear in a condition; they are part of the API, so they are listed once."""

    PROGRESSING = "Progressing"
    PROGRESSING_WITH_RETRY = "ProgressingWithRetry"
    RECONCILIATION_SUCCEEDED = "ReconciliationSucceeded"
    ADMITTED = "Admitted"
    VALIDATION_FAILED = "ValidationFailed"
    DUPLICATE_IDENTITY = "DuplicateIdentity"
    RESTART_REQUIRED = "RestartRequired"
    REFERENCE_NOT_FOUND = "ReferenceNotFound"
    DEPENDENCY_NOT_READY = "DependencyNotReady"
    CAPACITY_EXHAUSTED = "CapacityExhausted"
    AGENT_NOT_READY = "AgentNotReady"
    AGENT_FAILED = "AgentFailed"
    AGENT_CRASHED = "AgentCrashed"
    GATE_FAILED = "GateFailed"
    GATES_PASSED = "GatesPassed"
    NO_CHANGE = "NoChange"
    PROTECTED_PATH = "ProtectedPath"
    MERGE_CONFLICT = "MergeConflict"
    TARGET_DIRTY = "TargetDirty"
    MERGED = "Merged"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    PRUNE_BLOCKED = "PruneBlocked"
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    SOURCE_OFFLINE = "SourceOffline"
    SIGNATURE_INVALID = "SignatureInvalid"
    SIGNATURE_GOOD = "SignatureGood"
    FETCHED = "Fetched"
    NOT_IMPLEMENTED = "NotImplemented"
    MADE_BY_CONTROLLER = "MadeByController"
    CANCELLED = "Cancelled"
    WITHDRAWN = "Withdrawn"


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    type: str
    status: str  # "True", "False" or "Unknown", as strings: that is what the API carries
    reason: str
    message: str = ""
    observed_generation: int = 0
    last_transition_time: str = ""  # RFC 3339, UTC, whole seconds

    def served(self) -> dict[str, object]:
        """The condition as it appears in a served object."""
        return {
            "type": self.type,
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "observedGeneration": self.observed_generation,
            "lastTransitionTime": self.last_transition_time,
        }


Conditions = tuple[Condition, ...]


def _order(condition: Condition) -> tuple[bool, str]:
    return (condition.type != READY, condition.type)


def set_condition(conditions: Conditions, new: Condition) -> Conditions:
    """The conditions with `new` in place of the one of its type; the very same tuple if nothing changed.

    `new.last_transition_time` is the time of this decision: it is kept only if the status differs from before.
    """
    assert new.status in ("True", "False", "Unknown"), new.status
    assert new.reason
    assert new.type
    message = new.message if len(new.message) <= MESSAGE_LENGTH_MAX else new.message[: MESSAGE_LENGTH_MAX - 1] + "…"
    old = find(conditions, new.type)
    since = old.last_transition_time if old is not None and old.status == new.status else new.last_transition_time
    kept = dataclasses.replace(new, message=message, last_transition_time=since)
    if kept == old:
        return conditions
    return tuple(sorted([*(each for each in conditions if each.type != new.type), kept], key=_order))


def remove_condition(conditions: Conditions, type: str) -> Conditions:
    """The conditions without that type; the very same tuple if it was not there."""
    if find(conditions, type) is None:
        return conditions
    return tuple(each for each in conditions if each.type != type)


def find(conditions: Iterable[Condition], type: str) -> Condition | None:
    return next((each for each in conditions if each.type == type), None)


class Health(enum.StrEnum):
    """What an object's status adds up to, in the words of kstatus."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"


@dataclasses.dataclass(frozen=True, slots=True)
class Readiness:
    health: Health
    message: str


def readiness(served: Mapping[str, object]) -> Readiness:
    """What kstatus would say about a served object: a failure counts as one only when it is Stalled."""
    metadata = _mapping(served.get("metadata"))
    status = _mapping(served.get("status"))
    if metadata.get("deletionTimestamp") is not None:
        return Readiness(Health.TERMINATING, "it is being deleted")
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata.get("generation"):
        return Readiness(Health.IN_PROGRESS, f"generation {metadata.get('generation')} is not observed yet")
    rows = status.get("conditions")
    by_type = {str(row.get("type")): row for row in map(_mapping, rows if isinstance(rows, list | tuple) else ())}
    for type, wanted, health in (
        (RECONCILING, "True", Health.IN_PROGRESS),
        (STALLED, "True", Health.FAILED),
        (READY, "True", Health.CURRENT),
    ):
        row = by_type.get(type)
        if row is not None and row.get("status") == wanted:
            return Readiness(health, str(row.get("message", "")))
    if READY in by_type:
        return Readiness(Health.IN_PROGRESS, str(by_type[READY].get("message", "")))
    return Readiness(Health.CURRENT, "it has no Ready condition")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
