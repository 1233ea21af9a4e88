"""The watcher of make test finds a process however it got away, and ends it."""

import os
import subprocess
import sys
import time

from tests.tidy.sources import ROOT

DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(100)", "escaped"], {})
    os._exit(0)
os.wait()
"""


def watched(*command, limit_s="30"):
    return subprocess.run(
        [sys.executable, str(ROOT / ".setup/watched"), "--limit", limit_s, *command],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_it_passes_on_the_exit_code_and_the_output():
    done = watched("sh", "-c", "echo hello; exit 3")
    assert (done.returncode, done.stdout) == (3, "hello\n")
    assert watched("true").returncode == 0
    assert watched("/no/such/command").returncode == 127


def test_a_daemon_left_behind_fails_the_run_and_is_ended():
    done = watched(sys.executable, "-c", DAEMON)
    assert done.returncode == 1
    assert "was left behind" in done.stderr
    assert "escaped" in done.stderr
    pid = int(done.stderr.split("process ")[1].split()[0])
    assert not os.path.exists(f"/proc/{pid}")


def test_a_command_without_end_is_ended():
    begun = time.monotonic()
    done = watched("sleep", "100", limit_s="0.2")
    assert done.returncode == 1
    assert "did not end within" in done.stderr
    assert time.monotonic() - begun < 30
