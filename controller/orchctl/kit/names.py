"""What may be the name of an object, and how a title becomes one.

Names end up in paths, refs and command lines, so nothing but an RFC 1123 label is ever let through. Called by the
kinds, the loader and the verbs that invent names. Must import nothing heavy: the read path starts with it.
"""

from __future__ import annotations

import re
import unicodedata

NAME_LENGTH_MAX = 63  # an RFC 1123 label; also keeps paths and refs short
NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_NOT_LABEL = re.compile(r"[^a-z0-9]+", re.ASCII)
SLUG_INPUT_MAX = 1000  # a title is short; a prompt given as one is only read this far


def is_name(text: str) -> bool:
    return len(text) <= NAME_LENGTH_MAX and _NAME.fullmatch(text) is not None


def slug(title: str, length_max: int = 40, fallback: str = "task") -> str:
    """A name made from free text: whole words while they fit, `fallback` if nothing usable is left."""
    assert 1 <= length_max <= NAME_LENGTH_MAX
    plain = unicodedata.normalize("NFKD", title[:SLUG_INPUT_MAX]).encode("ascii", "ignore").decode()
    label = _NOT_LABEL.sub("-", plain.lower()).strip("-")
    if len(label) > length_max:
        cut = label[: length_max + 1].rfind("-")
        label = label[: cut if cut > 0 else length_max].strip("-")
    return label or fallback
