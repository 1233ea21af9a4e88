"""Writes JSON-like data as YAML that people read: `get -o yaml`, describe, status files, new manifests.

A small emitter of ours, since the read path may not load a YAML library. Whatever it writes, a YAML 1.2 parser reads
back as the same value (property-tested); no anchors, no tags, and nothing that could move a terminal's cursor.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Quoted although plain: what some YAML 1.1 or 1.2 reader would take for something else than a string.
_AMBIGUOUS = re.compile(
    r"(?i:null|true|false|yes|no|on|off|y|n|~)|[-+.]?[0-9][-+.:_0-9a-zA-Z]*|[-+]?\.(?i:inf|nan)|=|<<|---.*|\.\.\..*"
)
_PLAIN = re.compile(r"[A-Za-z0-9_/$(^][A-Za-z0-9_./$()+^@%*&?!<>=~, ;'-]*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
BLOCK_LINE = 100  # a one-line string longer than this stays on its line: folding would be hard to edit
DEPTH_MAX = 64


def dump(value: object) -> str:
    """The value as a YAML document without markers; ends with a newline."""
    return "\n".join(lines(value)) + "\n"


def lines(value: object, indent: str = "") -> Iterator[str]:
    assert len(indent) <= 2 * DEPTH_MAX, "deeper than any object of ours"
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(f"{indent}{_scalar(str(key))}:", item, indent)
    elif isinstance(value, (list, tuple)) and value:
        for item in value:
            yield from _item(item, indent)
    else:
        yield indent + _scalar(value)


def _entry(head: str, item: object, indent: str) -> Iterator[str]:
    """`head` is `  key:` or `  -`; what belongs to it follows deeper, a list of a mapping at the same depth."""
    if isinstance(item, dict) and item:
        yield head
        yield from lines(item, indent + "  ")
    elif isinstance(item, (list, tuple)) and item:
        yield head
        yield from lines(item, indent)
    elif isinstance(item, str) and _is_block(item):
        yield from _block(head, item, indent + "  ")
    else:
        yield f"{head} {_scalar(item)}"


def _item(item: object, indent: str) -> Iterator[str]:
    if isinstance(item, (dict, list, tuple)) and item:
        inner = lines(item, indent + "  ")
        yield f"{indent}- {next(inner)[len(indent) + 2 :]}"
        yield from inner
    elif isinstance(item, str) and _is_block(item):
        yield from _block(f"{indent}-", item, indent + "  ")
    else:
        yield f"{indent}- {_scalar(item)}"


def _is_block(value: str) -> bool:
    """Many-line text that a literal block shows unchanged."""
    body = value.rstrip("\n")
    if "\n" not in value or not body or body[0] in " \t\n":
        return False
    return all(_is_safe(line) and line == line.rstrip() for line in body.split("\n"))


def _block(head: str, value: str, indent: str) -> Iterator[str]:
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    yield head + (" |-", " |", " |+")[min(ends, 2)]
    yield from (f"{indent}{line}" if line else "" for line in body.split("\n"))
    yield from [""] * (ends - 1)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    return "{}" if isinstance(value, dict) else "[]"


def _is_plain(value: str) -> bool:
    if not _PLAIN.fullmatch(value) or value[-1] == " " or " #" in value:
        return False
    return not _AMBIGUOUS.fullmatch(value)


def _quoted(value: str) -> str:
    if _is_safe(value) and ('"' in value or "\\" in value):
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in value) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _is_safe(character):
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _is_safe(value: str) -> bool:
    """Printable as it is. Anything beyond the basic plane is written out: not every terminal draws it."""
    return value.isprintable() and (value.isascii() or max(value) < "\uffff")
