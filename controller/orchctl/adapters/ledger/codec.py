"""Events as JSON and back: the only place that knows how they are stored.

An event's class name stands in the `type` column; an effect carries its own `verb`. Specs are taken out of the event
and kept once per digest. Names are provisional until the first tagged release, so there are no upcasters yet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec

from orchctl.adapters.ledger.errors import UnreadableEvent
from orchctl.core import actions, events, state

_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(event: events.Event) -> str:
    if isinstance(event, events.ObjectAdmitted):
        event = dataclasses.replace(event, spec="")
    return _ENCODER.encode(event).decode()


def decode(type_name: str, data: str, specs: Mapping[str, str]) -> events.Event:
    """The event of a row; `specs` holds the specs by digest."""
    cls = events.EVENTS.get(type_name)
    if cls is None:
        raise UnreadableEvent(f"event type {type_name} is not known to this release")
    try:
        event = msgspec.json.decode(data, type=cls, dec_hook=_decode_effect)
    except msgspec.ValidationError as error:
        raise UnreadableEvent(f"{type_name}: {error}") from error
    if isinstance(event, events.ObjectAdmitted):
        return dataclasses.replace(event, spec=specs[event.spec_digest])
    return event


def recorded(row: tuple[Any, ...], specs: Mapping[str, str]) -> events.Recorded:
    """The event of (seq, turn, at, t, type, data)."""
    seq, turn, at, t, type_name, data = row
    event = decode(type_name, data, specs)
    return events.Recorded(seq=seq, turn=turn, now=events.Now(at=at, t=t), event=event)


def encode_object(obj: state.Object) -> str:
    return _ENCODER.encode(obj).decode()


def decode_object(data: str) -> state.Object:
    try:
        return _OBJECTS.decode(data)
    except msgspec.ValidationError as error:
        raise UnreadableEvent(f"a row of the objects table: {error}") from error


def encode_counters(found: state.State) -> str:
    """All of the state but its objects and their open actions, which the objects hold themselves."""
    return _ENCODER.encode(dataclasses.replace(found, objects={}, open={}, declared={})).decode()


def decode_counters(data: str) -> state.State:
    return msgspec.json.decode(data, type=state.State, dec_hook=_decode_effect)


def _decode_effect(wanted: type, value: Any) -> Any:
    """Effects are one union under a base class; their `verb` says which."""
    if wanted is not actions.Effect:
        raise NotImplementedError(wanted)  # what msgspec asks of a hook that is given a type it does not know
    found = actions.EFFECTS.get(value["verb"])
    if found is None:
        raise UnreadableEvent(f"effect {value['verb']} is not known to this release")
    return msgspec.convert(value, type=found)


_OBJECTS = msgspec.json.Decoder(state.Object, dec_hook=_decode_effect)
