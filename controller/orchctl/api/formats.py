"""Forms of single values that no regular expression can say: times, zones, schedules, expressions, money.

Called by `fields` as validators. Each raises PydanticCustomError with a sentence and one of CODES.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from pydantic_core import PydanticCustomError

from orchctl.kit import schedules

USD_PATTERN = r"^[0-9]{1,9}([.][0-9]{1,2})?$"
CODES = ("timestamp", "time_zone", "cron", "expression", "unknown_root", "regex", "usd", "json_size")
# The same names templates have; `evidence` is for gates and bots.
EXPRESSION_ROOTS = (
    "task", "project", "params", "stages", "feedback", "diff", "capsules", "item", "trigger", "evidence", "self",
)  # fmt: skip
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*,")
# What a gate's expression can be about: the work that is there, not what an agent is still to be told.
GATE_ROOTS = ("task", "project", "params", "stages", "diff", "evidence")
_NESTING_MAX = 24
_WALKS_MAX = 2  # walks over lists inside one another: over the paths of a change each one multiplies the cost
_WALK = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*$")


def timestamp(value: str) -> str:
    import datetime

    try:
        datetime.datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("timestamp", "must be a time that exists, such as '2026-12-24T18:00:00Z'") from None
    return value


def time_zone(value: str) -> str:
    if value not in _zones():
        raise PydanticCustomError("time_zone", "must be a time zone of the IANA list, such as 'Europe/Berlin' or 'UTC'")
    return value


@functools.cache
def _zones() -> frozenset[str]:
    import zoneinfo

    return frozenset(zoneinfo.available_timezones())


def cron(value: str) -> str:
    from apscheduler.triggers.cron import CronTrigger

    try:
        CronTrigger.from_crontab(schedules.named_days(value), timezone="UTC")
    except (ValueError, TypeError, OverflowError):
        message = "must be a schedule of five fields: minute, hour, day of month, month, day of week, as '0 2 * * 1-5'"
        raise PydanticCustomError("cron", message) from None
    return value


def expression(value: str) -> str:
    """A CEL expression over the known roots. What it will find there is only known when it is run."""
    return _expression(value, EXPRESSION_ROOTS)


def gate_expression(value: str) -> str:
    """One that is run where many others wait for its answer: its cost is bounded before it runs."""
    if _walks(value) > _WALKS_MAX:
        message = "must walk lists at most two deep: all, exists, map and filter inside one another cost too much"
        raise PydanticCustomError("expression", message)
    return _expression(value, GATE_ROOTS)


def _expression(value: str, roots: tuple[str, ...]) -> str:
    if _nesting(value) > _NESTING_MAX:
        raise PydanticCustomError("expression", "must be a CEL expression with at most 24 nested brackets")
    import cel

    try:
        names = cel.compile(value).variables()
    except ValueError:
        raise PydanticCustomError("expression", "must be a CEL expression such as 'diff.files < 50'") from None
    bound = {*_BOUND.findall(value), *roots}
    unknown = [name for name in names if name not in bound]
    if unknown:
        listed = ", ".join(root for root in roots if root != "self")
        message = f"must only use {listed}; there is no '{unknown[0][:40]}'"
        raise PydanticCustomError("unknown_root", "{message}", {"message": message})
    return value


def _nesting(value: str) -> int:
    deepest = depth = 0
    for character in value:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _walks(value: str) -> int:
    """How deep walks over lists are nested. A bracket in a string counts as well: too strict there, never too lax."""
    deepest = 0
    opened: list[bool] = []
    for place, character in enumerate(value):
        if character in "([{":
            opened.append(character == "(" and _WALK.search(value[:place]) is not None)
            deepest = max(deepest, sum(opened))
        elif character in ")]}" and opened:
            opened.pop()
    return deepest


def regex(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError):
        raise PydanticCustomError("regex", "must be a regular expression that Python accepts") from None
    return value


def usd(value: object) -> object:
    """A whole number or a decimal in quotes; never a float, which would not add up."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or re.fullmatch(USD_PATTERN, value, re.ASCII) is None:
        raise PydanticCustomError("usd", "must be an amount: a whole number, or a decimal in quotes such as '0.50'")
    return value


def json_within(bytes_max: int) -> Callable[[object], object]:
    """A validator for a free JSON value: only its size is bounded."""

    def check(value: object) -> object:
        import json

        if len(json.dumps(value)) > bytes_max:
            raise PydanticCustomError(
                "json_size", "must be smaller: {bytes_max} bytes at most", {"bytes_max": bytes_max}
            )
        return value

    return check
