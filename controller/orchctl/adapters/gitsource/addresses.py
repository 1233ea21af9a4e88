"""Whether two addresses are of one repository, however each is written.

Called where it matters that a project's repo is the one the manifests are in. Compares what can be told without asking
anybody: folders by the repository they belong to, other addresses by their text without what git adds or leaves out.
"""

from __future__ import annotations

import urllib.parse
from pathlib import Path

from orchctl.adapters.gitsource import repository

_FILE = "file"


def is_same(one: str, other: str) -> bool:
    return _identity(one) == _identity(other)


def _identity(address: str) -> str:
    folder = _folder(address)
    if folder is None:
        scheme, separator, rest = address.partition("://")
        host, slash, path = rest.partition("/")
        plain = f"{scheme.lower()}{separator}{host.lower()}{slash}{path}" if separator else address
        return plain.rstrip("/").removesuffix(".git").rstrip("/")
    if not folder.is_dir():
        return str(folder)
    return str(repository.ControlRepo.open(folder).common_dir.resolve())


def _folder(address: str) -> Path | None:
    """Of an address on this machine."""
    if address.startswith("/"):
        return Path(address)
    found = urllib.parse.urlsplit(address)
    return Path(urllib.parse.unquote(found.path)) if found.scheme == _FILE else None
