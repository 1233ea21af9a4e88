"""Text from agents, manifests and git made safe to show, and small wording helpers.

Whatever is displayed, in a terminal, a status file or a report, passes `sanitise`: raw logs keep every byte, screens
never see an escape sequence that is not our own. Must import nothing heavy: the read path starts with it.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Escape sequences first, longest forms first, each bounded so that one stray ESC cannot swallow a whole log.
_ESCAPE = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\|\x9c)?"  # OSC: titles, links, clipboard
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]{0,4096}(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]?"  # CSI: colours, cursor
    r"|\x1b[ -/]{0,8}[0-~]?"  # two-character sequences, charset switches
)
# C0 but tab and newline, DEL, C1, zero-width and bidi controls, line separators, byte-order mark, lone surrogates.
_INVISIBLE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff"
)
_UNSAFE = re.compile(f"[{_INVISIBLE}]")
_UNSAFE_IN_LINE = re.compile(f"[{_INVISIBLE}\t\n]")


def sanitise(text: str) -> str:
    """The text without escape sequences and invisible controls; tabs and newlines stay, `\\r` becomes a newline."""
    if _UNSAFE.search(text) is None:
        return text
    plain = _ESCAPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _UNSAFE.sub("", plain)


def is_plain_line(text: str) -> bool:
    """True if the text is one line that shows as what it is: fit for titles and names of things."""
    return _UNSAFE_IN_LINE.search(text) is None


def one_line(text: str, length_max: int = 200) -> str:
    """The text on one line, safe to show and cut."""
    return truncate(" ".join(sanitise(text[: 8 * length_max]).split()), length_max)


def truncate(text: str, length_max: int) -> str:
    assert length_max >= 1
    return text if len(text) <= length_max else text[: length_max - 1] + "…"


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """The one choice a person most likely meant, or None."""
    import difflib  # only paid for when something was mistyped

    by_folded = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(word[:100].lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None
