"""Finding and ending every process of an attempt, whatever its session, parent or signal handlers (rule SES-2).

Called by the shim, which is the subreaper of its agent: what double-forks away becomes the shim's child, so "no child
left" is exact. The marker in the environment finds the rest, also when the shim is already gone. Processes are
stopped before they are killed, so that a forking tree cannot outrun the scan. A process is signalled only through a
pidfd after its start time was compared, never by a number that may have been given to somebody else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterable

STOP_ROUNDS_MAX = 50
PAUSE_S = 0.002


@dataclasses.dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    start_time: int  # clock ticks since boot; with the pid and the boot id it names one process for ever
    alive: bool


@dataclasses.dataclass(frozen=True)
class Ended:
    killed: frozenset[int]
    survivors: tuple[int, ...]


def look(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if len(fields) < 20:
        return None
    # The first thread of a process may have ended while others run on: then the state says zombie, wrongly.
    alive = fields[0] not in (b"Z", b"X") or int(fields[17]) > 1
    return Process(pid, int(fields[1]), int(fields[19]), alive)


def scan() -> list[Process]:
    found = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None]


def descendants(root: int, processes: Iterable[Process]) -> list[Process]:
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    queue = [root]
    while queue:
        below = children.pop(queue.pop(), [])
        found += below
        queue += [process.pid for process in below]
    return found


def carries(process: Process, marker: bytes) -> bool:
    try:
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            return marker in file.read().split(b"\0")
    except OSError:  # gone, or another user's: neither is ours to end
        return False


def members(root: int, marker: bytes) -> list[Process]:
    """The living processes below `root` (itself not), and those anywhere that carry the marker."""
    processes = [process for process in scan() if process.pid not in (root, os.getpid())]
    below = {process.pid for process in descendants(root, processes)}
    return [p for p in processes if p.alive and (p.pid in below or carries(p, marker))]


def send(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(OSError):  # gone meanwhile, or not ours to signal: the next scan tells
        handle = os.pidfd_open(process.pid)
        try:
            now = look(process.pid)
            if now is not None and now.start_time == process.start_time:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def stop_all(root: int, marker: bytes) -> list[Process]:
    stopped: dict[tuple[int, int], Process] = {}
    for _ in range(STOP_ROUNDS_MAX):
        fresh = [p for p in members(root, marker) if (p.pid, p.start_time) not in stopped]
        if not fresh:
            break
        for process in fresh:
            send(process, signal.SIGSTOP)
            stopped[process.pid, process.start_time] = process
    return list(stopped.values())


def ask_to_end(root: int, marker: bytes) -> None:
    for process in members(root, marker):
        send(process, signal.SIGTERM)
        send(process, signal.SIGCONT)


def end_all(root: int, marker: bytes, has_children: Callable[[], bool], timeout_s: float) -> Ended:
    """Kill until nothing is left. `has_children` reaps and says whether the caller still has any child."""
    deadline = time.monotonic() + timeout_s
    killed: set[int] = set()
    while True:
        found = stop_all(root, marker)
        for process in found:
            send(process, signal.SIGKILL)
            killed.add(process.pid)
        if not has_children() and not found:
            return Ended(frozenset(killed), ())
        if time.monotonic() >= deadline:
            return Ended(frozenset(killed), tuple(process.pid for process in members(root, marker)))
        time.sleep(PAUSE_S)
