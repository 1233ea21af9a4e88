"""Path globs as manifests use them: `*` stays inside a folder, `**` crosses folders, `?` is one character."""

import functools
import re

PATTERNS_CACHED_MAX = 256


@functools.lru_cache(maxsize=PATTERNS_CACHED_MAX)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)


def matches(path: str, pattern: str) -> bool:
    """Whether the whole path is meant by the pattern; a pattern that names a folder means all below it."""
    return bool(_compiled(pattern).fullmatch(path)) or path.startswith(pattern.rstrip("/") + "/")
