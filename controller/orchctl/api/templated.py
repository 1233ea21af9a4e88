"""Which fields of which kind are templates, and whether a text is one at all.

Everything not listed here is never a template: a Task's prompt, commands and check output are data, whatever they
contain. Called by the loader, which checks what is listed, and by the core, which has it rendered. Must import nothing
heavy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

OPENING = "${{"
EACH = "*"  # in a path: every item of the list, or every value of the map

Path = tuple[str | int, ...]

_STAGE: tuple[tuple[str, ...], ...] = (("prompt",), ("panel", "members", EACH, "prompt"))
# The strings of a Task that is made by something else; names, labels and branches have a form no template fits.
_TASK: tuple[tuple[str, ...], ...] = (
    ("metadata", "annotations", EACH),
    ("spec", "title"),
    ("spec", "prompt"),
    ("spec", "params", EACH),
    ("spec", "touches", EACH),
    ("spec", "sparse", EACH),
)


def _below(prefix: tuple[str, ...], paths: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple((*prefix, *path) for path in paths)


_FIELDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Role": (("spec", "system"),),
    "Pipeline": (
        *_below(("spec", "stages", EACH), _STAGE),
        *_below(("spec", "stages", EACH, "tasks", "template"), _TASK),
        *_below(("spec", "finally", EACH), _STAGE),
    ),
    "Project": (("spec", "guardrails", "branch"),),
    "Trigger": _below(("spec", "template"), _TASK),
    "Milestone": _below(("spec", "template"), _TASK),
}


def is_template(text: str) -> bool:
    return OPENING in text


def template_fields(kind: str) -> tuple[tuple[str, ...], ...]:
    """The paths of the kind's template fields, with `EACH` for list items."""
    return _FIELDS.get(kind, ())


def templates_of(kind: str, value: object) -> Iterator[tuple[Path, str]]:
    """Every text of the manifest that has an expression in it, with its path."""
    for path in template_fields(kind):
        for place, found in _at(value, path, ()):
            if isinstance(found, str) and is_template(found):
                yield place, found


def _at(value: object, rest: Sequence[str], place: Path) -> Iterator[tuple[Path, object]]:
    if not rest:
        yield place, value
    elif rest[0] == EACH:
        for index, item in value.items() if isinstance(value, dict) else enumerate(_listed(value)):
            yield from _at(item, rest[1:], (*place, index))
    elif isinstance(value, dict) and rest[0] in value:
        yield from _at(value[rest[0]], rest[1:], (*place, rest[0]))


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
