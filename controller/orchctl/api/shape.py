"""What the models are made of: which fields of a model hold other models, one or a list of them.

Called by `violations` and `support`, which both walk a manifest along its models.
"""

from __future__ import annotations

import functools
import types
import typing
from typing import NamedTuple

from orchctl.api import fields


class Below(NamedTuple):
    """A field that holds models."""

    name: str  # the attribute
    alias: str  # the field as manifests have it
    model: type[fields.Model]
    is_list: bool


@functools.cache
def below(model: type[fields.Model]) -> tuple[Below, ...]:
    found = []
    for name, info in model.model_fields.items():
        held = _held(info.annotation)
        if held is not None:
            found.append(Below(name, info.alias or name, *held))
    return tuple(found)


def _held(annotation: object) -> tuple[type[fields.Model], bool] | None:
    """The model in an annotation such as `Model`, `Model | None` or `Annotated[tuple[Model, ...], ...]`."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _held(typing.get_args(annotation)[0])
    if origin is tuple:
        inner = _held(typing.get_args(annotation)[0])
        return (inner[0], True) if inner is not None else None
    if origin in (types.UnionType, typing.Union):
        held = [one for one in map(_held, typing.get_args(annotation)) if one is not None]
        return held[0] if held else None
    if isinstance(annotation, type) and issubclass(annotation, fields.Model):
        return annotation, False
    return None
