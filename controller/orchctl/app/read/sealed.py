"""Reads the segment files beside a ledger: events that are older than what its table has (LOG-9).

Called for the whole story of an object, where the newest events are not enough. Needs no more than the standard
library, so the read path stays light; whether a file is what was sealed is for `orchctl verify` to say.
"""

from __future__ import annotations

import os

from orchctl.app.read import failures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

FOLDER = "segments"
SUFFIX = ".seg"
STORY = (0, 2, 6, 7, 8, 12, 13)  # seq, at, key, type, data, reason, message in a line of a segment


def stories(ledger: str, after: int, through: int, keys: Collection[str]) -> Iterator[Sequence[object]]:
    """The sealed events of these objects behind `after`, oldest first, in the columns of a story."""
    marks = [_mark(key) for key in keys]
    for path in _files(ledger, through, after):
        for row in _rows(path, marks):
            if row[6] in keys and int(str(row[0])) > after:
                yield [row[place] for place in STORY]


def stories_of_type(ledger: str, through: int, prefix: str, types: Collection[str]) -> Iterator[Sequence[object]]:
    """Those of these types, of the objects whose keys begin so."""
    marks = [_mark(type_) for type_ in types]
    for path in _files(ledger, through):
        for row in _rows(path, marks):
            if row[7] in types and str(row[6]).startswith(prefix):
                yield [row[place] for place in STORY]


def last_data(ledger: str, through: int, key: str, type_: str) -> str:
    """What the newest sealed event of a type says of an object; empty when there is none."""
    for path in reversed(_files(ledger, through)):
        found = [row for row in _rows(path, [_mark(type_)]) if (row[6], row[7]) == (key, type_)]
        if found:
            return str(found[-1][8])
    return ""


def _files(ledger: str, through: int, after: int = 0) -> list[str]:
    folder = os.path.join(os.path.dirname(ledger), FOLDER)
    if not through or not os.path.isdir(folder):
        return []
    found = []
    for name in os.listdir(folder):
        first, _, last = name.removesuffix(SUFFIX).partition("-")
        if name.endswith(SUFFIX) and first.isdecimal() and last.isdecimal() and after < int(last) <= through:
            found.append((int(first), os.path.join(folder, name)))
    return [path for _, path in sorted(found)]


def _mark(word: str) -> bytes:
    """What a line that has this word as a value has in it: most lines need not be parsed."""
    import json

    return json.dumps(word, ensure_ascii=False).encode()


def _rows(path: str, marks: list[bytes]) -> Iterator[Sequence[object]]:
    import gzip
    import json
    import zlib

    try:
        with open(path, "rb") as file:
            file.readline()
            lines = gzip.decompress(file.read()).splitlines()
        for line in lines:
            if any(mark in line for mark in marks):
                yield json.loads(line)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise failures.CommandError(f"{path} cannot be read, `orchctl verify` says more: {error}") from error
