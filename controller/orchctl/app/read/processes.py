"""What the processes below one process use, from /proc: read at once, so that no tree is counted half."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STATE, PARENT, USER_TICKS, SYSTEM_TICKS, START, PAGES = 0, 1, 11, 12, 19, 21  # fields of /proc/PID/stat after the name


class Usage:
    """Of a process and all below it."""

    __slots__ = ("cpu_s", "memory", "processes")

    def __init__(self, processes: int, cpu_s: float, memory: int) -> None:
        self.processes = processes
        self.cpu_s = cpu_s
        self.memory = memory


class Table:
    """All processes there are now."""

    def __init__(self, proc: str = "/proc") -> None:
        self._rows = dict(_rows(proc))
        self._below: dict[int, list[int]] = {}
        for pid, fields in self._rows.items():
            self._below.setdefault(int(fields[PARENT]), []).append(pid)
        self._tick = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")

    def usage(self, pid: int, start_time: int) -> Usage | None:
        """Of what runs below that process; None when it is gone or its number is another's by now."""
        fields = self._rows.get(pid)
        if fields is None or int(fields[START]) != start_time:
            return None
        found: dict[int, None] = {}
        pending = list(self._below.get(pid, ()))
        while pending:
            one = pending.pop()
            if one not in found:
                found[one] = None
                pending += self._below.get(one, ())
        rows = [self._rows[one] for one in found if self._rows[one][STATE] != b"Z"]
        ticks = sum(int(row[USER_TICKS]) + int(row[SYSTEM_TICKS]) for row in rows)
        return Usage(len(rows), ticks / self._tick, sum(int(row[PAGES]) for row in rows) * self._page)


def _rows(proc: str) -> Iterator[tuple[int, list[bytes]]]:
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        try:
            with open(f"{proc}/{name}/stat", "rb") as file:
                yield int(name), file.read().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
