"""`orchctl version`."""

from __future__ import annotations

import orchctl
from orchctl.app.read import failures
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser("version", "Print the version.", "  orchctl version\n  orchctl version -o json")
    made.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")
    options = made.parse_args(words)
    if options.output == "json":
        import json

        context.say(json.dumps({"version": orchctl.__version__}))
    else:
        context.say(f"orchctl {orchctl.__version__}")
    return failures.OK
