"""The `files` gate: which files the work may change, and how many.

The paths of a change may be more than a ledger should hold, so `offending` is asked where all of them are known, and
the verdict rests on what it found.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchctl.core.gates import verdicts
from orchctl.core.plan import FilesRule
from orchctl.kit import globs

PATHS_NAMED_MAX = 5
OFFENDING_KEPT_MAX = 50


def offending(rule: FilesRule, paths: Iterable[str]) -> tuple[str, ...]:
    """The first of the paths that the rule does not let the work change."""
    found = [path for path in paths if not _is_allowed(rule, path)]
    return tuple(found[:OFFENDING_KEPT_MAX])


def _is_allowed(rule: FilesRule, path: str) -> bool:
    if any(globs.matches(path, pattern) for pattern in rule.deny):
        return False
    return not rule.allow or any(globs.matches(path, pattern) for pattern in rule.allow)


def judge(rule: FilesRule, changed: int, found: tuple[str, ...]) -> verdicts.Passed | verdicts.Failed:
    """`found` is what `offending` said of all `changed` paths."""
    said = []
    if found:
        more = " and more" if len(found) > PATHS_NAMED_MAX else ""
        said.append(f"it must not change {', '.join(found[:PATHS_NAMED_MAX])}{more}")
    if rule.max_changed is not None and changed > rule.max_changed:
        said.append(f"it changes {changed} files, at most {rule.max_changed} are allowed")
    if said:
        return verdicts.Failed("; ".join(said))
    return verdicts.Passed(f"{changed} files changed, all of them allowed")
