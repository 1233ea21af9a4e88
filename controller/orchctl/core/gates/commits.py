"""The `commit` gate: the work's commits are as the project's guardrails say (APP-7).

The pattern is the project's, the text an agent's: it is matched by the expression library, whose time is linear in
the text whatever the pattern.
"""

from __future__ import annotations

import re

from orchctl.core.gates import expressions, verdicts
from orchctl.core.ids import Oid
from orchctl.core.judgements import CommitLine
from orchctl.core.plan import CommitRule

COMMITS_NAMED_MAX = 5
SUBJECT_CHARACTERS_MAX = 200
TRAILERS_MAX = 20
_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,63}): \S")


def line(commit: Oid, message: str) -> CommitLine:
    """What is kept of a commit: its first line, and which trailers its last paragraph has."""
    paragraphs = message.strip().split("\n\n")
    last = paragraphs[-1].splitlines() if len(paragraphs) > 1 else []
    trailers = [found[1] for one in last if (found := _TRAILER.match(one))]
    subject = next(iter(message.strip().splitlines()), "")
    return CommitLine(commit, subject[:SUBJECT_CHARACTERS_MAX], tuple(dict.fromkeys(trailers[:TRAILERS_MAX])))


def judge(rule: CommitRule, log: tuple[CommitLine, ...], total: int) -> verdicts.Passed | verdicts.Failed:
    """`log` holds the first of the `total` commits; what cannot be seen does not pass."""
    if total > len(log):
        return verdicts.Failed(f"of the work's {total} commits only {len(log)} can be looked at: squash some")
    said = [f"commit {line.commit[:8]} {fault}" for line in log for fault in _faults(rule, line)]
    if said:
        more = f"; and {len(said) - COMMITS_NAMED_MAX} more" if len(said) > COMMITS_NAMED_MAX else ""
        return verdicts.Failed("; ".join(said[:COMMITS_NAMED_MAX]) + more)
    return verdicts.Passed(f"{total} commits are as the guardrails say")


def _faults(rule: CommitRule, line: CommitLine) -> list[str]:
    faults = []
    if not fits(rule, line.subject):
        faults.append(f"begins with {line.subject!r}, which does not match {rule.pattern}")
    missing = [name for name in rule.trailers if name not in line.trailers]
    if missing:
        faults.append(f"has no trailer {', '.join(missing)}")
    return faults


def fits(rule: CommitRule, subject: str) -> bool:
    return not rule.pattern or expressions.matches(rule.pattern, subject)
