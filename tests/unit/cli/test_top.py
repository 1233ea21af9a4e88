"""top, beside real processes: what runs below a shim is counted, and a number that is another's is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchctl.app.read import processes
from orchctl.kit import durations
from tests.unit.cli import ledger_fixture
from tests.unit.cli.conftest import Command

CHILD = "import subprocess, sys; p = subprocess.Popen(['cat'], stdin=sys.stdin); print('ready', flush=True); p.wait()"


@pytest.fixture
def tree() -> Iterator[int]:
    """A process with one child; both end when their input does."""
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        yield parent.pid
        assert parent.stdin is not None
        parent.stdin.close()


def start_time(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[processes.START])


def _attempt(ledger: ledger_fixture.Ledger, attempt: str, pid: int, started: int) -> None:
    folder = ledger.state_dir / "sessions" / attempt
    folder.mkdir(parents=True)
    (folder / "started.json").write_text(json.dumps({"pid": pid, "start_time": started}))
    (folder / "raw.log").write_bytes(b"x" * 2048)
    os.utime(folder / "started.json", (ledger_fixture.NOW - 90, ledger_fixture.NOW - 90))
    ledger.put(
        "Session",
        "fix-implement-1",
        status={"agent": "codex", "attempts": [{"id": attempt, "purpose": "agent", "phase": "Running"}]},
    )


def test_what_runs_below_a_shim_is_counted(tree: int, ledger: ledger_fixture.Ledger, orchctl: Command) -> None:
    _attempt(ledger, "u.1", tree, start_time(tree))
    found = json.loads(orchctl("top", "-o", "json").output)
    running = next(one for one in found["running"] if one["key"].endswith("/fix-implement-1"))
    assert (running["what"], running["outputBytes"], running["processes"]) == ("agent codex", 2048, 1)
    assert running["memoryBytes"] > 0
    said = orchctl("top")
    row = next(line.split() for line in said.output.splitlines() if line.startswith("session/fix-implement-1"))
    assert row[1:6] == ["agent", "codex", "Running", "90s", "1"]
    assert "No controller is running" in said.error


def test_ses_1_a_number_that_is_another_process_by_now_is_not_its_own(
    tree: int, ledger: ledger_fixture.Ledger, orchctl: Command
) -> None:
    _attempt(ledger, "u.1", tree, start_time(tree) + 1)
    assert "Gone" in orchctl("top").output


@pytest.mark.usefixtures("ledger")
def test_tasks_that_wait_are_counted_by_what_for(orchctl: Command) -> None:
    assert orchctl("top").output.startswith("Running: 2   Waiting tasks: 1 for Capacity\n")


def test_nothing_runs_where_no_controller_has_run(orchctl: Command) -> None:
    result = orchctl("top")
    assert (result.code, result.output) == (0, "")
    assert "no controller has run" in result.error


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0"), (1023, "1023"), (1024, "1.0Ki"), (14 * 1024, "14Ki"), (3 * 2**30 // 2, "1.5Gi")]
)
def test_sizes_are_short(size: int, shown: str) -> None:
    assert durations.short_size(size) == shown
