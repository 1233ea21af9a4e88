"""What the Settings say about the source of the manifests, and which Settings are in force. Pure.

Called by admission, which keeps to it, and by the loop, for how often to look. Must hold a default for everything: a
control repo without Settings is the usual one.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

from orchctl.api.v1alpha1 import settings as settings_kind
from orchctl.core.ids import Key
from orchctl.core.state import State
from orchctl.kit import durations

SETTINGS = Key("Settings//default")
DEFAULT_ROOTS = ("manifests",)  # where Settings are always looked for, whatever paths they name

ANYWHERE = ("**/*.yaml", "**/*.yml")


@dataclasses.dataclass(frozen=True, slots=True)
class SourceSettings:
    roots: tuple[str, ...] = DEFAULT_ROOTS
    interval_s: int = 10
    verify: bool = False  # the head commit must have a good signature of an allowed signer
    prune: bool = True
    allow_empty: bool = False
    percent_max: int = 50


DEFAULT = SourceSettings()


@functools.lru_cache(maxsize=16)
def settings_of(spec: str) -> SourceSettings:
    """From the canonical spec of a Settings that was found valid."""
    found = settings_kind.SettingsSpec.model_validate_json(spec).source
    return SourceSettings(
        roots=tuple(dict.fromkeys(plain_folder(path) for path in found.paths)),
        interval_s=durations.duration_s(found.interval),
        verify=found.verify is settings_kind.Verify.HEAD,
        prune=found.prune.enabled,
        allow_empty=found.prune.allow_empty,
        percent_max=found.prune.max_percent,
    )


def in_force(state: State) -> SourceSettings:
    """Those that were admitted last, for as long as they are not withdrawn; else the defaults."""
    obj = state.objects.get(SETTINGS)
    if obj is None or obj.desired is None or obj.withdrawn:
        return DEFAULT
    return settings_of(obj.desired.spec)


def plain_folder(path: str) -> str:
    """`./a//b/` is `a/b`; the whole repo is the empty text."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def globs_of(folders: Iterable[str]) -> tuple[str, ...]:
    """Paths that hold or may come to hold manifests; where that is the whole repo, every file that can be one."""
    return tuple(glob for folder in dict.fromkeys(folders) for glob in ((folder,) if folder else ANYWHERE))


def is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(not folder or path.startswith(f"{folder}/") for folder in folders)
