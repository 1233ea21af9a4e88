"""Who may write to a ledger, and what happens when it cannot be: fencing, killed commits, full and bad disks."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchctl.adapters.ledger import anchor, errors, reserve, store
from orchctl.core import events, replay
from orchctl.core.ids import Key
from orchctl.core.state import State
from tests.contract import damaged_ledgers

STARTERS, ROUNDS = 3, 200
DEADLINE_S = 60
RESERVE_BYTES = 64 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[store.Ledger]:
    opened = store.Ledger(path, reserve.Reserve(path.with_name("reserve"), RESERVE_BYTES))
    opened.begin_epoch()
    yield opened
    opened.close()


def append(ledger: store.Ledger, seq: int, said: str = "x") -> None:
    event = events.ObjectRejected(Key(f"Role/default/r{seq}"), path=said, problems=())
    ledger.append([events.Recorded(seq, seq, events.Now(1.0, 1.0), event)], [], [], State(seq=seq, turn=seq))


def seqs(path: Path) -> list[int]:
    ledger = store.Ledger(path)
    found = [one.seq for one in ledger.read()]
    ledger.close()
    return found


# --- F21: one writer --------------------------------------------------------------------------------------------


def test_f21_whoever_began_earlier_may_write_nothing_more(path: Path, ledger: store.Ledger) -> None:
    append(ledger, 1)
    later = store.Ledger(path)
    assert later.begin_epoch() == 2
    with pytest.raises(errors.Fenced, match=r"another controller \(epoch 2\) owns"):
        append(ledger, 2)
    with pytest.raises(errors.LedgerError, match="epoch 2"):
        ledger.set_meta(ref="refs/heads/other")
    append(later, 2, "of the later one")
    later.close()
    assert seqs(path) == [1, 2]


STARTER = """
import os, sys
from pathlib import Path
from orchctl.adapters.host import locks
from orchctl.adapters.ledger import store, errors
from orchctl.core import events
from orchctl.core.ids import Key
from orchctl.core.state import State
locks.PEEK_GRACE_S = 0.0
folder = Path(sys.argv[1])
for line in sys.stdin:
    try:
        lease = locks.take_lease(folder / "lease.lock", {"pid": os.getpid()})
    except locks.Held:
        print("held", flush=True)
        sys.stdin.readline()
        continue
    ledger = store.Ledger(folder / "ledger.db")
    epoch, state = ledger.begin_epoch(), ledger.state()
    event = events.ControllerStarted(Key("Source//control"), release=str(os.getpid()))
    ledger.append([events.Recorded(state.seq + 1, epoch, events.Now(1.0, 1.0), event)], [], [],
                  State(seq=state.seq + 1, turn=epoch, wall=0.0))
    print("won", epoch, flush=True)
    sys.stdin.readline()
    ledger.close()
    os.close(lease)
    print("left", flush=True)
"""


@pytest.mark.slow
def test_f21_of_three_that_start_at_once_one_writes_each_time(path: Path) -> None:
    path.parent.mkdir(parents=True)
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, str(path.parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(STARTERS)
    ]
    winners = []
    try:
        for number in range(ROUNDS):
            answers = _each(starters, "go")
            won = [answer for answer in answers if answer.startswith("won")]
            assert won == [f"won {number + 1}"], answers
            winners.append(answers.index(won[0]))
            for starter, answer in zip(starters, answers, strict=True):
                _tell(starter, "end")
                if answer.startswith("won"):
                    assert _answer(starter) == "left"
    finally:
        for starter in starters:
            assert starter.stdin is not None
            assert starter.stdout is not None
            starter.stdin.close()
            starter.stdout.close()
            starter.wait(DEADLINE_S)
    print(f"{ROUNDS} rounds, won by each: {[winners.count(n) for n in range(STARTERS)]}")
    assert seqs(path) == list(range(1, ROUNDS + 1))
    assert damaged_ledgers.told(path) == []


def _each(starters: list[subprocess.Popen[str]], word: str) -> list[str]:
    for starter in starters:
        _tell(starter, word)
    return [_answer(starter) for starter in starters]


def _tell(starter: subprocess.Popen[str], word: str) -> None:
    assert starter.stdin is not None
    starter.stdin.write(f"{word}\n")
    starter.stdin.flush()


def _answer(starter: subprocess.Popen[str]) -> str:
    assert starter.stdout is not None
    return starter.stdout.readline().strip()


# --- kills around the anchor ------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from orchctl.adapters.ledger import anchor, store
from tests.contract.test_ledger_writers import append
moment, number = sys.argv[2], int(sys.argv[3])
ledger = store.Ledger(Path(sys.argv[1]))
ledger.begin_epoch()
write, pwrite = anchor.AnchorFile.write, os.pwrite
left = number
def counted(self, mark):
    global left
    left -= 1
    if left == 0 and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    if left == 0 and moment == "torn":
        os.pwrite = lambda fd, data, at: (pwrite(fd, data[: len(data) // 2], at), os.kill(os.getpid(), signal.SIGKILL))
    write(self, mark)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
anchor.AnchorFile.write = counted
for seq in range(1, 100):
    append(ledger, seq)
"""


@pytest.mark.parametrize("moment", ["before", "torn", "after"])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_f1_a_kill_between_commit_and_anchor_never_keeps_the_next_from_starting(
    path: Path, moment: str, number: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), moment, str(number)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    mark = anchor.read(path.with_name("anchor"))
    assert mark is not None
    assert mark.seq == (number if moment == "after" else number - 1)
    assert seqs(path) == list(range(1, number + 1))
    ledger = store.Ledger(path)
    ledger.begin_epoch()
    append(ledger, number + 1)
    ledger.close()


def test_f1_a_kill_before_there_is_an_anchor_leaves_a_beginning(path: Path) -> None:
    store.create(path)
    ledger = store.Ledger(path)
    append(ledger, 1)
    ledger.close()
    assert seqs(path) == [1]


# --- F10, F11: the disk -----------------------------------------------------------------------------------------


def fill(ledger: store.Ledger, spare_pages: int) -> None:
    """No more pages than that: SQLite then answers as on a full disk."""
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count={pages + spare_pages}")


def test_f10_a_full_disk_is_written_to_with_the_space_set_aside(
    path: Path, ledger: store.Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(ledger, 1)
    assert ledger.reserve.is_there
    plain = ledger.reserve.release

    def release() -> bool:
        fill(ledger, 1_000)
        return plain()

    monkeypatch.setattr(ledger.reserve, "release", release)
    fill(ledger, 0)
    append(ledger, 2, "y" * 100_000)
    assert not ledger.reserve.is_there
    append(ledger, 3)
    assert ledger.reserve.make()
    assert seqs(path) == [1, 2, 3]


def test_f10_without_any_space_nothing_is_half_recorded_and_the_next_start_goes_on(
    path: Path, ledger: store.Ledger
) -> None:
    append(ledger, 1)
    fill(ledger, 0)
    with pytest.raises(errors.DiskFull, match=r"the disk of .*ledger\.db is full: .* make room and start again"):
        append(ledger, 2, "y" * 100_000)
    with pytest.raises(errors.LedgerError, match="is full"):
        append(ledger, 2)
    assert seqs(path) == [1]
    again = store.Ledger(path)
    again.begin_epoch()
    append(again, 2, "y" * 100_000)
    again.close()
    assert seqs(path) == [1, 2]


def test_f10_space_is_set_aside_only_where_there_is_twice_as_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_aside = reserve.Reserve(tmp_path / "reserve", RESERVE_BYTES)
    assert set_aside.make()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= RESERVE_BYTES
    assert set_aside.release()
    assert not set_aside.release()

    def none_left(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", none_left)
        assert not set_aside.make()
    assert list(tmp_path.iterdir()) == []
    huge = reserve.Reserve(tmp_path / "huge", 2**60)
    assert not huge.make()


FAILING = """
import resource, sys
from pathlib import Path
from orchctl.adapters.ledger import errors, store
from tests.contract.test_ledger_writers import append
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
ledger = store.Ledger(path)
ledger.begin_epoch()
append(ledger, 1)
size = path.with_name("ledger.db-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 9000, resource.RLIM_INFINITY))
said = []
for attempt in range(2):
    try:
        append(ledger, 2, "y" * 100_000)
    except errors.LedgerError as error:
        said.append(str(error))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
try:
    append(ledger, 2)
except errors.LedgerError as error:
    said.append(str(error))
print("\\n".join(said))
"""


def test_f11_after_a_failed_write_nothing_is_tried_again_and_what_was_acknowledged_is_there(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILING, str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    said = done.stdout.splitlines()
    assert len(said) == 3
    assert len({*said}) == 1
    assert "ledger.db cannot be written: disk I/O error" in said[0]
    assert seqs(path) == [1]


def test_f11_a_commit_that_fails_is_an_end_also_for_settings(ledger: store.Ledger, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger._db.execute("PRAGMA busy_timeout=0")
    with pytest.raises(errors.LedgerError, match="cannot be written: database is locked"):
        ledger.set_meta(ref="x")
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(errors.LedgerError, match="database is locked"):
        append(ledger, 1)
    assert replay.fold(State(), ledger.read()) == State()
