"""Texts too long to stand in a prompt, put into files: what the template then inserts is the path.

Called by the renderer. A file is named by its content, so doing it again after a crash writes the same file, and no
value can choose where it is written.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from orchctl.core import ports

VALUE_BYTES_MAX = 16 * 1024


def spilled(value: Any, folder: Path) -> Any:
    """The same JSON data with every longer text replaced by the path of a file that holds it; keys stay."""
    if isinstance(value, dict):
        return {key: spilled(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [spilled(item, folder) for item in value]
    if isinstance(value, str) and len(value) * 4 > VALUE_BYTES_MAX:
        data = value.encode("utf-8", "replace")
        if len(data) > VALUE_BYTES_MAX:
            return str(_written(data, folder))
    return value


def _written(data: bytes, folder: Path) -> Path:
    """Renamed into place: whoever reads it reads all of it."""
    path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}.txt"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.part")
        partial.write_bytes(data)
        partial.rename(path)
    except OSError as error:
        raise ports.TransientError(f"a long value for a template cannot be written to {path}: {error}") from error
    return path
