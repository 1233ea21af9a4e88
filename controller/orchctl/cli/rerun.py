"""`orchctl rerun`: the manifest of another task that asks for the same, printed or committed."""

from __future__ import annotations

from orchctl.app.read import failures
from orchctl.cli import arguments, asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl rerun fix-login
  orchctl rerun fix-login --name fix-login-again --commit"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "rerun TASK",
        "Make another task of one, by a manifest with another name. `retry` goes on with the same.",
        EXAMPLES,
    )
    asking.add_target(made)
    made.add_argument("--name", help="the name of the other task (default: this one's and a number)")
    made.add_argument("--commit", action="store_true", help="commit the manifest instead of printing it")
    made.add_argument("--ref", metavar="REF", help="the branch to commit to (default: HEAD's)")
    options = made.parse_args(words)
    place = context.place(options.repo)
    asked = asking.Asked(options.task, options.namespace, place, context)

    from orchctl.app import authoring

    draft = authoring.rerun(place, asked.name, options.namespace, asked.spec, options.name, options.ref)
    if not options.commit:
        context.say_all(draft.content.splitlines())
        return failures.OK
    committed = draft.commit()
    context.say(f"task/{draft.name} created ({committed.path}, commit {committed.commit[:8]})")
    return failures.OK
