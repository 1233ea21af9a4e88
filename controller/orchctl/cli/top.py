"""`orchctl top`: what runs now and what it uses, and what waits for what."""

from __future__ import annotations

from orchctl.app.read import failures, locate, rows, tables, top
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl top
  orchctl top -o json"""


def parser() -> arguments.Parser:
    made = arguments.parser("top", "Show what runs now, what it uses, and what waits for what.", EXAMPLES)
    made.add_argument("-o", "--output", choices=("json",), help="as JSON")
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    place = context.place(options.repo)
    if place.ledger is None or place.state_dir is None:
        context.warn("Nothing runs: no controller has run here yet, start one with `orchctl controller`.")
        return failures.OK
    with rows.Reader(place.ledger) as reader:
        found, waiting = top.running(reader, place.state_dir), top.waiting(reader)
    if options.output:
        _as_json(found, waiting, context)
        return failures.OK
    said = ", ".join(f"{count} for {reason}" for reason, count in waiting.items()) or "none"
    context.say(f"Running: {len(found)}   Waiting tasks: {said}")
    if found:
        context.say_all(tables.aligned([top.TITLES, *(one.cells(context.now()) for one in found)]))
    if not locate.controller(place)[0]:
        context.warn("No controller is running: this is how it stood when the last one stopped.")
    return failures.OK


def _as_json(found: list[top.Running], waiting: dict[str, int], context: Context) -> None:
    import json

    items = [
        {
            "key": one.key,
            "what": one.what,
            "attempt": one.attempt,
            "since": one.since,
            "outputBytes": one.output_bytes,
            "processes": one.usage.processes if one.usage else None,
            "cpuSeconds": one.usage.cpu_s if one.usage else None,
            "memoryBytes": one.usage.memory if one.usage else None,
        }
        for one in found
    ]
    context.say(json.dumps({"running": items, "waiting": waiting}, indent=2))
