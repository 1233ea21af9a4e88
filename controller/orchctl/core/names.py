"""The names of everything the controller makes, as functions of what it is made for.

Being derived, they are found again after a crash instead of remembered, and making a thing twice finds the first.
"""

import hashlib

from orchctl.core.ids import AttemptId, Key, key_of, name_of, namespace_of

NAME_LENGTH_MAX = 63


def uid_of(*parts: str | int) -> str:
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:16]


def bounded(name: str) -> str:
    """The name cut to what an object may be called; what was cut off stays distinguishable by its hash."""
    if len(name) <= NAME_LENGTH_MAX:
        return name
    return f"{name[: NAME_LENGTH_MAX - 9].rstrip('-')}-{uid_of(name)[:8]}"


def worktree_key(task: Key) -> Key:
    return key_of("Worktree", namespace_of(task), name_of(task))


def session_keys(task: Key, stage_name: str, cycle: int) -> tuple[Key, Key]:
    """The name people expect, and the one to take when another task and stage have come to the same."""
    plain = f"{name_of(task)}-{stage_name}-{cycle + 1}"
    distinct = f"{plain[: NAME_LENGTH_MAX - 9]}-{uid_of(task, stage_name, cycle)[:8]}"
    return (key_of("Session", namespace_of(task), bounded(plain)), key_of("Session", namespace_of(task), distinct))


def tree_name(namespace: str, name: str, uid: str) -> str:
    """The folder of a worktree: the uid makes a task that was deleted and written again get a place of its own."""
    return f"{bounded(f'{namespace}-{name}')[:50].rstrip('-')}-{uid_of(uid)[:8]}"


def attempt_id(uid: str, ordinal: int) -> AttemptId:
    return AttemptId(f"{uid}.{ordinal}")


def question_keys(task: Key, stage_name: str, number: int) -> tuple[Key, Key]:
    """As with sessions: the name people expect, and one no other task comes to."""
    plain = f"{name_of(task)}-{stage_name}-q{number}"
    distinct = f"{plain[: NAME_LENGTH_MAX - 9]}-{uid_of('question', task, stage_name, number)[:8]}"
    return (key_of("Question", namespace_of(task), bounded(plain)), key_of("Question", namespace_of(task), distinct))
