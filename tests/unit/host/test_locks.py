"""One controller for a ledger, and none that acts while the git processes of the one before still run."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchctl.adapters.host import locks

DEADLINE_S = 30
ROUNDS = 20
STARTER = """
import sys
from pathlib import Path
from orchctl.adapters.host import locks
for name in sys.stdin:
    try:
        held = locks.take_lease(Path(sys.argv[1]) / name.strip(), {"pid": sys.argv[2]})
        print("won", flush=True)
    except locks.Held as error:
        print(error, flush=True)
"""
HOLDER = """
import sys
from pathlib import Path
from orchctl.adapters.host import locks
held = locks.take_lease(Path(sys.argv[1]), {"pid": "first"})
print("won", flush=True)
sys.stdin.readline()
"""
# As a controller does: takes the effects lock, starts a child that inherits it, and is gone before the child.
PARENT = """
import subprocess, sys
from pathlib import Path
from orchctl.adapters.host import locks
held = locks.take_effects(Path(sys.argv[1]), 1.0)
subprocess.Popen(["cat"], stdin=int(sys.argv[2]), stdout=subprocess.DEVNULL, pass_fds=[held])
print("started", flush=True)
"""


def python(code: str, *arguments: str, inherits: tuple[int, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=inherits,
    )


def line(process: subprocess.Popen[str], said: str | None = None) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    if said is not None:
        process.stdin.write(f"{said}\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PEEK_GRACE_S", 0.05)
    return


def test_of_three_starters_exactly_one_wins_each_time(tmp_path: Path) -> None:
    impatient = STARTER.replace("for name in", "locks.PEEK_GRACE_S = 0.05\nfor name in")
    starters = [python(impatient, str(tmp_path), str(n)) for n in range(3)]
    for number in range(ROUNDS):
        for starter in starters:
            assert starter.stdin is not None
            starter.stdin.write(f"{number}.lock\n")
            starter.stdin.flush()
        said = [line(starter) for starter in starters]
        assert sorted(word == "won" for word in said) == [False, False, True], said
        assert all("another controller holds" in word for word in said if word != "won")
    for starter in starters:
        starter.communicate(timeout=DEADLINE_S)


def test_the_loser_is_told_who_holds_it(tmp_path: Path, quick: None) -> None:
    path = tmp_path / "lease.lock"
    held = locks.take_lease(path, {"pid": 4711, "repo": "/r"})
    with pytest.raises(locks.Held, match="4711"):
        locks.take_lease(path, {"pid": 4712})
    assert json.loads(path.read_text()) == {"pid": 4711, "repo": "/r"}
    os.close(held)
    os.close(locks.take_lease(path, {"pid": 1}))
    assert json.loads(path.read_text()) == {"pid": 1}


def test_a_killed_holder_leaves_the_lease_free(tmp_path: Path) -> None:
    path = tmp_path / "lease.lock"
    with python(HOLDER, str(path)) as holder:
        assert line(holder) == "won"
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(DEADLINE_S)
    os.close(locks.take_lease(path, {"pid": "second"}))
    assert json.loads(path.read_text()) == {"pid": "second"}


def test_no_child_of_the_holder_keeps_the_lease(tmp_path: Path) -> None:
    path = tmp_path / "lease.lock"
    held = locks.take_lease(path, {"pid": 1})
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        os.close(held)
        os.close(locks.take_lease(path, {"pid": 2}))
        child.communicate(timeout=DEADLINE_S)


def test_a_readers_peek_fails_no_starter(tmp_path: Path) -> None:
    """A reader looks with a shared lock; the starter waits for it to be gone."""
    path = tmp_path / "lease.lock"
    path.touch()
    reader = os.open(path, os.O_RDONLY)
    fcntl.flock(reader, fcntl.LOCK_SH)
    timer = threading.Timer(0.1, os.close, [reader])
    timer.start()
    try:
        os.close(locks.take_lease(path, {"pid": 1}))
    finally:
        timer.join()


def test_the_effects_lock_is_held_as_long_as_a_child_that_inherited_it_lives(tmp_path: Path) -> None:
    path = tmp_path / "effects.lock"
    child_input, alive = os.pipe()
    with python(PARENT, str(path), str(child_input), inherits=(child_input,)) as parent:
        assert line(parent) == "started"
        parent.communicate(timeout=DEADLINE_S)
    os.close(child_input)
    with pytest.raises(locks.Held, match="git processes of an earlier controller still run"):
        locks.take_effects(path, 0.1)
    os.close(alive)  # the child reads the end of its input and ends
    os.close(locks.take_effects(path, DEADLINE_S))
