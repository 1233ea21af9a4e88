"""`orchctl controller`: runs the controller in the foreground."""

from __future__ import annotations

from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl controller
  orchctl controller --until-idle
  orchctl controller --repo ~/control --ref refs/heads/main"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "controller",
        "Make the world match the manifests until stopped. Stopping it stops no agent: the next one takes them over.",
        EXAMPLES,
    )
    made.add_argument("--ref", metavar="REF", help="the branch that holds the manifests (default: HEAD's)")
    made.add_argument("--until-idle", action="store_true", help="end when nothing runs and nothing can start")
    options = made.parse_args(words)
    place = context.place(options.repo)

    from orchctl.app import serve

    def announce(line: str) -> None:
        if line.startswith(("error:", "warning:")):
            context.warn(line)
        else:
            context.say(line)
            context.output.flush()

    return serve.run_controller(place.root, options.ref, options.until_idle, announce)
