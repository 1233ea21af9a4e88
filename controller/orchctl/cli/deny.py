"""`orchctl deny`: writes a denial of what the gate is asking about now; its comment goes back to the agent."""

from __future__ import annotations

from orchctl.cli import deciding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl deny fix-login --comment "The test does not test it." --commit"""


def run(words: Sequence[str], context: Context) -> int:
    made = deciding.parser(
        "deny TASK",
        "Writes a denial of what the gate is asking about now.",
        EXAMPLES,
    )
    return deciding.run(made.parse_args(words), "Denied", context)
