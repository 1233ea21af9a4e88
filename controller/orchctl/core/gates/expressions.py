"""The `cel` gate, and every other place where an expression of the user's decides: run with bounded cost.

What it may name is checked at admission, and so is how deep it may walk lists. Here it gets its values; that it cannot
be evaluated is a reason to fail, never to pass.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from orchctl.core.gates import verdicts

PROGRAMS_CACHED_MAX = 256
_ERRORS = (RuntimeError, KeyError, TypeError, ValueError, ArithmeticError)  # what the library raises when it runs
_MATCHES = "subject.matches(pattern)"


class Unusable(Exception):
    """The expression gave no truth value; the message says why."""


def truth(expression: str, roots: Mapping[str, object]) -> bool:
    try:
        found = _run(expression, roots)
    except _ERRORS as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unusable(f"`{expression}` cannot be evaluated: {type(error).__name__}: {said}") from None
    if not isinstance(found, bool):
        raise Unusable(f"`{expression}` is {type(found).__name__}, not true or false")
    return found


def judge(expression: str, roots: Mapping[str, object]) -> verdicts.Passed | verdicts.Failed:
    try:
        is_true = truth(expression, roots)
    except Unusable as error:
        return verdicts.Failed(str(error))
    return verdicts.Passed(f"`{expression}`") if is_true else verdicts.Failed(f"`{expression}` is false")


def matches(pattern: str, subject: str) -> bool:
    """False also for a pattern the library cannot read: no commit is let through by a rule nobody can check."""
    try:
        return _run(_MATCHES, {"pattern": pattern, "subject": subject}) is True
    except _ERRORS:
        return False


def _run(expression: str, roots: Mapping[str, object]) -> Any:
    import cel  # a fifth of a second that only those pay who have expressions

    return _program(expression).execute(cel.Context(dict(roots)))


@functools.lru_cache(maxsize=PROGRAMS_CACHED_MAX)
def _program(expression: str) -> Any:
    import cel

    return cel.compile(expression)
