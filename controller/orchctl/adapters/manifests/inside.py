"""Where in a file a character of a field's text stands, as far as the way it is written lets that be told.

Called by the loader for faults inside templates. YAML folds, escapes and indents, so a place is worked out for the
plain cases and then compared with the file: where the two differ, the place of the whole field is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchctl.adapters.manifests.compose import Place


def place(lines: Sequence[str], line_offset: int, field: Place, text: str, offset: int) -> Place:
    """`lines` are those of the file, `field` is where the value begins, counted as in `compose`."""
    before = text[:offset]
    row = before.count("\n")
    column = offset - (before.rfind("\n") + 1)
    first = line_offset + field[0]
    if first >= len(lines):
        return field
    begin = lines[first][field[1] :]
    if begin[:1] == "|":
        found = _indent(lines, first + 1 + row, text.split("\n")[row])
        return field if found is None else (field[0] + 1 + row, found + column)
    quote = begin[:1] in ("'", '"')
    if row == 0 and begin[quote:].startswith(text[: offset + 1].split("\n")[0]):
        return (field[0], field[1] + quote + column)
    return field


def _indent(lines: Sequence[str], number: int, content: str) -> int | None:
    """By how much this line of a literal block is indented; None if the file has something else there."""
    if number >= len(lines):
        return None
    line = lines[number].rstrip("\r")
    indent = len(line) - len(content)
    return indent if indent >= 0 and line == " " * indent + content else None
