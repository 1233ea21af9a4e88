"""What stands in the way of using an object: nothing has its name, or it asks for what this release does not do.

Asked by the resolution of a Task for everything it comes to. The answers are what the Task waits for.
"""

from __future__ import annotations

from orchctl.core.because import Because
from orchctl.core.ids import kind_of, name_of
from orchctl.core.state import Object
from orchctl.core.view import View

FIELDS_NAMED_MAX = 5


def absence(view: View, kind: str, wanted: str, name: str) -> Because:
    """Nothing has this name; `wanted` is how the object is spoken of."""
    unblock = f"add {_article(kind)} {kind} named `{name}`, or name one of: {known(view, kind)}"
    return Because("GIT-7", f"{wanted} does not exist", unblock=unblock, waiting="Dependency")


def _article(kind: str) -> str:
    return "an" if kind[0] in "AEIOU" else "a"


def known(view: View, kind: str) -> str:
    return ", ".join(sorted(name_of(obj.key) for obj in view.all_of(kind) if obj.desired)) or "none known"


def support(obj: Object) -> Because | None:
    """Nothing starts on a part of what is asked: a gate or a limit that nobody watches is worse than none (GIT-3)."""
    if obj.desired is None or not obj.desired.in_the_way:
        return None
    named = ", ".join(obj.desired.in_the_way[:FIELDS_NAMED_MAX])
    more = len(obj.desired.in_the_way) - FIELDS_NAMED_MAX
    named += f" and {more} more" if more > 0 else ""
    text = f"{obj.key} asks for what this release does not do yet: {named}"
    unblock = f"remove it from {obj.desired.path}:{obj.desired.line}, or name another {kind_of(obj.key)}"
    if kind_of(obj.key) == "Task":
        unblock = f"remove it from {obj.desired.path}:{obj.desired.line}, or wait for a release that does it"
    return Because("GIT-3", text, unblock=unblock, waiting="NotImplemented")
