"""The files of one attempt and the identity of processes, for the programs in this directory.

The shim writes these records and the executor reads them, possibly from another release; field names and file
names are therefore a protocol (`PROTOCOL`). Nothing here may import beyond the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time

PROTOCOL = 1
LAUNCH, STARTED, EXIT, CANCEL, LOCK, STDIN = "launch.json", "started.json", "exit.json", "cancel.json", "lock", "stdin"
EXIT_RESERVE = "exit.tmp"
EXIT_RESERVE_BYTES = 4096  # held from the start, so that a full disk cannot keep the outcome from being written
MARKER = "ORCHCTL_ATTEMPT"  # in the environment of every process of an attempt
DETAIL_CHARS_MAX = 500

Record = dict[str, object]


def boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def read(directory: str, name: str) -> Record | None:
    try:
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return None
    if not isinstance(found, dict):
        raise ValueError(f"{name} does not hold an object")
    return found


def sync_directory(directory: str) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(handle: int, data: bytes | bytearray | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def write(directory: str, name: str, content: Record) -> None:
    """Durable and whole: a reader sees the old record or this one, also after a power cut."""
    temporary = os.path.join(directory, f".{name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(handle, json.dumps(content).encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    os.rename(temporary, os.path.join(directory, name))
    sync_directory(directory)


def reserve_exit(directory: str) -> None:
    handle = os.open(os.path.join(directory, EXIT_RESERVE), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        write_all(handle, b" " * EXIT_RESERVE_BYTES)
    finally:
        os.close(handle)


def write_exit(directory: str, content: Record) -> None:
    """As `write`, into the space reserved at the start."""
    detail = str(content.get("detail", ""))[:DETAIL_CHARS_MAX]
    data = json.dumps({"protocol": PROTOCOL, **content, "detail": detail}).encode()
    path = os.path.join(directory, EXIT_RESERVE)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        write_all(handle, data)
        os.ftruncate(handle, len(data))
        os.fsync(handle)
    finally:
        os.close(handle)
    os.rename(path, os.path.join(directory, EXIT))
    sync_directory(directory)


def take_lock(directory: str, timeout_s: float) -> int | None:
    """The attempt's lock, or None when another process keeps it.

    Observers hold a shared lock for an instant to see whether a shim is there, so one refusal proves nothing.
    """
    handle = os.open(os.path.join(directory, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        if time.monotonic() >= deadline:
            os.close(handle)
            return None
        time.sleep(0.01)
