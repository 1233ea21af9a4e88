"""What every test gets, asked or not: its own home, no git settings of the user, and a check that nothing is left.

A test that leaves a child process, a thread or a temporary file behind fails, also when all its asserts held.
Process checks look only at processes that carry this worker's mark or are its children; other people's are not judged.
"""

import os
import shutil
import tempfile
import threading
import time
import uuid
from pathlib import Path

import pytest

pytest_plugins = ["tests.budget_plugin"]

MARK = "ORCHCTL_TEST_MARK"
GRACE_S = 5.0  # what is already dying when a test ends gets this long
POLL_S = 0.01
GITCONFIG = """\
[user]
    name = Test Person
    email = test@example.com
[init]
    defaultBranch = main
[gc]
    auto = 0
[maintenance]
    auto = false
[commit]
    gpgSign = false
[protocol "file"]
    allow = always
"""

_base = pytest.StashKey[Path]()


def isolate(home: Path) -> dict[str, str]:
    """Makes a home with short paths (a unix socket's path may have 108 bytes) and gives the variables leading there."""
    for name in ("t", "r"):
        (home / name).mkdir(parents=True, mode=0o700)
    (home / ".gitconfig").write_text(GITCONFIG)
    return {
        "HOME": str(home),
        "TMPDIR": str(home / "t"),
        "XDG_RUNTIME_DIR": str(home / "r"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }


def pytest_configure(config: pytest.Config) -> None:
    for name in list(os.environ):
        if name.startswith(("GIT_", "ORCHCTL_")):
            del os.environ[name]
    base = Path(tempfile.mkdtemp(prefix="oct-"))
    config.stash[_base] = base
    os.environ[MARK] = uuid.uuid4().hex
    # libgit2 remembers the home it finds when it is first imported, so the home is set before anything is collected.
    os.environ.update(isolate(base / "s") | {"TMPDIR": str(base.parent)})


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_base], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _base_of_tmp_path(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Settles where tmp_path lies before a test's own TMPDIR could draw it in."""
    tmp_path_factory.getbasetemp()


@pytest.fixture(autouse=True)
def _own_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    home = Path(tempfile.mkdtemp(prefix="h", dir=request.config.stash[_base]))
    for name, value in isolate(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(home / "t"))
    yield
    left = sorted(os.listdir(home / "t")) if (home / "t").is_dir() else []
    shutil.rmtree(home, ignore_errors=True)
    if left:
        pytest.fail(f"left in the temporary directory: {', '.join(left[:5])}")


@pytest.fixture(autouse=True)
def _nothing_left_running(_own_home):
    pids, threads = set(processes()), set(threading.enumerate())
    yield
    complaints = [f"process {pid}: {command_of(pid)}" for pid in left_processes(pids)]
    complaints += [f"thread {thread.name}" for thread in left_threads(threads)]
    if complaints:
        pytest.fail("left running: " + "; ".join(complaints[:5]))


def processes() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def left_processes(before: set[int]) -> list[int]:
    deadline = time.monotonic() + GRACE_S
    while left := [pid for pid in processes() if pid not in before and is_ours(pid)]:
        if time.monotonic() > deadline:
            return left
        time.sleep(POLL_S)
    return []


def left_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    deadline = time.monotonic() + GRACE_S
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread for thread in left if thread.is_alive()]


def is_ours(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        state, parent = stat.rpartition(")")[2].split()[:2]
        if int(parent) == os.getpid():
            return True
        return state != "Z" and os.environ[MARK].encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()[:300].replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "(gone)"
