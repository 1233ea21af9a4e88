"""Which parts of a manifest have no behaviour behind them yet. They are admitted, and never silently ignored.

Called by the loader. The marks stand with the fields (`fields.planned`, `fields.only`) and in the table of kinds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from orchctl.api import fields, kinds, meta, shape

Path = tuple[str | int, ...]
KIND = "kind"  # in place of a field: the whole kind has none


class Use(NamedTuple):
    """A field that is set and has no behaviour; `harmless`: what is done stays the same without it."""

    path: Path
    harmless: bool


class _Mark(NamedTuple):
    name: str
    alias: str
    default: Any
    values: tuple[str, ...] | None  # the supported ones; None: the field as such is not
    harmless: bool


def unsupported(manifest: meta.Manifest) -> tuple[Use, ...]:
    row = kinds.KINDS[manifest.kind]
    if row.supported == "no" or row.made_by_controller:
        return (Use((KIND,), harmless=False),)
    return tuple(_of(manifest, ()))


def _of(model: fields.Model, at: Path) -> Iterator[Use]:
    marked = set()
    for mark in _marks(type(model)):
        marked.add(mark.name)
        value = getattr(model, mark.name)
        if value != mark.default and (mark.values is None or str(value) not in mark.values):
            yield Use((*at, mark.alias), mark.harmless)
    for each in shape.below(type(model)):
        value = getattr(model, each.name)
        if each.name in marked or value is None:
            continue
        if not each.is_list:
            yield from _of(value, (*at, each.alias))
            continue
        for index, item in enumerate(value):
            yield from _of(item, (*at, each.alias, index))


@functools.cache
def _marks(model: type[fields.Model]) -> tuple[_Mark, ...]:
    found = []
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra
        if not isinstance(extra, dict) or not {fields.SUPPORTED, fields.SUPPORTED_VALUES} & extra.keys():
            continue
        values = extra.get(fields.SUPPORTED_VALUES)
        supported = tuple(map(str, values)) if isinstance(values, list) else None
        found.append(_Mark(name, info.alias or name, info.default, supported, bool(extra.get(fields.HARMLESS))))
    return tuple(found)


def has_marks(model: type[fields.Model]) -> bool:
    """Whether anything in this model is marked as having no behaviour."""
    return bool(_marks(model)) or any(has_marks(each.model) for each in shape.below(model))
