"""`orchctl controller`: runs the controller in the foreground."""

from __future__ import annotations

import os

from orchctl.app.read import failures
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl controller
  orchctl controller --until-idle
  orchctl controller ~/control --ref refs/heads/main
  orchctl controller ssh://git@example.com/team/control.git"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "controller [REPO]",
        "Make the world match the manifests until stopped. Stopping it stops no agent: the next one takes them over.",
        EXAMPLES,
    )
    made.add_argument(
        "where", nargs="?", metavar="REPO", help="the control repo, a folder or an address; the same as --repo"
    )
    made.add_argument("--ref", metavar="REF", help="the branch that holds the manifests (default: HEAD's)")
    made.add_argument(
        "--allowed-signers", metavar="FILE", help="keep a copy of this as who may sign commits (see gpg.ssh in git)"
    )
    made.add_argument("--until-idle", action="store_true", help="end when nothing runs and nothing can start")
    made.add_argument(
        "--retain", metavar="DURATION", help="keep events so long before they are sealed into files (default: 7d)"
    )
    options = made.parse_args(words)
    if options.where and options.repo:
        raise failures.CommandError("name the control repo once: as REPO or with --repo", failures.USAGE)
    place = context.place(options.where or options.repo)
    signers = os.path.join(context.cwd, options.allowed_signers) if options.allowed_signers else None

    from orchctl.app import sealing, serve

    retain_s = sealing.retain_s(options.retain) if options.retain is not None else sealing.RETAIN_S

    def announce(line: str) -> None:
        if line.startswith(("error:", "warning:")):
            context.warn(line)
        else:
            context.say(line)
            context.output.flush()

    wish = serve.Wish(place.remote or place.root, options.ref, options.until_idle, signers, retain_s)
    return serve.run_controller(wish, announce)
