"""What runs now, for how long and at what cost, and what waits for what: the numbers behind `orchctl top`.

What runs is what the ledger says; what it uses is what /proc says of the processes below its shim.
"""

from __future__ import annotations

import collections
import json
import os

from orchctl.app.read import body, processes, resources
from orchctl.kit import durations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchctl.app.read.rows import Reader

TITLES = ("OBJECT", "RUNS", "STATE", "FOR", "PROCESSES", "CPU", "MEMORY", "OUTPUT")
UNKNOWN = "<unknown>"
RUNNING = "Running"
STARTED_FILE = "started.json"


class Running:
    """One attempt under way."""

    __slots__ = ("attempt", "key", "output_bytes", "since", "usage", "what")

    def __init__(self, key: str, what: str, attempt: str) -> None:
        self.key = key
        self.what = what
        self.attempt = attempt
        self.since: float | None = None
        self.usage: processes.Usage | None = None
        self.output_bytes = 0

    def cells(self, now: float) -> tuple[str, ...]:
        age = durations.short_age(now - self.since) if self.since is not None else UNKNOWN
        label, output = resources.label_of(self.key), durations.short_size(self.output_bytes)
        if self.usage is None:
            return (label, self.what, "Gone", age, UNKNOWN, UNKNOWN, UNKNOWN, output)
        memory = durations.short_size(self.usage.memory)
        return (label, self.what, RUNNING, age, str(self.usage.processes), f"{self.usage.cpu_s:.1f}s", memory, output)


def running(reader: Reader, state_dir: str) -> list[Running]:
    """Every attempt the ledger holds for running, by object."""
    found = [*_sessions(reader), *_checks(reader)]
    table = processes.Table()
    for one in found:
        _look(one, os.path.join(state_dir, "sessions", one.attempt), table)
    return sorted(found, key=lambda one: (one.key, one.attempt))


def waiting(reader: Reader) -> dict[str, int]:
    """How many tasks wait, by what for."""
    counts: collections.Counter[str] = collections.Counter()
    for record in reader.objects("Task", None):
        status = body.of(record).at("status")
        reason = status.at("waiting").text("reason")
        if reason and not body.is_terminal(status):
            counts[reason] += 1
    return dict(sorted(counts.items()))


def _sessions(reader: Reader) -> Iterator[Running]:
    for record in reader.objects("Session", None):
        status = body.of(record).at("status")
        for attempt in status.each("attempts"):
            if attempt.text("phase") == RUNNING:
                agent = f"agent {status.text('agent')}"
                what = agent if attempt.text("purpose") == "agent" else attempt.text("purpose")
                yield Running(record.key, what, attempt.text("id"))


def _checks(reader: Reader) -> Iterator[Running]:
    for record in reader.objects("Task", None):
        for gate in body.of(record).at("status").each("gates"):
            if gate.text("state") == RUNNING and gate.text("attemptId"):
                yield Running(record.key, f"check {gate.text('name')}", gate.text("attemptId"))


def _look(one: Running, folder: str, table: processes.Table) -> None:
    """What the shim wrote of itself leads to its processes; a shim that wrote nothing is not there yet."""
    try:
        path = os.path.join(folder, STARTED_FILE)
        one.since = os.stat(path).st_mtime
        with open(path, encoding="utf-8") as file:
            started = body.Body(json.load(file))
        one.output_bytes = os.stat(os.path.join(folder, "raw.log")).st_size
    except (OSError, ValueError):
        return
    pid, start_time = started.text("pid"), started.text("start_time")
    if pid.isdigit() and start_time.isdigit():
        one.usage = table.usage(int(pid), int(start_time))
