"""`orchctl api-resources`: the kinds, the words for them, and how much of each has behaviour in this release."""

from __future__ import annotations

from orchctl.api import kinds
from orchctl.app.read import failures, tables
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl api-resources
  orchctl api-resources -o name"""
TITLES = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "SUPPORTED"]


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser("api-resources", "List the kinds there are.", EXAMPLES)
    made.add_argument("-o", "--output", choices=("name",), help="default: a table")
    made.add_argument("--no-headers", action="store_true", help="a table without its titles")
    options = made.parse_args(words)
    listed = sorted(kinds.KINDS.values(), key=lambda row: row.plural)
    if options.output == "name":
        for row in listed:
            context.say(f"{row.plural}.{kinds.API_GROUP}")
        return failures.OK
    lines = [
        [
            row.plural,
            ",".join(row.short_names),
            kinds.API_VERSION,
            "true" if row.namespaced else "false",
            row.kind,
            row.supported,
        ]
        for row in listed
    ]
    context.say_all(tables.aligned(lines if options.no_headers else [TITLES, *lines]))
    return failures.OK
