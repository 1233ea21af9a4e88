"""What git says about an object, and the answer to why."""

from __future__ import annotations

import dataclasses

from orchctl.core import events, judgements, resolve
from orchctl.core.because import HOLDING
from orchctl.core.folds import parts
from orchctl.core.ids import kind_of
from orchctl.core.state import Desired, Object

replace = dataclasses.replace


def admitted(obj: Object, event: events.ObjectAdmitted, now: events.Now) -> Object:
    desired = Desired(
        uid=event.uid,
        generation=event.generation,
        spec_digest=event.spec_digest,
        spec=event.spec,
        path=event.path,
        line=event.line,
        blob=event.blob,
        labels=event.labels,
        annotations=event.annotations,
        unsupported=event.unsupported,
        harmless=event.harmless,
    )
    before = obj.desired
    said, principal = obj.said, obj.principal
    if before is None or obj.withdrawn or _says_else(before, event):
        said, principal = now, event.principal
    return replace(obj, desired=desired, problems=(), problems_path="", withdrawn=False, said=said, principal=principal)


def _says_else(before: Desired, event: events.ObjectAdmitted) -> bool:
    """Moving a text is not saying it; and who edits how soon a Task is to be done does not ask for its work."""
    if before.spec_digest == event.spec_digest:
        return False
    if kind_of(event.key) != "Task":
        return True
    return resolve.pinned_digest(before.spec) != resolve.pinned_digest(event.spec)


def principal_found(obj: Object, event: judgements.PrincipalFound, now: events.Now) -> Object:
    found = replace(obj, principal=event.principal)
    if obj.task is None or obj.task.requester != obj.principal:  # an edit nobody has taken up yet is not its work
        return found
    return parts.with_task(found, requester=event.principal)


def rejected(obj: Object, event: events.ObjectRejected, now: events.Now) -> Object:
    return replace(obj, problems=event.problems, problems_path=event.path)


def withdrawn(obj: Object, event: events.ObjectWithdrawn, now: events.Now) -> Object:
    return replace(obj, withdrawn=True)


def stalled(obj: Object, event: events.ObjectStalled, now: events.Now) -> Object:
    return replace(obj, stalled=event.defect)


def explained(obj: Object, event: events.Explained, now: events.Now) -> Object:
    before, since = obj.because, obj.because_since
    if obj.task is not None and before is not None and before.waiting and since is not None:
        obj = parts.with_task(obj, waited_s=obj.task.waited_s + now.t - since.t)
    if obj.task is not None and event.because.waiting not in ("", HOLDING) and obj.task.slots:
        obj = parts.with_task(obj, slots=())  # others may work meanwhile; its paths it keeps
    return replace(obj, because=event.because, because_since=now)
