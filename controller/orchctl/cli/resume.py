"""`orchctl resume`: a suspended task goes on."""

from __future__ import annotations

from orchctl.cli import arguments, asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl resume fix-login"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser("resume TASK", "Let a task go on that `orchctl suspend` has stopped.", EXAMPLES)
    asking.add_target(made)
    options = made.parse_args(words)
    asked = asking.Asked(options.task, options.namespace, context.place(options.repo), context)
    return asked.send("Resume", "resumed")
