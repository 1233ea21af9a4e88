"""The read verbs: what they find, what they say when they do not, and that they need no controller (UI-2)."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchctl.api import kinds
from orchctl.app.read import failures, locate, rows
from orchctl.cli import logs
from tests.unit.cli import ledger_fixture
from tests.unit.cli.conftest import Command

HEAVY = ("pydantic", "pygit2", "ruamel", "rich", "dataclasses", "asyncio", "msgspec", "subprocess", "pathlib", "typing")


@pytest.mark.parametrize(
    "words",
    [
        ["get", "tasks"],
        ["get", "all", "-o", "yaml"],
        ["describe", "add-login"],
        ["why", "add-login"],
        ["events"],
        ["explain", "task.spec"],
        ["api-resources"],
    ],
)
@pytest.mark.usefixtures("ledger")
def test_reads_load_nothing_heavy(words: list[str], repo: Path, state_home: Path) -> None:
    """P8: what a read imports decides how fast it starts."""
    script = (
        "import sys\nfrom orchctl.cli import main\ncode = main.main(sys.argv[2:])\n"
        "print(code, [name for name in sys.argv[1].split(',') if name in sys.modules])"
    )
    environ = dict(os.environ) | {
        "XDG_STATE_HOME": str(state_home),
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
    }
    argv = [sys.executable, "-c", script, ",".join(HEAVY), *words]
    done = subprocess.run(argv, cwd=repo, env=environ, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["gte", "tasks"], 2, "did you mean `orchctl get`?"),
        (["get", "taks"], 2, "did you mean 'task"),
        (["get", "task/add-logn"], 3, "did you mean 'add-login'?"),
        (["get", "task/none-such-thing"], 3, "not found in namespace 'default'"),
        (["describe", "tasks"], 3, "task/tasks not found"),
        (["get", "tasks,sessions", "x"], 2, "KIND/NAME"),
        (["get", "tasks", "-o", "xml"], 2, "invalid choice"),
        (["get"], 2, "required"),
        (["logs", "project/shop"], 2, "has no logs"),
        (["events", "--for", "nothing"], 3, "not found"),
        (["events", "--tail", "0"], 2, "at least 1"),
    ],
)
def test_mistakes_are_one_sentence_and_an_exit_code(words: list[str], code: int, said: str, orchctl: Command) -> None:
    result = orchctl(*words)
    assert result.code == code
    assert result.error.startswith("error: ")
    assert result.error.count("\n") == 1
    assert said in result.error
    assert result.output == ""


def test_outside_a_repository_it_says_git_init(tmp_path: Path, orchctl: Command) -> None:
    result = orchctl("get", "tasks", cwd=tmp_path)
    assert result.code == failures.USAGE
    assert "git init" in result.error


def test_without_a_ledger_lists_are_empty_and_say_why(orchctl: Command) -> None:
    result = orchctl("get", "tasks")
    assert (result.code, result.output) == (0, "")
    assert "orchctl controller" in result.error
    assert json.loads(orchctl("get", "tasks", "-o", "json").output)["items"] == []
    assert orchctl("get", "task/x").code == failures.NOT_FOUND
    assert orchctl("why", "x").code == failures.NOT_FOUND


def test_more_than_a_page_is_listed_in_order(ledger: ledger_fixture.Ledger, orchctl: Command) -> None:
    for number in range(rows.PAGE_ROWS + 50):
        ledger.put("Session", f"many-{number:05}", namespace="bulk")
    listed = orchctl("get", "sessions", "-n", "bulk", "--no-headers").output.splitlines()
    assert len(listed) == rows.PAGE_ROWS + 50
    assert listed == sorted(listed)


def test_nothing_from_an_object_reaches_the_terminal_unsafe(ledger: ledger_fixture.Ledger, orchctl: Command) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jx\u202e\x9b31m"
    status: dict[str, object] = {
        "summary": evil,
        "stage": evil,
        "conditions": [ledger_fixture.condition("Ready", "Unknown", evil, evil)],
        "waiting": {"reason": evil, "message": evil},
        "stages": [{"name": evil, "state": evil, "message": evil}],
    }
    ledger.put("Task", "evil", spec={"prompt": evil}, status=status, because={"rule": "X", "text": evil})
    ledger.events([("Task/default/evil", "Normal", evil, evil, 1)])
    commands = (
        ["get", "tasks", "-o", "wide"],
        ["get", "task/evil", "-o", "json"],
        ["get", "task/evil", "-o", "yaml"],
        ["describe", "evil"],
        ["why", "evil"],
        ["events"],
    )
    for words in commands:
        result = orchctl(*words)
        assert result.code == 0
        unsafe = [character for character in result.output if character != "\n" and not character.isprintable()]
        assert unsafe == [], words


def test_another_schema_is_refused(ledger: ledger_fixture.Ledger, orchctl: Command) -> None:
    ledger._connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    result = orchctl("get", "tasks")
    assert result.code == failures.FAILED
    assert "schema 99" in result.error


def test_a_ledger_that_was_closed_is_read_without_its_wal(ledger: ledger_fixture.Ledger, orchctl: Command) -> None:
    ledger.close()
    assert not ledger.path.with_name("ledger.db-wal").exists()
    assert "add-login" in orchctl("get", "tasks").output


def test_the_repo_is_found_from_a_subfolder_a_linked_worktree_and_a_bare_repo(tmp_path: Path) -> None:
    repo = ledger_fixture.make_repo(tmp_path / "a")
    ledger_fixture.name_repo(repo)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=repo, check=True)
    subprocess.run(["git", "worktree", "add", "-q", str(tmp_path / "linked")], cwd=repo, check=True)
    bare = ledger_fixture.make_repo(tmp_path / "bare.git", bare=True)
    (repo / "deep" / "er").mkdir(parents=True)
    environ = {"XDG_STATE_HOME": str(tmp_path / "s")}

    found = locate.locate(str(repo / "deep" / "er"), environ)
    assert (found.root, found.uid) == (str(repo), ledger_fixture.UID)
    assert found.state_dir == str(tmp_path / "s" / "orchctl" / ledger_fixture.UID)
    linked = locate.locate(str(tmp_path / "linked"), environ)
    assert linked.uid == ledger_fixture.UID
    assert linked.common_dir == str(repo / ".git")
    assert locate.locate(str(bare), environ).worktree is None
    assert locate.locate(str(bare), environ).uid is None


def test_a_relative_state_home_counts_as_unset(tmp_path: Path) -> None:
    repo = ledger_fixture.make_repo(tmp_path / "a")
    found = locate.locate(str(repo), {"XDG_STATE_HOME": "relative", "HOME": str(tmp_path)})
    assert found.state_home == str(tmp_path / ".local" / "state" / "orchctl")


@pytest.mark.usefixtures("ledger")
def test_a_running_controller_is_seen_by_its_lease(repo: Path, state_home: Path, ledger: ledger_fixture.Ledger) -> None:
    place = locate.locate(str(repo), {"XDG_STATE_HOME": str(state_home)})
    assert locate.controller(place) == (False, "")
    with (ledger.state_dir / "lease.lock").open("w") as lease:
        lease.write('{"pid": 1}')
        lease.flush()
        assert locate.controller(place) == (False, "")
        fcntl.flock(lease, fcntl.LOCK_EX)
        assert locate.controller(place) == (True, '{"pid": 1}')


def _write_attempt(ledger: ledger_fixture.Ledger, identifier: str, data: bytes, *, ended: bool) -> Path:
    folder = ledger.state_dir / "sessions" / identifier
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "raw.log").write_bytes(data)
    if ended:
        (folder / "exit.json").write_text("{}")
    return folder


def test_logs_show_every_attempt_in_order_and_made_safe(ledger: ledger_fixture.Ledger, orchctl: Command) -> None:
    _write_attempt(ledger, "uid-add-login.1", b"one\x1b[31m red\n\xff\n", ended=True)
    _write_attempt(ledger, "uid-add-login.2", b"two, no newline", ended=False)
    result = orchctl("logs", "add-login")
    assert result.output == "one red\n\ufffd\ntwo, no newline\n"
    assert result.error.splitlines() == [
        "==> add-login-implement-1 agent (uid-add-login.1)",
        "==> add-login-implement-1 agent (uid-add-login.2)",
        "==> implement check unit (uid-add-login.3)",
    ]
    assert orchctl("logs", "session/add-login-implement-1").output == result.output
    assert orchctl("logs", "add-login-implement-1").output == result.output
    assert orchctl("logs", "add-login", "--raw").output.startswith("one\x1b[31m red")


def test_following_logs_goes_on_to_the_next_attempt_and_ends_with_the_object(
    ledger: ledger_fixture.Ledger, orchctl: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UI-4. The world moves on whenever the command would wait, so nothing here depends on time."""
    _write_attempt(ledger, "uid-add-login.1", b"one\n", ended=True)
    second = _write_attempt(ledger, "uid-add-login.2", b"two ", ended=False)
    steps = iter(("more", "ended", "terminal"))

    def world_moves() -> None:
        match next(steps):
            case "more":
                (second / "raw.log").write_bytes(b"two continued\n")
            case "ended":
                (second / "exit.json").write_text("{}")
                _write_attempt(ledger, "uid-add-login.3", b"three\n", ended=True)
            case _:
                done: dict[str, object] = {
                    "summary": "Merged",
                    "sessions": ["add-login-implement-1"],
                    "conditions": [ledger_fixture.condition("Succeeded", "True", "Merged")],
                    "gates": [{"stage": "implement", "name": "unit", "attemptId": "uid-add-login.3"}],
                }
                ledger.put("Task", "add-login", status=done)

    monkeypatch.setattr(logs, "pause", world_moves)
    with (ledger.state_dir / "lease.lock").open("w") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)
        result = orchctl("logs", "-f", "add-login")
    assert result.code == 0
    assert result.output == "one\ntwo continued\nthree\n"
    assert next(steps, None) is None


def test_following_logs_without_a_controller_ends_and_says_so(ledger: ledger_fixture.Ledger, orchctl: Command) -> None:
    _write_attempt(ledger, "uid-add-login.1", b"one\n", ended=True)
    _write_attempt(ledger, "uid-add-login.2", b"two\n", ended=True)
    _write_attempt(ledger, "uid-add-login.3", b"three\n", ended=True)
    result = orchctl("logs", "-f", "add-login")
    assert result.output == "one\ntwo\nthree\n"
    assert "No controller is running" in result.error


def test_a_reader_that_has_enough_ends_it_quietly(ledger: ledger_fixture.Ledger, repo: Path, state_home: Path) -> None:
    for number in range(3000):
        ledger.put("Session", f"many-{number:05}")
    environ = dict(os.environ) | {
        "XDG_STATE_HOME": str(state_home),
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONUNBUFFERED": "",  # unbuffered, Python itself swallows a write that was cut short
    }
    argv = [sys.executable, "-m", "orchctl", "get", "sessions", "-o", "json"]
    with subprocess.Popen(argv, cwd=repo, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == failures.FAILED


def test_version(orchctl: Command) -> None:
    assert orchctl("version").output == orchctl("--version").output == "orchctl 0.1.0\n"
    assert json.loads(orchctl("version", "-o", "json").output) == {"version": "0.1.0"}


@pytest.mark.parametrize("kind", kinds.KINDS)
@pytest.mark.usefixtures("ledger")
def test_every_kind_can_be_listed_by_every_word_for_it(kind: str, orchctl: Command) -> None:
    row = kinds.KINDS[kind]
    for word in (row.singular, row.plural, *row.short_names):
        assert orchctl("get", word, "-A", "-o", "wide").code == 0
