"""What may be withdrawn because its manifest is gone from git, and what is kept until a person says so (GIT-5).

Called by admission with what it found gone. What a person confirms is what was found gone at a commit, for as long as
just that is still gone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from orchctl.core import events, sources
from orchctl.core.folds import pruning
from orchctl.core.ids import SOURCE, Key, Oid, kind_of, name_of
from orchctl.core.state import Object, State

GUARD_FROM = 10  # objects; of these or fewer, any part may be removed in one commit
DISABLED, EMPTY, PERCENT, OUTSIDE = "Disabled", "Empty", "Percent", "Outside"


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What one look at git found: at which commit, by which settings, and which files there are."""

    commit: str
    settings: sources.SourceSettings
    has_file: Callable[[str], bool]
    arriving: int = 0  # objects that are there for the first time


@dataclasses.dataclass(frozen=True, slots=True)
class _Hold:
    reason: str
    message: str
    unblock: str


class Withdrawals:
    """Remembers what is held back, so that it is looked at again with each commit."""

    def __init__(self) -> None:
        self.held: dict[Key, None] = {}

    def facts(self, state: State, leaving: list[Key], present: dict[Key, Object], look: Look) -> list[events.Event]:
        """`present`: every object that came from git and has not left."""
        going = [key for key in leaving if key in present]
        valid = [key for key in going if present[key].desired is not None]
        total = sum(1 for obj in present.values() if obj.desired is not None)
        hold = _hold(valid, total, [present[key] for key in valid], look)
        blocked = state.blocked
        is_known = (
            blocked is not None
            and blocked.digest == pruning.digest_of(valid)
            and hold is not None
            and blocked.reason == hold.reason
        )
        if hold is None or (is_known and blocked is not None and blocked.confirmed):
            self.held = {}
            lifted = [events.PruneLifted(SOURCE)] if blocked is not None else []
            return [*lifted, *(events.ObjectWithdrawn(key) for key in going)]
        self.held = dict.fromkeys(going)
        if is_known:
            return []
        unblock = hold.unblock.format(command=f"`orchctl prune --confirm {look.commit[:12]}`")
        message = f"{hold.message}. {unblock}"
        found = Oid(look.commit)
        return [events.PruneBlocked(SOURCE, keys=tuple(valid), message=message, revision=found, reason=hold.reason)]


def _hold(going: list[Key], total: int, objects: list[Object], look: Look) -> _Hold | None:
    """Why these may not leave now, or nothing."""
    settings = look.settings
    if not going:
        return None
    what = f"{kind_of(going[0]).lower()}/{name_of(going[0])}" if len(going) == 1 else f"{len(going)} objects"
    are = "is" if len(going) == 1 else "are"
    if not settings.prune:
        message = f"{what} {are} gone from git and kept: `source.prune.enabled` of the Settings is false"
        return _Hold(DISABLED, message, "Bring the manifests back, or set it to true")
    outside = [obj for obj in objects if _is_outside(obj, look)]
    if outside and len(outside) == len(going):
        message = f"{what} {are} no longer below `source.paths`, but still in git; none was removed"
        return _Hold(OUTSIDE, message, "Name the folders again, or say that it is meant: {command}")
    if outside:
        message = f"{what} vanished, {len(outside)} of them only from `source.paths` and not from git; none was removed"
        return _Hold(OUTSIDE, message, "Name the folders again, or say that it is meant: {command}")
    if len(going) == total and not look.arriving and not settings.allow_empty:
        if total == 1:
            message = f"{what}, the only object, vanished from git; it was kept, as nothing is emptied unasked"
            return _Hold(EMPTY, message, "Bring it back, or say that it is meant: {command}")
        message = f"all {total} objects vanished from git at once; none was removed"
        return _Hold(EMPTY, message, "Leave at least one manifest, or say that it is meant: {command}")
    if total > GUARD_FROM and len(going) * 100 > total * settings.percent_max:
        message = f"{len(going)} of {total} objects vanished from git at once; none was removed"
        return _Hold(PERCENT, message, "Remove them in smaller commits, or say that it is meant: {command}")
    return None


def _is_outside(obj: Object, look: Look) -> bool:
    """Not its manifest was removed: the folder it is in is no longer read."""
    assert obj.desired is not None
    path = obj.desired.path
    return not sources.is_below(path, look.settings.roots) and look.has_file(path)
