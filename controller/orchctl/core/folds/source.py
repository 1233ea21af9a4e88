"""What is known of where the manifests come from: what was fetched, what was refused, whose signature was good."""

from __future__ import annotations

import dataclasses
from typing import Any

from orchctl.core import events, upstream
from orchctl.core.state import Object, SourceState

replace = dataclasses.replace


def observed(obj: Object, event: events.RevisionObserved, now: events.Now) -> Object:
    verified = event.commit if event.signer else None
    return _with(obj, refused=None, refusal="", verified=verified, signer=event.signer)


def refused(obj: Object, event: upstream.RevisionRefused, now: events.Now) -> Object:
    return _with(obj, refused=event.commit, refusal=event.message)


def synced(obj: Object, event: upstream.SourceSynced, now: events.Now) -> Object:
    return _with(obj, remote=event.remote, synced=now, unreachable="", offline=False, synced_at=0.0)


def unreachable(obj: Object, event: upstream.SourceUnreachable, now: events.Now) -> Object:
    return _with(
        obj,
        remote=event.remote,
        unreachable=event.message,
        offline=event.offline,
        synced_at=event.synced_at,
    )


def _with(obj: Object, **changes: Any) -> Object:
    return replace(obj, source=replace(obj.source or SourceState(), **changes))
