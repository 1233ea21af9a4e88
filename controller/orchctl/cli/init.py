"""`orchctl init`: makes the repository around the current folder a project. Asks nothing, overwrites nothing."""

from __future__ import annotations

from orchctl.app.read import failures
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser("init", "Write manifests/project.yaml, if there is none.", "  git init && orchctl init")
    options = made.parse_args(words)

    from orchctl.app import authoring

    place = context.place(options.repo)
    done = authoring.initialise(place)
    if not done.created:
        context.say(f"{done.path} is there already: nothing was changed.")
        return failures.OK
    context.say(f"project/{done.project} written to {done.path}")
    for command in done.checks:
        context.say(f"  check found: {command}")
    if not done.checks:
        context.say("  no tests were found: add a check there, or nothing is verified before a merge")
    context.say("Next:")
    context.say(f"  git add {done.path} && git commit -m 'Add the orchctl project'")
    context.say('  orchctl run "what should be done"')
    return failures.OK
