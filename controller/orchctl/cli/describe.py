"""`orchctl describe`: all about one object, from the ledger, controller or not."""

from __future__ import annotations

from orchctl.app.read import describe, failures, rows
from orchctl.cli import arguments, selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl describe task/fix-login
  orchctl describe task fix-login
  orchctl describe session fix-login-implement-1"""


def parser() -> arguments.Parser:
    made = arguments.parser(
        "describe (NAME | KIND NAME.. | KIND/NAME..)",
        "Show spec, conditions, stages, gates, sessions and the last events.",
        EXAMPLES,
    )
    made.add_argument("resources", nargs="+", metavar="WHAT", help="a bare name is a task's")
    arguments.add_namespace(made)
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    targets = selection.named(options.resources)
    with selection.open_ledger(context.place(options.repo), targets[0]) as reader:
        for number, target in enumerate(targets):
            record = selection.one(target, options.namespace, reader)
            events: Sequence[rows.Event] = reader.last_events(record.key, describe.EVENTS_SHOWN)
            if number:
                context.say()
            context.say_all(describe.lines(record, events, context.now()))
    return failures.OK
