"""`orchctl lint`: checks manifests before they are committed; also as a pre-commit hook or in CI."""

from __future__ import annotations

import os

from orchctl.app.read import failures
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.app.linting import Finding, Report
    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl lint
  orchctl lint manifests/tasks/fix-login.yaml
  orchctl lint -o sarif > lint.sarif"""
FORMS = ("text", "json", "github", "sarif")


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser("lint [PATH..]", "Check manifests: every problem with file, line and column.", EXAMPLES)
    made.add_argument("paths", nargs="*", metavar="PATH", help="files or folders (default: manifests/ of the repo)")
    made.add_argument("-o", "--output", choices=FORMS, default="text", help="default: text")
    options = made.parse_args(words)

    from orchctl.app import linting

    if options.paths:
        report = linting.lint(options.paths, context.cwd, _around(options.repo, context))
    else:
        root = context.place(options.repo).root
        if not os.path.isdir(os.path.join(root, "manifests")):
            raise failures.CommandError(f"{root} has no manifests/ folder: run `orchctl init`", failures.USAGE)
        folder = os.path.relpath(os.path.join(root, "manifests"), context.cwd)
        report = linting.lint([folder], context.cwd)
    if options.output == "json":
        context.say(_json(report))
    elif options.output == "sarif":
        from orchctl.cli import sarif

        context.say(sarif.document((*report.findings, *report.notes)))
    else:
        for finding in (*report.findings, *report.notes):
            context.say(_github(finding) if options.output == "github" else str(finding))
        context.say(report.summary)
    return failures.INVALID if report.findings else failures.OK


def _around(repo: str | None, context: Context) -> str | None:
    """The manifests the given ones refer to; files outside a repository stand alone."""
    try:
        return os.path.join(context.place(repo).root, "manifests")
    except failures.CommandError:
        return None


def _json(report: Report) -> str:
    """A Kubernetes Status, as the API answers too."""
    import json

    causes = [
        {
            "reason": finding.code,
            "message": finding.message,
            "field": finding.field,
            "file": finding.path,
            "line": finding.line,
            "column": finding.column,
        }
        for finding in report.findings
    ]
    outcome = {"status": "Failure", "reason": "Invalid"} if causes else {"status": "Success"}
    return json.dumps(
        {"apiVersion": "v1", "kind": "Status"} | outcome | {"message": report.summary, "details": {"causes": causes}},
        indent=2,
    )


def _github(finding: Finding) -> str:
    message = f"{finding.field}: {finding.message} [{finding.code}]".removeprefix(": ")
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    path = finding.path.replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    command = "notice" if finding.severity == "note" else "error"
    return f"::{command} file={path},line={finding.line},col={finding.column}::{escaped}"
