"""The executor's side of an attempt's directory: what it writes before a shim runs and reads of what the shim wrote.

Called by the local executor. The file names and fields are the shim's protocol; it is read here with patience for
another release's shim: unknown fields are ignored, missing ones have a meaning.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import pathlib
import tempfile

from orchctl.core import ports

RING_HEADER_BYTES = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Shim:
    """Which process keeps the attempt: a pid alone may be somebody else's by now."""

    boot_id: str
    pid: int
    start_time: int
    agent_pid: int

    def alive(self) -> bool:
        return self.boot_id == current_boot_id() and process_start_time(self.pid) == self.start_time


def current_boot_id() -> str:
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def process_start_time(pid: int) -> int | None:
    """In ticks since boot, or None when there is no such process or only its zombie."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if len(fields) < 20 or fields[0] in (b"Z", b"X") else int(fields[19])


def write_whole(directory: pathlib.Path, name: str, data: bytes) -> None:
    """Readers see the old file or this one. Not synced: what is written here is written again after a crash."""
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
    with open(handle, "wb") as file:
        file.write(data)
    os.rename(temporary, directory / name)


def write_launch(directory: pathlib.Path, spec: ports.AttemptSpec) -> None:
    write_whole(directory, "stdin", spec.stdin.encode("utf-8", "surrogateescape"))
    launch = {"protocol": 1, "argv": list(spec.argv), "cwd": spec.cwd, "output_limit": spec.output_limit}
    write_whole(directory, "launch.json", json.dumps(launch).encode())


def private_part(spec: ports.AttemptSpec) -> bytes:
    """What may hold secrets; it goes to the shim in memory and to no file."""
    return json.dumps({"env": dict(spec.env), "secrets": list(spec.secrets)}).encode()


def read_object(directory: pathlib.Path, name: str) -> dict[str, object] | None:
    try:
        found = json.loads((directory / name).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ports.TransientError(f"cannot read {directory / name}: {error}") from error
    if not isinstance(found, dict):
        raise ports.PermanentError(f"{directory / name} does not hold an object; it was not written by a shim")
    return found


def read_shim(directory: pathlib.Path) -> Shim | None:
    found = read_object(directory, "started.json")
    if found is None:
        return None
    numbers = [found.get(name) for name in ("pid", "start_time", "agent_pid")]
    pid, start_time, agent_pid = (number if isinstance(number, int) else 0 for number in numbers)
    return Shim(str(found.get("boot_id", "")), pid, start_time, agent_pid)


def outcome_phase(outcome: dict[str, object]) -> ports.Phase:
    if outcome.get("lost"):
        return ports.Phase.LOST
    if outcome.get("cancelled"):
        return ports.Phase.CANCELLED
    return ports.Phase.SUCCEEDED if outcome.get("exit_code") == 0 else ports.Phase.FAILED


def lock_is_held(directory: pathlib.Path) -> bool:
    try:
        handle = os.open(directory / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def output_bytes(directory: pathlib.Path) -> int:
    """How much came so far: what is in the log, and what went round in the ring after it."""
    try:
        size = (directory / "raw.log").stat().st_size
    except FileNotFoundError:
        return 0
    try:
        with (directory / "tail.ring").open("rb") as ring:
            return size + int.from_bytes(ring.read(RING_HEADER_BYTES), "little")
    except FileNotFoundError:
        return size
