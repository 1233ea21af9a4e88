"""`orchctl prune`: shows what may not be withdrawn unasked, and confirms that it may."""

from __future__ import annotations

from orchctl.app.read import blocked, failures, locate, resources, rows
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl prune
  orchctl prune --confirm 3f2a90c1d4e5"""
REVISION_CHARACTERS_MIN = 7
SHOWN = 20


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "prune", "Show, or let go, the objects that vanished from git in a number that needs a word.", EXAMPLES
    )
    made.add_argument("--confirm", metavar="REVISION", help="the commit they were found gone in: for that one only")
    options = made.parse_args(words)
    place = context.place(options.repo)
    held = _held(place)
    if options.confirm is None:
        return _show(held, context)
    found = _matching(held, options.confirm)
    count = _objects(len(found.keys))
    if found.confirmed:
        context.say(f"{count} gone in {found.revision[: blocked.REVISION_SHOWN]}: confirmed already.")
        return failures.OK

    from orchctl.app import requests

    token = requests.confirm_prune(place, found.revision)
    context.say(f"{count} gone in {found.revision[: blocked.REVISION_SHOWN]}: confirmed (request {token}).")
    if not locate.controller(place)[0]:
        context.warn("No controller is running: the request waits in the inbox for the next `orchctl controller`.")
    return failures.OK


def _held(place: locate.Place) -> blocked.Blocked | None:
    path = place.ledger
    if path is None:
        return None
    with rows.Reader(path) as reader:
        return blocked.blocked(reader)


def _show(held: blocked.Blocked | None, context: Context) -> int:
    if held is None:
        context.say("Nothing is kept from being withdrawn.")
        return failures.OK
    context.say(held.message)
    for key in held.keys[:SHOWN]:
        context.say(f"  {resources.label_of(key)}")
    if len(held.keys) > SHOWN:
        context.say(f"  and {len(held.keys) - SHOWN} more")
    return failures.OK


def _matching(held: blocked.Blocked | None, revision: str) -> blocked.Blocked:
    if held is None:
        raise failures.CommandError(
            "nothing is kept from being withdrawn: there is nothing to confirm", failures.CONFLICT
        )
    if not held.may_be_confirmed:
        raise failures.CommandError(held.message, failures.CONFLICT)
    if len(revision) < REVISION_CHARACTERS_MIN or not held.revision.startswith(revision.lower()):
        raise failures.CommandError(
            f"what is blocked now is not of that commit: see `orchctl prune`, then `{held.command}`", failures.CONFLICT
        )
    return held


def _objects(number: int) -> str:
    return f"{number} object" if number == 1 else f"{number} objects"
