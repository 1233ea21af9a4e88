"""Status files: each served object as YAML in a folder beside the manifests, for grep, watch and cat (LOG-6).

Written by the controller after a turn, from the objects table; never read back as truth, so losing them costs a
rebuild only. Written when the bytes change, by rename, without fsync. No path component is followed through a
symbolic link, so nothing a user or agent plants there leads a write elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from orchctl.app.read import yamltext
from orchctl.app.read.locate import Place

FOLDER = ".orchctl/status"
EXCLUDED = f"/{FOLDER}/"
VOLATILE = ("resourceVersion",)  # moves with every event; a file that always changes is no use to watch
SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
COMPONENT_BYTES_MAX = 200
TEMPORARY = ".tmp-"


class StatusFiles:
    """The files under `root`, one per object: `<kind>/<namespace>/<name>.yaml`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def beside(cls, place: Place, state_dir: Path) -> StatusFiles:
        """Where they belong: in the working tree, ignored by git, or in the state folder of a bare repo."""
        if place.worktree is None:
            return cls(state_dir / "status")
        exclude(Path(place.common_dir))
        return cls(Path(place.worktree) / FOLDER)

    def write(self, bodies: Iterable[tuple[str, str | None]]) -> int:
        """Bring the files of these keys up to date, None removes; returns how many changed. OSError is the caller's."""
        return sum(self._write_one(key, body) for key, body in bodies)

    def rebuild(self, bodies: Sequence[tuple[str, str]]) -> None:
        """Make the folder what these objects say: files lost or left behind while no controller ran are put right."""
        self.write(bodies)
        expected = {"/".join((*folders, name)) for folders, name in (_path(key) for key, _ in bodies)}
        with self._folder([], create=False) as top:
            if top is None:
                return
            for folder, _, names, descriptor in os.fwalk(".", dir_fd=top, follow_symlinks=False):
                for name in names:
                    if os.path.normpath(os.path.join(folder, name)) not in expected and name.endswith(".yaml"):
                        os.unlink(name, dir_fd=descriptor)

    def _write_one(self, key: str, body: str | None) -> bool:
        folders, file_name = _path(key)
        if body is None:
            return self._remove(folders, file_name)
        data = _content(body)
        with self._folder(folders, create=True) as descriptor:
            assert descriptor is not None
            if _read(descriptor, file_name, len(data)) == data:
                return False
            temporary = f"{TEMPORARY}{file_name}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(temporary, flags, 0o600, dir_fd=descriptor), "wb") as stream:
                stream.write(data)
            os.rename(temporary, file_name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        return True

    def _remove(self, folders: list[str], file_name: str) -> bool:
        with self._folder(folders, create=False) as descriptor:
            if descriptor is None:
                return False
            try:
                os.unlink(file_name, dir_fd=descriptor)
            except FileNotFoundError:
                return False
        return True

    @contextlib.contextmanager
    def _folder(self, names: list[str], *, create: bool) -> Iterator[int | None]:
        """A descriptor of the folder, reached step by step from the root's parent without following a link."""
        root = self.root
        base = root.parent.parent if root.parts[-2:] == tuple(FOLDER.split("/")) else root.parent
        descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in (*root.relative_to(base).parts, *names):
                try:
                    inner = _enter(descriptor, name, create=create)
                except FileNotFoundError:
                    if create:
                        raise
                    yield None
                    return
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)


def _path(key: str) -> tuple[list[str], str]:
    """The folders below the root and the file of an object."""
    kind, namespace, name = key.split("/", 2)
    folders = [_component(kind.lower()), *([_component(namespace)] if namespace else [])]
    return folders, _component(f"{name}.yaml")


def _enter(parent: int, name: str, *, create: bool) -> int:
    if create:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _read(folder: int, name: str, length: int) -> bytes | None:
    """The file's bytes, one more than `length` at most; None when it is not a file of ours."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None  # missing, or a link: the rename puts a real file there
    with open(descriptor, "rb") as stream:
        return stream.read(length + 1)


def _content(body: str) -> bytes:
    served = json.loads(body)
    metadata = served.get("metadata", {})
    kept = {name: value for name, value in metadata.items() if name not in VOLATILE}
    return yamltext.dump(served | {"metadata": kept}).encode()


def _component(name: str) -> str:
    """One path component for any name: what is not plain is written as %XX, so it cannot be `..` or hold a slash."""
    escaped = "".join(character if character in SAFE else _percent(character) for character in name)
    if escaped.startswith("."):
        escaped = f"%2E{escaped[1:]}"
    if len(escaped) > COMPONENT_BYTES_MAX:
        import hashlib

        escaped = f"{escaped[: COMPONENT_BYTES_MAX - 33]}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return escaped


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def exclude(common_dir: Path) -> None:
    """Tell git to ignore the status files, in the repo's own exclude file: the user's .gitignore is theirs."""
    path = common_dir / "info" / "exclude"
    path.parent.mkdir(exist_ok=True)
    known = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    if EXCLUDED in known.splitlines():
        return
    gap = "" if not known or known.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"{gap}{EXCLUDED}\n")
