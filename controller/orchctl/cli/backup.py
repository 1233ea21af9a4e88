"""`orchctl backup FILE`: a checked copy of the ledger, also beside a running controller."""

from __future__ import annotations

import os

from orchctl.app.read import failures
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl backup ledger-monday.db"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "backup FILE", "Copy the ledger to FILE, its anchor to FILE.anchor, and check the copy in full.", EXAMPLES
    )
    made.add_argument("file", metavar="FILE", help="a file that is not there yet")
    options = made.parse_args(words)

    from pathlib import Path

    from orchctl.app import upkeep

    target = Path(os.path.join(context.cwd, options.file))
    figures = upkeep.copy(context.place(options.repo), target)
    context.say(f"{target}: {figures}; checked.")
    return failures.OK
