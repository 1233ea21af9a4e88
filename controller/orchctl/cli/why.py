"""`orchctl why`: where an object is, by which rule, since when, and what would change it."""

from __future__ import annotations

from orchctl.app.read import body, failures, locate, why
from orchctl.cli import arguments, selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl why fix-login
  orchctl why session/fix-login-implement-1
  orchctl why project/shop"""


def parser() -> arguments.Parser:
    made = arguments.parser(
        "why (NAME | KIND NAME.. | KIND/NAME..)", "Say what an object waits for, since when, by which rule.", EXAMPLES
    )
    made.add_argument("resources", nargs="+", metavar="WHAT", help="a bare name is a task's or session's")
    arguments.add_namespace(made)
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    targets = selection.named(options.resources)
    place = context.place(options.repo)
    with selection.open_ledger(place, targets[0]) as reader:
        is_over = True
        for number, target in enumerate(targets):
            record = selection.one(target, options.namespace, reader, or_session="/" not in options.resources[0])
            if number:
                context.say()
            context.say_all(why.lines(record, reader, context.now()))
            is_over = is_over and body.is_terminal(body.of(record).at("status"))
    if not is_over and not locate.controller(place)[0]:
        context.warn("No controller is running: this is how it stood when the last one stopped.")
    return failures.OK
