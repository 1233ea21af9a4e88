"""What the controller found gone from git and may not withdraw unasked, as the ledger has it.

Called by `prune` and `why`.
"""

from __future__ import annotations

from orchctl.app.read import body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchctl.app.read.rows import Reader

REVISION_SHOWN = 12
SOURCE = "Source//control"


class Blocked:
    __slots__ = ("confirmed", "keys", "message", "reason", "revision")

    def __init__(self, revision: str, keys: list[str], message: str, reason: str, confirmed: bool) -> None:
        self.revision = revision
        self.keys = keys
        self.message = message
        self.reason = reason
        self.confirmed = confirmed

    @property
    def may_be_confirmed(self) -> bool:
        return self.reason != "Disabled"

    @property
    def command(self) -> str:
        return f"orchctl prune --confirm {self.revision[:REVISION_SHOWN]}"


def blocked(reader: Reader) -> Blocked | None:
    found = body.parse(reader.meta("counters") or "").at("blocked")
    revision = found.text("revision")
    if not revision:
        return None
    keys = body.parse(reader.last_data(SOURCE, "PruneBlocked")).words("keys")
    return Blocked(revision, keys, found.text("message"), found.text("reason"), found.fields.get("confirmed") is True)
