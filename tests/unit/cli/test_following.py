"""Following a task: it always ends, with the right exit code, and starts a controller only when none is there."""

from __future__ import annotations

import fcntl
import io
import os
import signal
from pathlib import Path

import pytest

from orchctl.app import companion
from orchctl.app.read import failures, locate, progress
from orchctl.cli import following, run
from orchctl.cli.context import Context
from tests.unit.cli import ledger_fixture
from tests.unit.cli.conftest import Command


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")


def _settled(ledger: ledger_fixture.Ledger, name: str, succeeded: str) -> None:
    stalled = "False" if succeeded == "True" else "True"
    ledger.put(
        "Task",
        name,
        status={
            "summary": "Merged" if succeeded == "True" else "Failed",
            "merged": "abcdef1234567890" if succeeded == "True" else "",
            "conditions": [
                ledger_fixture.condition("Succeeded", succeeded, "X"),
                ledger_fixture.condition("Stalled", stalled, "X", "out of attempts"),
            ],
            "stages": [{"name": "implement", "state": "Passed", "startedAt": 1, "endedAt": 2}],
            "gates": [
                {"stage": "implement", "name": "unit", "state": "Failed", "attempt": 1},
                {"stage": "implement", "name": "unit", "state": "Passed", "attempt": 2},
            ],
        },
    )


class _Lease:
    """Stands for a running controller."""

    def __init__(self, state_dir: Path) -> None:
        self._file = (state_dir / "lease.lock").open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_run_ends_with_the_task_and_says_how(ledger: ledger_fixture.Ledger, orchctl: Command) -> None:
    _settled(ledger, "good", "True")
    _settled(ledger, "bad", "False")
    with _Lease(ledger.state_dir):
        good = orchctl("run", "x", "--name", "good")
        bad = orchctl("run", "x", "--name", "bad")
    assert good.code == failures.OK
    assert "implement check unit (run 2): Passed" in good.output
    assert good.output.endswith("task/good Merged as abcdef12\n")
    assert bad.code == failures.TERMINAL
    assert "task/bad is Failed: out of attempts" in bad.output


def test_run_stops_following_in_time(
    ledger: ledger_fixture.Ledger, orchctl: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_timeout_s", lambda _: -1.0)
    with _Lease(ledger.state_dir):
        result = orchctl("run", "x", "--name", "never")
    assert result.code == failures.TIMEOUT
    assert "orchctl logs -f never" in result.error


def test_a_timeout_that_is_none_is_refused_before_anything_is_committed(repo: Path, orchctl: Command) -> None:
    result = orchctl("run", "x", "--timeout", "soon")
    assert result.code == failures.USAGE
    assert "--timeout must be a duration" in result.error
    assert not (repo / "manifests").exists()


def test_run_starts_a_controller_when_none_runs_and_says_how_it_failed(
    orchctl: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the interpreter records how it was called and fails at once."""
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\necho "started with $*"\nexit 9\n')
    stand_in.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(stand_in))
    result = orchctl("run", "Fix it")
    assert result.code == failures.FAILED
    assert "exit code 9" in result.error
    assert "started with -m orchctl controller --until-idle --repo" in result.error
    assert "--ref refs/heads/main" in result.error


def test_an_interrupt_stops_our_controller_and_says_how_to_go_on(
    orchctl: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "python"
    stand_in.write_text(
        f'#!/bin/sh\ntrap "echo > {tmp_path}/stopped; exit 0" TERM\nwhile :; do read x < {tmp_path}/pipe; done\n'
    )
    stand_in.chmod(0o755)
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("sys.executable", str(stand_in))
    held = os.open(tmp_path / "pipe", os.O_RDWR)  # so that the stand-in's read waits until it is told to stop

    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(following, "pause", interrupt)
    monkeypatch.setattr(companion, "STOP_S", 20.0)
    result = orchctl("run", "Fix it")
    os.close(held)
    assert result.code == failures.INTERRUPTED
    assert "orchctl controller" in result.error
    assert "orchctl logs -f fix-it" in result.error


def test_news_are_told_once(ledger: ledger_fixture.Ledger, repo: Path, state_home: Path) -> None:
    place = locate.locate(str(repo), {"XDG_STATE_HOME": str(state_home)})
    first = progress.look(place, "default", "add-login", ledger_fixture.NOW)
    assert first is not None
    assert progress.news(None, first) == ["implement: Running", "implement check unit: Running"]
    assert progress.news(first, first) == []
    waiting = progress.look(place, "default", "wait-here", ledger_fixture.NOW)
    assert waiting is not None
    assert progress.news(None, waiting) == ["waits for Capacity: 1 of 1 sessions in use"]
    assert progress.look(place, "default", "none", ledger_fixture.NOW) is None


def test_a_terminal_gets_a_live_table(ledger: ledger_fixture.Ledger, repo: Path, state_home: Path) -> None:
    _settled(ledger, "good", "True")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    environ = {"XDG_STATE_HOME": str(state_home), "TERM": "xterm"}
    context = Context(screen, io.StringIO(), environ, str(repo), lambda: ledger_fixture.NOW)
    place = locate.locate(str(repo), environ)
    ended = following.follow(place, "default", "good", context, None, 10.0)
    assert ended.view is not None
    assert ended.view.succeeded
    assert "implement check unit" in screen.getvalue()
