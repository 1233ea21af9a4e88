"""Why objects whose manifests are gone from git may not leave without a person saying so, by the Settings (GIT-5)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from orchctl.core import sources
from orchctl.core.ids import Key, kind_of, name_of
from orchctl.core.state import Object

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
class Hold:
    reason: str
    message: str
    unblock: str

    def said(self, commit: str) -> str:
        command = f"`orchctl prune --confirm {commit[:12]}`"
        return f"{self.message}. {self.unblock.format(command=command)}"


def hold(going: list[Key], total: int, objects: list[Object], look: Look) -> Hold | None:
    """Why these may not leave now, or nothing."""
    settings = look.settings
    if not going:
        return None
    what = f"{kind_of(going[0]).lower()}/{name_of(going[0])}" if len(going) == 1 else f"{len(going)} objects"
    are = "is" if len(going) == 1 else "are"
    if not settings.prune:
        message = f"{what} {are} gone from git and kept: `source.prune.enabled` of the Settings is false"
        return Hold(DISABLED, message, "Bring the manifests back, or set it to true")
    outside = [obj for obj in objects if _is_outside(obj, look)]
    if outside and len(outside) == len(going):
        message = f"{what} {are} no longer below `source.paths`, but still in git; none was removed"
        return Hold(OUTSIDE, message, "Name the folders again, or say that it is meant: {command}")
    if outside:
        message = f"{what} vanished, {len(outside)} of them only from `source.paths` and not from git; none was removed"
        return Hold(OUTSIDE, message, "Name the folders again, or say that it is meant: {command}")
    if len(going) == total and not look.arriving and not settings.allow_empty:
        if total == 1:
            message = f"{what}, the only object, vanished from git; it was kept, as nothing is emptied unasked"
            return Hold(EMPTY, message, "Bring it back, or say that it is meant: {command}")
        message = f"all {total} objects vanished from git at once; none was removed"
        return Hold(EMPTY, message, "Leave at least one manifest, or say that it is meant: {command}")
    if total > GUARD_FROM and len(going) * 100 > total * settings.percent_max:
        message = f"{len(going)} of {total} objects vanished from git at once; none was removed"
        return Hold(PERCENT, message, "Remove them in smaller commits, or say that it is meant: {command}")
    return None


def _is_outside(obj: Object, look: Look) -> bool:
    """Not its manifest was removed: the folder it is in is no longer read."""
    assert obj.desired is not None
    path = obj.desired.path
    return not sources.is_below(path, look.settings.roots) and look.has_file(path)
