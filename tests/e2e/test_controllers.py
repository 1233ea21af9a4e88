"""Controllers that come, go, are killed, meet each other and have nothing to do (SES-1, UI-2)."""

from __future__ import annotations

import os
import pathlib
import signal
import time

import pytest

from tests.e2e import sandbox

END_S = 10.0
IDLE_S = 3.0
IDLE_SHARE_MAX = 0.05  # of one core
LINES = 3000


def _counting(box: sandbox.Sandbox) -> tuple[pathlib.Path, pathlib.Path]:
    """A task whose agent counts its runs, prints, waits for a file, prints again. Returns the count and the file."""
    runs, go = box.root / "runs", box.root / "go"
    say = ["run", "sh", "-c", f'"seq {LINES}"']
    box.write(
        "manifests/fix.yaml",
        sandbox.task(f"append {runs} run", " ".join(say), f"wait-for {go} 60", " ".join(say), sandbox.FIX),
    )
    box.commit("Start")
    return runs, go


def _raw_log(box: sandbox.Sandbox) -> str:
    return box.orchctl("logs", "session/fix-implement-1", "--raw")


def _until_printed(box: sandbox.Sandbox) -> None:
    def printed() -> bool:
        return any(f"{LINES}\n" in path.read_text() for path in box.state.glob("sessions/*/raw.log"))

    sandbox.until(printed, "the agent has printed its first half")


def test_a_second_controller_says_who_holds_the_lease(box: sandbox.Sandbox) -> None:
    box.commit("Start")
    with box.controller() as first:
        done = box.python("-m", "orchctl", "controller")
        assert done.returncode == 8
        assert str(first.pid) in done.stderr
        assert str(box.repo) in done.stderr
        assert "Traceback" not in done.stderr
        assert first.poll() is None


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ses_1_an_agent_outlives_its_controller_and_is_taken_over(box: sandbox.Sandbox, how: signal.Signals) -> None:
    """One run, every byte of its output, merged by the next controller."""
    runs, go = _counting(box)
    with box.controller() as first:
        _until_printed(box)
        (agent,) = sandbox.agents(box.root)
        begun = time.monotonic()
        first.send_signal(how)
        code = first.wait(END_S)
        assert time.monotonic() - begun < END_S
    assert code == (-signal.SIGKILL if how == signal.SIGKILL else 0), box.log
    assert "Traceback" not in box.log
    assert sandbox.agents(box.root) == [agent], "stopping a controller stops no agent"
    go.touch()
    box.until_idle()
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    assert runs.read_text().split() == ["run"]
    lines = _raw_log(box).splitlines()
    numbers = [line for line in lines if line.isdigit()]
    assert numbers == [str(number) for number in range(1, LINES + 1)] * 2
    assert lines[-2] == "replaced in greet.sh", "the last line is the commit's"


def test_ses_1_an_agent_that_ended_while_no_controller_ran_is_taken_up(box: sandbox.Sandbox) -> None:
    runs, go = _counting(box)
    with box.controller() as first:
        _until_printed(box)
        first.kill()
        first.wait(END_S)
    go.touch()
    sandbox.until(lambda: list(box.state.glob("sessions/*/exit.json")), "the agent has ended")
    sandbox.until(lambda: sandbox.agents(box.root) == [], "nothing of it runs")
    box.until_idle()
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    assert runs.read_text().split() == ["run"]


def test_ses_1_a_task_removed_while_no_controller_ran_is_stopped_by_the_next(box: sandbox.Sandbox) -> None:
    written = box.root / "written"
    box.write("manifests/fix.yaml", sandbox.task("write half.txt done", f"append {written} yes", "hang"))
    box.commit("Start")
    with box.controller() as first:
        sandbox.until(written.exists, "the agent has written")
        first.kill()
        first.wait(END_S)
    box.git("rm", "-q", "manifests/fix.yaml")
    box.commit("Never mind")
    box.until_idle()
    assert sandbox.agents(box.root) == []
    assert box.seen("Task", "fix") == {}
    assert "done" in box.kept("half.txt")


def test_a_controller_with_nothing_to_do_does_nothing(box: sandbox.Sandbox) -> None:
    """Not a row in the ledger, not a status file touched, next to no CPU, in more than one poll of git."""
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX))
    box.commit("Start")
    with box.controller() as running:
        box.until_summary("fix", "Merged")
        sandbox.until(lambda: box.summary("fix", "Worktree") == "Removed", "its worktree is gone")
        _settled(box)
        head, files, used = _head(box), _files(box), _cpu_s(running.pid)
        begun = time.monotonic()
        sandbox.until(lambda: time.monotonic() - begun >= IDLE_S, "the time of watching")
        took_s = time.monotonic() - begun
        assert _head(box) == head
        assert _files(box) == files
        assert (_cpu_s(running.pid) - used) / took_s < IDLE_SHARE_MAX


def _settled(box: sandbox.Sandbox) -> None:
    """The end of what follows a merge: no effect is open any more."""

    def quiet() -> bool:
        before = _head(box)
        begun = time.monotonic()
        sandbox.until(lambda: time.monotonic() - begun > 0.5 or _head(box) != before, "half a second")
        return _head(box) == before

    sandbox.until(quiet, "nothing follows any more")


def _head(box: sandbox.Sandbox) -> int:
    return int(box.select("SELECT max(seq) FROM events")[0][0])


def _files(box: sandbox.Sandbox) -> dict[str, tuple[int, int]]:
    found = {path: path.stat() for path in (box.repo / ".orchctl/status").rglob("*.yaml")}
    return {str(path): (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


def _cpu_s(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
