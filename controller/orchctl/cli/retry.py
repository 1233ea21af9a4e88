"""`orchctl retry`: a failed or cancelled task goes on, with its manifest, pipeline and roles as they are now."""

from __future__ import annotations

from orchctl.cli import arguments, asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl retry fix-login
  orchctl retry fix-login --from-stage implement"""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "retry TASK",
        "Let a task that failed or was cancelled go on in its worktree; its attempts go on being counted.",
        EXAMPLES,
    )
    asking.add_target(made)
    made.add_argument(
        "--from-stage",
        default="",
        metavar="STAGE",
        help="default: the stage it ended in, or the first when the task was edited",
    )
    options = made.parse_args(words)
    asked = asking.Asked(options.task, options.namespace, context.place(options.repo), context)
    return asked.send("Retry", "goes on", fromStage=options.from_stage)
