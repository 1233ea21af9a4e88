"""`orchctl revoke`: takes back what you have said about a gate; before the merge that stops it."""

from __future__ import annotations

from orchctl.cli import deciding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl revoke fix-login --commit
  orchctl revoke fix-login --gate leads --commit"""


def run(words: Sequence[str], context: Context) -> int:
    made = deciding.parser("revoke TASK", "Takes back what you have said about a gate.", EXAMPLES)
    return deciding.run(made.parse_args(words), "Revoked", context)
