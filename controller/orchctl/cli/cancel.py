"""`orchctl cancel`: a task ends before it is done, sooner or later; what its agent wrote is kept."""

from __future__ import annotations

from orchctl.cli import arguments, asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl cancel fix-login
  orchctl cancel fix-login --mode AfterCurrent --reason "not needed"
  orchctl cancel fix-login --mode Now"""
MODES = ("Now", "AfterCleanup", "AfterCurrent")
HOW = (
    "AfterCurrent lets what runs end; AfterCleanup (default) stops it and commits what the agent wrote;"
    " Now stops it at once and leaves the worktree as it is"
)


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser("cancel TASK", "End a task before it is done, also while it is suspended.", EXAMPLES)
    asking.add_target(made)
    made.add_argument("--mode", choices=MODES, default="AfterCleanup", help=HOW)
    made.add_argument("--reason", default="", metavar="TEXT", help="what `why` and `describe` say")
    options = made.parse_args(words)
    asked = asking.Asked(options.task, options.namespace, context.place(options.repo), context)
    return asked.send("Cancel", f"is being cancelled ({options.mode})", mode=options.mode, reason=options.reason)
