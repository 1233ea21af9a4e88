"""`orchctl approve`: writes an Approval of exactly what the gate is asking about now."""

from __future__ import annotations

from orchctl.cli import deciding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl approve fix-login
  orchctl approve fix-login --gate leads --comment LGTM --expires 2026-12-24T18:00:00Z --commit"""


def run(words: Sequence[str], context: Context) -> int:
    made = deciding.parser("approve TASK", "Writes an Approval of exactly what the gate is asking about now.", EXAMPLES)
    return deciding.run(made.parse_args(words), "Approved", context)
