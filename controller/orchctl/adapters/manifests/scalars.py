"""Plain scalars by the core schema of YAML 1.2: `no`, `on` and `1:30` are strings, `017` is seventeen.

Called by `compose` for each plain scalar. Numbers too long to mean anything are refused before they are converted:
converting them costs time that grows with the square of their length.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

INTEGER_DIGITS_MAX = 18  # fits 64 bits in any notation used here
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMBER_START = frozenset("-+.0123456789")
_DECIMAL = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]+", re.ASCII)
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)


class NumberTooLong(ValueError):
    """must be a number of at most 18 digits; put it in quotes if it is text"""


def resolve(text: str) -> Scalar:
    """The value of a plain scalar; NumberTooLong if it is a number nobody can mean."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    for form, base in ((_DECIMAL, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if form.fullmatch(text):
            if len(text) > INTEGER_DIGITS_MAX + 2:
                raise NumberTooLong
            return int(text if base == 10 else text[2:], base)
    if _FLOAT.fullmatch(text):
        if len(text) > INTEGER_DIGITS_MAX + 8:
            raise NumberTooLong
        return float(text)
    return text
