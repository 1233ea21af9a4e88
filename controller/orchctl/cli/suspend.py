"""`orchctl suspend`: a task stands still at the next safe point, until it is resumed or its time is over."""

from __future__ import annotations

from orchctl.app.read import failures
from orchctl.cli import arguments, asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl suspend fix-login
  orchctl suspend fix-login --reason "release freeze" --for 2h"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "suspend TASK",
        "Let the running turn end and start nothing more of a task. The manifest in git stays as it is.",
        EXAMPLES,
    )
    asking.add_target(made)
    made.add_argument("--reason", default="", metavar="TEXT", help="what `why` and `describe` say")
    made.add_argument("--for", dest="time", metavar="TIME", help="resume by itself after this, such as 30m or 2h")
    options = made.parse_args(words)
    until = context.now() + _seconds(options.time) if options.time is not None else None
    asked = asking.Asked(options.task, options.namespace, context.place(options.repo), context)
    return asked.send("Suspend", "suspended", reason=options.reason, until=until)


def _seconds(written: str) -> float:
    from orchctl.kit import durations

    try:
        return durations.duration_s(written)
    except ValueError as error:
        raise failures.CommandError(f"--for {error}", failures.USAGE) from None
