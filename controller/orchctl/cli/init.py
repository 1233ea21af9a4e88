"""`orchctl init`: makes the repository around the current folder a project. Asks nothing, overwrites nothing."""

from __future__ import annotations

from orchctl.app.read import failures
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.app.read.locate import Place
    from orchctl.cli.context import Context


EXAMPLES = """\
  git init && orchctl init
  orchctl init --catalog"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser("init", "Write manifests/project.yaml, if there is none.", EXAMPLES)
    made.add_argument("--catalog", action="store_true", help="also copy the built-in roles, pipelines and agents")
    options = made.parse_args(words)

    from orchctl.app import authoring

    place = context.place(options.repo)
    done = authoring.initialise(place)
    copied = _copy_catalog(place, context) if options.catalog else 0
    if not done.created:
        kept = "it was not changed" if copied else "nothing was changed"
        context.say(f"{done.path} is there already: {kept}.")
        return failures.OK
    context.say(f"project/{done.project} written to {done.path}")
    for command in done.checks:
        context.say(f"  check found: {command}")
    if not done.checks:
        context.say("  no tests were found: add a check there, or nothing is verified before a merge")
    context.say("Next:")
    context.say(f"  git add {'manifests' if copied else done.path} && git commit -m 'Add the orchctl project'")
    context.say('  orchctl run "what should be done"')
    return failures.OK


def _copy_catalog(place: Place, context: Context) -> int:
    from orchctl.app import cataloguing

    copied = cataloguing.copy(place)
    context.say(f"{len(copied.written)} built-in manifests written to {cataloguing.FOLDER}/")
    for path in copied.left:
        context.say(f"  left out {path}: there is one of that name")
    return len(copied.written)
