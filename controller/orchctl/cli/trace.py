"""`orchctl trace`: every step an object took, and what each rests on."""

from __future__ import annotations

from orchctl.app.read import failures, trace
from orchctl.cli import arguments, selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl trace fix-login
  orchctl trace session/fix-login-implement-1
  orchctl trace project/shop -o json"""


def parser() -> arguments.Parser:
    made = arguments.parser(
        "trace (NAME | KIND NAME.. | KIND/NAME..)",
        "Show every step an object took, with the commit, rule, person or artifact it rests on.",
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
            if options.output:
                found += [_plain(step) for step in trace.steps(record, reader)]
                continue
            if number:
                context.say()
            context.say_all(trace.lines(trace.steps(record, reader), record.key))
    if options.output:
        import json

        context.say(json.dumps(found, indent=2))
    return failures.OK


def _plain(step: trace.Step) -> dict[str, object]:
    said = {name: getattr(step, name) for name in ("seq", "at", "key", "reason", "message")}
    return {**said, "restsOn": [{"what": what, "value": value} for what, value in step.rests_on]}
