"""Facts about where the manifests come from, when that is more than a branch: refused commits, and a remote."""

from __future__ import annotations

import dataclasses

from orchctl.core.happenings import Event
from orchctl.core.ids import Oid


@dataclasses.dataclass(frozen=True, slots=True)
class RevisionRefused(Event):
    """The ref is at a commit that may not be taken up: what was taken up before stays in force."""

    ref: str
    commit: Oid
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class SourceSynced(Event):
    """The remote was fetched from, for the first time or again."""

    remote: str


@dataclasses.dataclass(frozen=True, slots=True)
class SourceUnreachable(Event):
    """The remote could not be fetched from: what was fetched before stays in force."""

    remote: str
    offline: bool  # nothing answered; else the remote did, and refused
    message: str
    synced_at: float  # wall time of the last fetch that went well, 0 for never


UPSTREAM: tuple[type[Event], ...] = (RevisionRefused, SourceSynced, SourceUnreachable)
