"""The findings of `orchctl lint` as SARIF 2.1.0, the form in which code hosts and editors show them beside the line.

Called by lint. The smallest document that is valid: one run, a rule for each code that was found, a result for each
finding.
"""

from __future__ import annotations

import json
from urllib.parse import quote

import orchctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchctl.app.linting import Finding

VERSION = "2.1.0"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(findings: Iterable[Finding]) -> str:
    found = list(findings)
    codes = list(dict.fromkeys(finding.code for finding in found))
    driver = {"name": "orchctl", "version": orchctl.__version__, "rules": [{"id": code} for code in codes]}
    results = [_result(finding, codes.index(finding.code)) for finding in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, indent=2)


def _result(finding: Finding, rule: int) -> dict[str, object]:
    field = f"{finding.field}: " if finding.field else ""
    place = {
        "artifactLocation": {"uri": quote(finding.path, safe="/")},
        "region": {"startLine": finding.line, "startColumn": finding.column},
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": field + finding.message},
        "locations": [{"physicalLocation": place}],
    }
