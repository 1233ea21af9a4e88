"""Which Tasks land together: the one relation that cannot be read from one end, so the state keeps its other end.

Followed by `evolve` with every event; a decision asks through its view, which notes that it has.
"""

from __future__ import annotations

import dataclasses

from orchctl.core import events, resolve
from orchctl.core.ids import Key, key_of, kind_of, namespace_of
from orchctl.core.state import Object, State

_MARK = '"mergeGroup"'  # most specs say nothing of a group, and need not be parsed to know it


def key_in(namespace: str, group: str) -> Key:
    return key_of("MergeGroup", namespace, group)


def group_of(obj: Object | None) -> Key | None:
    if obj is None or obj.desired is None or kind_of(obj.key) != "Task":
        return None
    return _said(obj.key, obj.desired.spec)


def tracked(state: State, event: events.Event) -> State:
    """The state with the groups as they are after this event."""
    if not isinstance(event, events.ObjectAdmitted | events.ObjectRemoved) or kind_of(event.key) != "Task":
        return state
    before = group_of(state.objects.get(event.key))
    after = _said(event.key, event.spec) if isinstance(event, events.ObjectAdmitted) else None
    if before == after:
        return state
    found = dict(state.groups)
    if before is not None:
        found[before] = tuple(one for one in found.get(before, ()) if one != event.key)
        if not found[before]:
            del found[before]
    if after is not None:
        found[after] = tuple(sorted({*found.get(after, ()), event.key}))
    return dataclasses.replace(state, groups=found)


def _said(key: Key, spec: str) -> Key | None:
    found = resolve.readable_task_spec(spec) if _MARK in spec else None
    if found is None or found.merge_group is None:
        return None
    return key_in(namespace_of(key), found.merge_group)
