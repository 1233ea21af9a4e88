"""What pydantic found wrong, said the way the project says it: what the value must be, in a sentence.

Called by `loader`. The codes are few and ours, so that a change of library changes no output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchctl.api import fields, formats, meta
from orchctl.kit import text

SHOWN_MAX = 60
_MUST_BE = {
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "mapping_type": "must be a mapping",
}
Context = Mapping[str, object]


def describe(kind: str, context: Context, value: object, message: str) -> tuple[str, str]:
    """The sentence and the code for one pydantic error; `message` is its own wording, used when ours has none."""
    if kind in _MUST_BE:
        return _MUST_BE[kind] + _quoting(kind, value), "wrong_type"
    if kind in _BOUNDS:
        return _BOUNDS[kind](context)
    if kind == "string_pattern_mismatch":
        return fields.PATTERN_MUST.get(str(context.get("pattern")), "must have another form"), "bad_format"
    if kind in ("enum", "literal_error"):
        return _one_of(str(context.get("expected", "")), value), "not_allowed"
    if kind in ("plain_line", "git_branch", "relative_glob") or kind in formats.CODES:
        return message, "bad_format"
    return text.one_line(f"must be valid: {message}"), kind


def unknown_field(name: str, known: tuple[str, ...], *, in_metadata: bool) -> str:
    if in_metadata and name in meta.SERVED_FIELDS:
        return "must not be in a manifest: the controller sets it; remove the line"
    near = text.did_you_mean(name, known)
    if near:
        return f'unknown field "{text.one_line(name, SHOWN_MAX)}", did you mean "{near}"?'
    allowed = f"must be one of {', '.join(known)}" if known else "there are no fields here"
    return f'unknown field "{text.one_line(name, SHOWN_MAX)}"; {allowed}'


def _quoting(kind: str, value: object) -> str:
    """A number or truth value where text is wanted is nearly always a missing pair of quotes."""
    if kind != "string_type":
        return ""
    if isinstance(value, bool | int | float):
        return "; put it in quotes"
    return " and not empty" if value is None else ""


def _one_of(expected: str, value: object) -> str:
    choices = [each for each in expected.replace(" or ", ", ").replace("'", "").split(", ") if each]
    near = text.did_you_mean(value, choices) if isinstance(value, str) else None
    return f"must be {expected}" + (f", did you mean '{near}'?" if near else "")


def _items(context: Context, key: str) -> str:
    count = context.get(key)
    return f"{count} {'entry' if count == 1 else 'entries'}"


_BOUNDS: dict[str, Callable[[Context], tuple[str, str]]] = {
    "missing": lambda _: ("must be given", "missing"),
    "string_too_long": lambda c: (f"must have at most {c.get('max_length')} characters", "too_long"),
    "string_too_short": lambda c: (
        "must not be empty" if c.get("min_length") == 1 else f"must have at least {c.get('min_length')} characters",
        "too_short",
    ),
    "too_long": lambda c: (f"must have at most {_items(c, 'max_length')}", "too_many"),
    "too_short": lambda c: (f"must have at least {_items(c, 'min_length')}", "too_few"),
    "greater_than_equal": lambda c: (f"must be at least {c.get('ge')}", "out_of_range"),
    "less_than_equal": lambda c: (f"must be at most {c.get('le')}", "out_of_range"),
}
