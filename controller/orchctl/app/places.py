"""Where a controller keeps its things, outside every repo (each folder private to the user)."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from orchctl.core import ports


@dataclasses.dataclass(frozen=True, slots=True)
class Places:
    repo: Path  # the control repo's working tree, or the bare repo
    state: Path
    runtime: Path

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.db"

    @property
    def sessions(self) -> Path:
        return self.state / "sessions"


def places(repo: Path, repo_uid: str, environ: Mapping[str, str]) -> Places:
    state = _state_home(environ) / "orchctl" / repo_uid
    runtime = _runtime_home(environ) / hashlib.sha256(str(state).encode()).hexdigest()[:8]
    for folder in (state, state / "sessions", runtime):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (state, runtime.parent, runtime):
        _own(folder)
    return Places(repo=repo, state=state, runtime=runtime)


def _own(folder: Path) -> None:
    """Under /tmp a name can be taken by anybody first: what is not a folder of ours is not used."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ports.PermanentError(f"{folder} is not a folder of yours; remove it, or set XDG_RUNTIME_DIR")


def _state_home(environ: Mapping[str, str]) -> Path:
    """A relative XDG value counts as unset, as its specification says."""
    given = environ.get("XDG_STATE_HOME", "")
    return Path(given) if os.path.isabs(given) else Path.home() / ".local" / "state"


def _runtime_home(environ: Mapping[str, str]) -> Path:
    """Short on purpose: a socket's path may have 107 bytes."""
    given = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(given):
        return Path(given) / "orchctl"
    return Path(f"/tmp/orchctl-{os.getuid()}")
