"""`orchctl history`: the specs an object has had."""

from __future__ import annotations

from orchctl.app.read import failures, history, tables
from orchctl.cli import arguments, selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl history fix-login
  orchctl history pipeline/quickfix -o json"""


def parser() -> arguments.Parser:
    made = arguments.parser(
        "history (NAME | KIND NAME.. | KIND/NAME..)",
        "Show the specs an object has had, what each changed, and what came of it.",
        EXAMPLES,
    )
    made.add_argument("resources", nargs="+", metavar="WHAT", help="a bare name is a task's or session's")
    made.add_argument("-o", "--output", choices=("json",), help="as a JSON list")
    arguments.add_namespace(made)
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    targets = selection.named(options.resources)
    found: list[dict[str, object]] = []
    with selection.open_ledger(context.place(options.repo), targets[0]) as reader:
        for number, target in enumerate(targets):
            record = selection.one(target, options.namespace, reader, or_session="/" not in options.resources[0])
            generations = list(history.generations(record, reader))
            found += [{"key": record.key, **_plain(one)} for one in generations]
            if not options.output:
                if number:
                    context.say()
                context.say_all(tables.aligned([history.TITLES, *(one.cells(context.now()) for one in generations)]))
    if options.output:
        import json

        context.say(json.dumps(found, indent=2))
    return failures.OK


def _plain(one: history.Generation) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__}
