"""`orchctl verify`: the full check of the ledger, also beside a running controller."""

from __future__ import annotations

from orchctl.app.read import failures
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl verify
  orchctl verify || orchctl recover"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "verify",
        "Check every event, object and spec of the ledger against what was recorded. Exits 1 when anything is wrong.",
        EXAMPLES,
    )
    options = made.parse_args(words)

    from orchctl.app import upkeep

    begun = context.now()
    checked = upkeep.verify(context.place(options.repo))
    context.say(checked.path)
    context.say(f"{checked.figures}; looked at in {context.now() - begun:.1f} s")
    for problem in checked.problems:
        context.warn(f"error: {problem}")
    if checked.problems:
        context.warn("It is damaged: see `orchctl recover --help`.")
        return failures.FAILED
    context.say("All of it is what was recorded.")
    return failures.OK
