"""`orchctl events`: what happened, oldest first, so that the newest stands above the prompt."""

from __future__ import annotations

from orchctl.app.read import describe, failures, resources, rows, tables
from orchctl.cli import arguments, selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl events
  orchctl events --for fix-login
  orchctl events --types Warning -A"""
TITLES = ("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE")


def parser() -> arguments.Parser:
    made = arguments.parser("events", "Show what happened.", EXAMPLES)
    made.add_argument("--for", dest="about", metavar="NAME | KIND/NAME", help="of one object")
    made.add_argument("--types", choices=("Normal", "Warning"), help="of one severity")
    made.add_argument("--tail", type=int, default=500, metavar="N", help="at most the last N (default: 500)")
    made.add_argument("-A", "--all-namespaces", action="store_true", help="of every namespace")
    made.add_argument("--no-headers", action="store_true", help="without the titles")
    arguments.add_namespace(made)
    return made


def run(words: Sequence[str], context: Context) -> int:
    import collections

    options = parser().parse_args(words)
    if options.tail < 1:
        raise failures.CommandError("--tail must be at least 1", failures.USAGE)
    place = context.place(options.repo)
    key = None
    if options.about:
        target = selection.named([options.about])[0]
        reader = selection.open_ledger(place, target)
    elif place.ledger is None:
        context.warn("No events: no controller has run here yet, start one with `orchctl controller`.")
        return failures.OK
    else:
        reader = rows.Reader(place.ledger)
    with reader:
        if options.about:
            key = selection.one(target, options.namespace, reader, or_session="/" not in options.about).key
        namespace = None if key or options.all_namespaces else options.namespace
        found = reader.events(key=key, namespace=namespace, severity=options.types)
        before = reader.sealed_to()
        lines: list[tuple[str, ...]] = list(describe.event_rows(collections.deque(found, options.tail), context.now()))
    if before and len(lines) < options.tail:
        context.warn(f"Events up to {before} are sealed and not shown: `orchctl trace` has those of one object.")
    if not lines:
        context.warn("No events found." if not key else f"No events found for {resources.label_of(key)}.")
        return failures.OK
    context.say_all(tables.aligned(lines if options.no_headers else [TITLES, *lines]))
    return failures.OK
