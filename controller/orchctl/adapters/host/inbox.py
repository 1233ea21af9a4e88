"""Requests of people to a controller, as files: `new/<token>.json` in the inbox of its state folder.

Called by the verbs that write one, running controller or not, and by the controller, which removes each once it is
recorded. A file appears whole or not at all. What is in one was written by anybody who may write there: it is bounded
here, and judged by whoever reads it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import secrets
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from orchctl.core.ports import PermanentError

FOLDER = "inbox"
FILE_BYTES_MAX = 16 * 1024
REQUESTS_MAX = 100  # at one look; the others wait for the next
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NAME = re.compile(r"([0-9A-HJKMNP-TV-Z]{26})\.json")


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    token: str
    uid: int  # the owner of the file: who claims to have asked
    content: Mapping[str, object]  # empty when the file cannot be read as a JSON object


class Inbox:
    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / FOLDER / "new"

    def make(self) -> None:
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(mode=0o700, exist_ok=True)

    def submit(self, content: Mapping[str, object]) -> str:
        """The token of the request, once the file is durable."""
        self.make()
        token = ulid()
        temporary = self.folder / f".{token}.tmp"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(dict(content), stream)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.rename(self.folder / f"{token}.json")
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise PermanentError(f"the request cannot be written to {self.folder}: {error}") from error
        _sync(self.folder)
        return token

    def waiting(self) -> list[Request]:
        """Oldest first."""
        try:
            names = sorted(name for name in os.listdir(self.folder) if _NAME.fullmatch(name))
        except OSError:
            return []
        found = [self._read(name) for name in names[:REQUESTS_MAX]]
        return [request for request in found if request is not None]

    def remove(self, token: str) -> None:
        with contextlib.suppress(OSError):
            (self.folder / f"{token}.json").unlink()

    def _read(self, name: str) -> Request | None:
        token = name.removesuffix(".json")
        try:
            descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError:
            return Request(token, os.getuid(), {})
        with os.fdopen(descriptor, "rb") as stream:
            about = os.fstat(stream.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > FILE_BYTES_MAX:
                return Request(token, about.st_uid, {})
            data = stream.read(FILE_BYTES_MAX)
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):
            content = {}
        return Request(token, about.st_uid, content if isinstance(content, dict) else {})


def ulid() -> str:
    """Sortable by the time it was made, and told by chance from all others."""
    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return "".join(_DIGITS[(number >> (5 * place)) & 31] for place in reversed(range(26)))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
