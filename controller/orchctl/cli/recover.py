"""`orchctl recover`: makes a damaged ledger anew from what can be read of it, and says what is lost."""

from __future__ import annotations

from orchctl.app.read import failures
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl recover
  orchctl recover --accept-loss 3"""
NAMES_SHOWN = 20


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "recover",
        "Make a damaged ledger anew from what can be read of it. The damaged files are kept. No controller may run.",
        EXAMPLES,
    )
    made.add_argument("--accept-loss", type=int, default=0, metavar="N", help="go on although N events are lost")
    options = made.parse_args(words)

    from orchctl.app import upkeep

    done = upkeep.recover(context.place(options.repo), options.accept_loss, context.now())
    if done.folder is None:
        context.say(f"Nothing is wrong with it: {done.events} events, {done.objects} objects. Nothing was changed.")
        return failures.OK
    context.say(f"The ledger was made anew: {done.events} events, {done.objects} objects, {done.lost} events lost.")
    for name in done.names[:NAMES_SHOWN]:
        context.say(f"  lost {name}")
    if len(done.names) > NAMES_SHOWN:
        context.say(f"  and {len(done.names) - NAMES_SHOWN} more, in {done.folder}/lost.txt")
    context.say(f"The damaged files are in {done.folder}")
    return failures.OK
