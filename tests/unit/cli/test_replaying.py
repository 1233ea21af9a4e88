"""replay, on a ledger that a real machine recorded: deciding again, going back, and what changed between."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from orchctl.core import events
from orchctl.core.kinds import rounds
from orchctl.testing import worlds
from tests.unit.cli import ledger_fixture
from tests.unit.cli.conftest import Command
from tests.unit.cli.test_histories import recorded as recorded

TASK = "task/fix"


@pytest.mark.usefixtures("recorded")
def test_log_3_everything_is_decided_again_as_it_was(orchctl: Command, recorded: worlds.Bench) -> None:
    result = orchctl("replay", "--verify")
    assert (result.code, result.error) == (0, "")
    assert result.output.startswith(f"{len(recorded.log)} events in {recorded.log[-1].turn} turns: every decision")


@pytest.mark.usefixtures("recorded")
def test_log_3_what_this_release_would_decide_otherwise_is_shown(
    orchctl: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(rounds, "passed_text", lambda task: "something else")
        result = orchctl("replay", "--verify")
    assert result.code == 1
    assert "recorded  Explained(" in result.output
    assert "something else" in result.output
    assert "would go otherwise with this release" in result.error


def test_log_3_how_it_stood_at_an_event(orchctl: Command, recorded: worlds.Bench) -> None:
    before = next(one.seq for one in recorded.log if isinstance(one.event, events.TaskStarted))
    landed = next(one.seq for one in recorded.log if isinstance(one.event, events.TaskEnded))
    assert "summary: Pending" in orchctl("replay", "--to", str(before - 1), TASK).output
    assert "summary: Running" in orchctl("replay", "--to", str(before), TASK).output
    assert "summary: Merged" in orchctl("replay", "--to", str(landed), TASK).output
    everything = orchctl("replay", "--to", str(before)).output.splitlines()
    assert everything[0].split() == ["OBJECT", "STATUS", "WHY"]
    assert any(line.startswith("task/fix ") and " Running " in line for line in everything)


def test_log_3_what_changed_between_two_events(
    orchctl: Command, recorded: worlds.Bench, golden: Callable[[str, str], None]
) -> None:
    passed = next(one.seq for one in recorded.log if isinstance(one.event, events.StagePassed))
    result = orchctl("replay", "--diff", str(passed - 1), str(passed))
    assert result.code == 0
    golden("replay-diff.txt", result.output)
    assert orchctl("replay", "--diff", str(passed), str(passed)).output == "Nothing.\n"


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--to", "0"], 2, "there is no event 0: they go from 1 to"),
        (["--to", "5", "task/other"], 3, "task/other was not there at event 5"),
        (["--verify", TASK], 2, "KIND/NAME goes with --to"),
        ([], 2, "one of the arguments --verify --to --diff is required"),
    ],
)
def test_what_cannot_be_replayed_is_said(orchctl: Command, words: list[str], code: int, said: str) -> None:
    result = orchctl("replay", *words)
    assert (result.code, result.output) == (code, "")
    assert said in result.error


def test_without_a_ledger_there_is_nothing_to_replay(orchctl: Command) -> None:
    result = orchctl("replay", "--verify")
    assert result.code == 3
    assert "no controller has run there yet" in result.error


@pytest.mark.usefixtures("recorded")
def test_log_7_a_ledger_that_cannot_be_read_is_one_sentence(orchctl: Command, state_home: Path) -> None:
    db = sqlite3.connect(state_home / "orchctl" / ledger_fixture.UID / "ledger.db", isolation_level=None)
    db.execute("DELETE FROM specs")
    db.close()
    result = orchctl("replay", "--verify")
    assert result.code == 1
    assert re.search("the spec [0-9a-f]{12} is missing", result.error)
    assert "Traceback" not in result.error
