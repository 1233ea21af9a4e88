"""Reads the files with the secrets of an Account; what is wrong with one is said without a byte of it (SES-10)."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from orchctl.core import ports

VALUE_BYTES_MAX = 16 * 1024
VALUE_CHARACTERS_MIN = 4  # a shorter one would be masked all over the output


class SecretFiles:
    def __init__(self, environ: Mapping[str, str], control_repo: Path) -> None:
        self._home = environ.get("HOME", "")
        self._repo = control_repo.resolve()

    def values(self, secrets: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Variables with their values. Tried again later when one cannot be had: somebody may be replacing the file."""
        return tuple((name, self._value(file)) for name, file in secrets)

    def problem(self, secrets: tuple[tuple[str, str], ...]) -> str:
        """What is wrong with the first of them that cannot be used, or nothing."""
        try:
            self.values(secrets)
        except ports.TransientError as error:
            return str(error)
        return ""

    def _value(self, file: str) -> str:
        path = Path(f"{self._home}{file[1:]}") if file.startswith("~/") else Path(file)
        if not path.is_absolute():
            raise ports.TransientError(f"{file} must begin with `/` or `~/`")
        # Not `Path.resolve`, which fails on links that lead back to themselves: opening says so below.
        if Path(os.path.realpath(path)).is_relative_to(self._repo):
            raise ports.TransientError(f"{file} lies in the control repo, where a commit would give it away")
        try:
            data = _bytes(path)
        except OSError as error:
            raise ports.TransientError(f"{file} cannot be read: {error.strerror}") from error
        if len(data) > VALUE_BYTES_MAX:
            raise ports.TransientError(f"{file} is larger than {VALUE_BYTES_MAX // 1024} KiB")
        return _text(file, data)


def _bytes(path: Path) -> bytes:
    """Of a file and nothing else: opening a pipe or a device holds nobody up."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        is_file = stat.S_ISREG(os.fstat(handle).st_mode)
        return os.read(handle, VALUE_BYTES_MAX + 1) if is_file else b""
    finally:
        os.close(handle)


def _text(file: str, data: bytes) -> str:
    """Without the end of line that editors leave."""
    try:
        value = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ports.TransientError(f"{file} is not text") from None
    if len(value) < VALUE_CHARACTERS_MIN or "\0" in value:
        raise ports.TransientError(f"{file} holds no value of at least {VALUE_CHARACTERS_MIN} characters")
    return value
