"""Which backends there are: ours in a table, others by the entry points `orchctl.backends` of installed packages.

Used by admission (is there such a backend?) and by the action runner. Other packages' code is loaded only when one
of their backends is asked for.
"""

from __future__ import annotations

import functools
import importlib.metadata

from orchctl.adapters.backends import command, plans, script

GROUP = "orchctl.backends"
BUILT_IN: dict[str, plans.Backend] = {"command": command, "script": script}


@functools.cache
def _installed() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    return tuple(sorted({*BUILT_IN, *_installed()}))


def find(name: str) -> plans.Backend:
    """Ours win over an installed one of the same name."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    point = _installed().get(name)
    if point is None:
        raise plans.LaunchError(f"there is no backend {name!r}; there are {', '.join(names())}")
    loaded = point.load()
    for member in ("launch", "classify"):
        if not callable(getattr(loaded, member, None)):
            raise plans.LaunchError(f"backend {name!r} of {point.value} has no {member}()")
    found: plans.Backend = loaded
    return found
