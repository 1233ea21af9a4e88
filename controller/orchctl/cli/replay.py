"""`orchctl replay`: how it stood at an event, what changed between two events, and whether it would all go so again."""

from __future__ import annotations

from orchctl.app.read import failures, resources, tables
from orchctl.cli import arguments
from orchctl.kit import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from orchctl.app.replaying import Verified
    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl replay --verify
  orchctl replay --to 120
  orchctl replay --to 120 task/fix-login
  orchctl replay --diff 120 150"""
LEAVES_SHOWN = 40


def parser() -> arguments.Parser:
    made = arguments.parser(
        "replay (--verify | --to EVENT [KIND/NAME] | --diff EVENT EVENT)",
        "Decide everything again from the recorded facts, or show how things stood. `trace` numbers the events.",
        EXAMPLES,
    )
    made.add_argument("resource", nargs="?", metavar="KIND/NAME", help="with --to: this object alone, in full")
    way = made.add_mutually_exclusive_group(required=True)
    way.add_argument("--verify", action="store_true", help="make every decision again; exits 1 when one is another now")
    way.add_argument("--to", type=int, metavar="EVENT", help="all objects as they were after this event")
    way.add_argument("--diff", type=int, nargs=2, metavar=("EVENT", "EVENT"), help="what changed from one to the other")
    arguments.add_namespace(made)
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    if options.resource and options.to is None:
        raise failures.CommandError("KIND/NAME goes with --to", failures.USAGE)
    if options.verify:
        return _verify(options, context)
    return _diff(options, context) if options.diff else _at(options, context)


def _verify(options: argparse.Namespace, context: Context) -> int:
    from orchctl.app import replaying

    found = replaying.verified(context.place(options.repo))
    said = f"{found.events} events in {found.turns} turns"
    if not found.found:
        context.say(f"{said}: every decision is made again as it was.")
        return failures.OK
    context.say_all(_lines(found))
    context.warn(f"{said}: {found.found} turns would go otherwise with this release.")
    return failures.FAILED


def _lines(found: Verified) -> list[str]:
    lines = []
    for one in found.differences:
        lines += [f"turn {one.turn}, at event {one.seq}:", f"  recorded  {one.recorded}", f"  now       {one.now}"]
    more = found.found - len(found.differences)
    return [*lines, f"and {more} turns more"] if more else lines


def _at(options: argparse.Namespace, context: Context) -> int:
    from orchctl.app import replaying
    from orchctl.app.read import yamltext

    objects = replaying.objects_at(context.place(options.repo), options.to)
    if not options.resource:
        rows = [(resources.label_of(one.key), one.summary, text.one_line(one.text)) for one in objects]
        context.say_all(tables.aligned([("OBJECT", "STATUS", "WHY"), *rows]))
        return failures.OK
    import json

    target = resources.parse_one(options.resource)
    key = f"{target.kind.kind}/{resources.namespace_of(target.kind, options.namespace)}/{target.name}"
    found = next((one for one in objects if one.key == key), None)
    if found is None:
        raise failures.CommandError(f"{options.resource} was not there at event {options.to}", failures.NOT_FOUND)
    context.say_all(yamltext.lines(json.loads(found.body)))
    return failures.OK


def _diff(options: argparse.Namespace, context: Context) -> int:
    from orchctl.app import replaying

    is_changed = False
    for key, leaves in replaying.changes(context.place(options.repo), *options.diff):
        is_changed = True
        context.say(resources.label_of(key))
        context.say_all(f"  {leaf}" for leaf in leaves[:LEAVES_SHOWN])
        if len(leaves) > LEAVES_SHOWN:
            context.say(f"  and {len(leaves) - LEAVES_SHOWN} more")
    if not is_changed:
        context.say("Nothing.")
    return failures.OK
