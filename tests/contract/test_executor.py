"""What every executor has to do, over both ways the local one starts shims: by zygote and by a fresh interpreter."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import textwrap

import pytest

from orchctl.adapters.executors import attempt_records
from orchctl.core import ports
from orchctl.core.ids import AttemptId
from tests.contract.executor_place import PATH, WAIT_FOR_GO, Place, alive, carrying, eventually

DAEMON = """
import os, signal, sys, time
def note(pid):
    with open(os.path.join(os.environ["WORK"], "pids"), "a") as file:
        file.write(f"{pid} ")
def daemon(clear_environment=False):
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    note(os.getpid())
    if clear_environment:
        os.execve("/bin/sleep", ["sleep", "300"], {})
    time.sleep(300)
    os._exit(0)
def settled(count):
    path = os.path.join(os.environ["WORK"], "pids")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if os.path.exists(path) and len(open(path).read().split()) >= count:
            return
        time.sleep(0.005)
"""


@pytest.fixture(params=[True, False], ids=["zygote", "cold"])
def place(request, tmp_path):
    made = Place(tmp_path, warm=request.param)
    yield made
    assert made.clean_up() == [], "processes outlived the attempts"


# ------------------------------------------------------------------------------------------------ how attempts end


@pytest.mark.parametrize(("code", "phase"), [(0, ports.Phase.SUCCEEDED), (3, ports.Phase.FAILED), (255, "Failed")])
def test_exit_code_decides_the_phase(place, code, phase):
    observation = place.finish(place.spec("sh", "-c", f"exit {code}"))
    assert (observation.phase, observation.exit_code, observation.signal) == (phase, code, None)


def test_death_by_signal_is_reported_as_the_signal(place):
    observation = place.finish(place.spec("sh", "-c", "kill -SEGV $$"))
    assert (observation.phase, observation.exit_code, observation.signal) == (ports.Phase.FAILED, None, signal.SIGSEGV)


def test_a_program_that_is_not_there_fails_with_127_and_a_sentence(place):
    observation = place.finish(place.spec("no-such-program"))
    assert (observation.phase, observation.exit_code) == (ports.Phase.FAILED, 127)
    assert observation.detail == "cannot run the program 'no-such-program': No such file or directory"


def test_a_program_that_cannot_be_executed_fails_with_126(place):
    (place.work / "data").write_text("not a program")
    observation = place.finish(place.spec(str(place.work / "data")))
    assert (observation.phase, observation.exit_code) == (ports.Phase.FAILED, 126)
    assert "Permission denied" in observation.detail


def test_a_missing_working_directory_is_named_as_the_cause(place):
    place.work.rmdir()
    observation = place.finish(place.spec("true"))
    assert (observation.phase, observation.exit_code) == (ports.Phase.FAILED, 126)
    assert "working directory" in observation.detail


# ------------------------------------------------------------------------------------------- what an attempt is given


def test_the_agent_gets_the_given_environment_and_nothing_of_ours(place, monkeypatch):
    """SES-10"""
    monkeypatch.setenv("OUR_SECRET", "hidden")
    program = "import os, json; print(json.dumps(dict(os.environ)))"
    place.finish(place.python(program))
    got = json.loads(place.output())
    got.pop("LC_CTYPE", None)  # set by the interpreter itself
    assert got == {"PATH": PATH, "WORK": str(place.work), "ORCHCTL_ATTEMPT": place.attempt()}


def test_the_agent_starts_with_clean_descriptors_signals_umask_and_directory(place):
    program = """
    import os, signal, json
    print(json.dumps({
        "handles": sorted(n for n in map(int, os.listdir("/proc/self/fd")) if os.path.exists(f"/proc/self/fd/{n}")),
        "mask": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "ignored": [l.split()[1] for l in open("/proc/self/status") if l.startswith("SigIgn")][0],
        "umask": os.umask(0), "cwd": os.getcwd(), "session": os.getsid(0) == os.getpid(),
    }))
    """
    place.finish(place.python(textwrap.dedent(program)))
    got = json.loads(place.output())
    ignored_by_python = (1 << signal.SIGPIPE - 1) | (1 << signal.SIGXFSZ - 1)
    # glibc keeps 32 and 33 to itself and lets nobody reset them: a parent that used posix_spawn hands them on ignored.
    ignored_by_python |= (1 << 31) | (1 << 32)
    assert got["handles"] == [0, 1, 2]
    assert (got["mask"], int(got["ignored"], 16) & ~ignored_by_python) == (0, 0)
    assert (got["umask"], got["cwd"], got["session"]) == (0o022, str(place.work), True)


def test_a_prompt_of_200_kB_arrives_bit_identical(place):
    """SES-7a"""
    prompt = "".join(chr(33 + i % 90) + "ü\r\n\x1b\x04\x00"[i % 6] for i in range(150_000))
    program = "import sys, hashlib; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
    place.finish(place.python(program, stdin=prompt))
    assert place.output().decode().strip() == hashlib.sha256(prompt.encode()).hexdigest()


# ------------------------------------------------------------------------------------------------------------- output


def test_every_byte_of_output_is_kept_in_order(place):
    program = "import os\nfor i in range(400): os.write(1 + i % 2, bytes([i % 256]) * 10007)"
    observation = place.finish(place.python(program))
    expected = b"".join(bytes([i % 256]) * 10007 for i in range(400))
    assert place.output() == expected
    assert observation.output_bytes == len(expected)
    read = [place.executor.read(place.attempt(), offset, 1 << 20) for offset in range(0, len(expected), 1 << 20)]
    assert b"".join(read) == expected


def test_beyond_the_limit_head_and_tail_are_kept_and_the_cut_is_marked_with_offsets(place):
    """SES-1, SES-12"""
    program = "import os, sys\nfor i in range(20000): sys.stdout.write(f'{i:09d}\\n')"
    observation = place.finish(place.python(program, limit=10_000))
    whole = b"".join(b"%09d\n" % i for i in range(20_000))
    mark = b"\n[orchctl: 190000 bytes cut here, offsets 5000 to 195000 of the output]\n"
    assert place.output() == whole[:5000] + mark + whole[195_000:]
    assert observation.output_bytes == 200_000
    assert not (place.directory() / "tail.ring").exists()


def test_output_counts_on_while_only_the_tail_is_kept(place):
    program = WAIT_FOR_GO + "os.write(1, b'x' * 50_000); until('more'); os.write(1, b'x' * 50_000); until('go')"
    place.start(place.python(program, limit=1000))
    eventually(lambda: place.executor.observe(place.attempt()).output_bytes == 50_000, "first half counted")
    (place.work / "more").touch()
    eventually(lambda: place.executor.observe(place.attempt()).output_bytes == 100_000, "second half counted")
    (place.work / "go").touch()
    assert place.ended(place.attempt()).output_bytes == 100_000


def test_a_secret_that_arrives_in_two_pieces_reaches_no_file(place):
    """SES-10"""
    secret = "sk-Very-Secret-0123456789"
    program = WAIT_FOR_GO + "key = sys.stdin.read()\nos.write(1, b'begin ' + key[:9].encode()); until('go')\n"
    program += "os.write(1, key[9:].encode() + b' end')"
    spec = place.python(program, stdin="-".join(["sk", "Very", "Secret", "0123456789"]), secrets=(secret, "unused"))
    env = (*spec.env, ("API_KEY", secret))
    place.start(ports.AttemptSpec(spec.attempt, spec.argv, spec.cwd, env, spec.stdin, spec.secrets))
    eventually(lambda: place.output().startswith(b"begin "), "the first piece was read")
    (place.work / "go").touch()
    assert place.ended(spec.attempt).phase is ports.Phase.SUCCEEDED
    assert place.output() == b"begin " + b"*" * len(secret) + b" end"
    holders = [p.name for p in place.directory().iterdir() if secret.encode() in p.read_bytes()]
    assert holders == ["stdin"]  # what the caller itself put into the prompt stays a prompt


# ------------------------------------------------------------------------------------------------------- at most once


def test_twenty_submits_at_once_start_one_process(place):
    others = [place.another() for _ in range(3)]
    executors = [place.executor, *others] * 5
    spec = place.spec("sh", "-c", "echo started >>$WORK/starts; cat >/dev/null; exit 5")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda executor: executor.submit(spec), executors))
    eventually(lambda: place.executor.observe(spec.attempt).phase.ended, "the one attempt ended")
    assert (place.work / "starts").read_text() == "started\n"
    assert place.executor.observe(spec.attempt).exit_code == 5
    for other in others:
        other.close()
    eventually(lambda: carrying(place.token) == [], "the shims that came second are gone")


def test_a_submit_after_the_end_only_observes(place):
    spec = place.spec("sh", "-c", "echo started >>$WORK/starts")
    first = place.finish(spec)
    assert place.another().submit(spec) == first
    assert (place.work / "starts").read_text() == "started\n"


def test_a_launch_that_was_only_prepared_is_absent_and_a_later_submit_starts_it(place):
    place.directory().mkdir()
    (place.directory() / "launch.json").write_text("{}")
    assert place.executor.observe(place.attempt()).phase is ports.Phase.ABSENT
    assert place.finish(place.spec("true")).phase is ports.Phase.SUCCEEDED


def test_a_cancel_before_the_shim_started_keeps_the_agent_from_running(place):
    place.directory().mkdir()
    assert place.executor.cancel(place.attempt(), 0).phase is ports.Phase.ABSENT
    observation = place.finish(place.spec("sh", "-c", "touch $WORK/ran"))
    assert observation.phase is ports.Phase.CANCELLED
    assert not (place.work / "ran").exists()


def test_unknown_attempts_are_absent_and_odd_names_are_refused(place):
    assert place.executor.observe(AttemptId("nobody.1")).phase is ports.Phase.ABSENT
    assert place.executor.cancel(AttemptId("nobody.1"), 0).phase is ports.Phase.ABSENT
    assert place.executor.read(AttemptId("nobody.1"), 0, 10) == b""
    assert place.executor.exit_fd(AttemptId("nobody.1")) is None
    for name in ("", "../x", "a/b", ".hidden", "x" * 200):
        with pytest.raises(ports.PermanentError):
            place.executor.observe(AttemptId(name))


def test_list_names_what_runs_and_what_ended(place):
    place.finish(place.spec("true", number=1))
    place.start(place.spec("sleep", "300", number=2))
    found = {observation.attempt: observation.phase for observation in place.executor.list()}
    assert found == {place.attempt(1): ports.Phase.SUCCEEDED, place.attempt(2): ports.Phase.RUNNING}
    place.executor.cancel(place.attempt(2), 0)
    place.executor.forget(place.attempt(2))
    assert place.executor.observe(place.attempt(2)).phase is ports.Phase.CANCELLED


# -------------------------------------------------------------------------------------------------- nothing is left


def test_cancel_lets_the_agent_finish_within_its_grace(place):
    place.start(place.spec("sh", "-c", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done"))
    eventually(lambda: b"ready" in place.output(), "the trap is set")
    observation = place.executor.cancel(place.attempt(), 20)
    assert (observation.phase, observation.exit_code) == (ports.Phase.CANCELLED, 0)
    assert place.output().endswith(b"bye\n")


@pytest.mark.parametrize(
    "tree",
    [
        "daemon(); settled(1); time.sleep(300)",
        "daemon(clear_environment=True); settled(1); time.sleep(300)",
        "signal.signal(15, signal.SIG_IGN); signal.signal(1, signal.SIG_IGN); note(os.getpid()); time.sleep(300)",
        "for _ in range(15): daemon()\nsettled(15); time.sleep(300)",
        "note(os.getpid())\nwhile True:\n    daemon(); time.sleep(0.002)",
        "daemon(); settled(1); os.kill(os.getpid(), signal.SIGSTOP)",
    ],
    ids=["daemon", "daemon-without-environment", "deaf", "many-daemons", "keeps-forking", "stopped"],
)
def test_cancel_ends_the_whole_tree(place, tree):
    """SES-2"""
    place.start(place.python(DAEMON + tree))
    eventually(lambda: len(place.pids()) >= (15 if "15)" in tree else 1), "the tree stands")
    observation = place.executor.cancel(place.attempt(), 0.05)
    assert observation.phase is ports.Phase.CANCELLED
    assert [pid for pid in place.pids() if alive(pid)] == []
    assert carrying(place.token) == []


def test_a_normal_end_leaves_no_daemon_and_keeps_the_exit_code(place):
    """SES-2"""
    observation = place.finish(place.python(DAEMON + "daemon(); daemon(True); settled(2); os._exit(4)"))
    assert (observation.phase, observation.exit_code) == (ports.Phase.FAILED, 4)
    assert len(place.pids()) == 2
    assert [pid for pid in place.pids() if alive(pid)] == []
    assert json.loads((place.directory() / "exit.json").read_text())["killed_leftovers"] == 2


# ------------------------------------------------------------------------------------------------ survival and loss

CONTROLLER = """
import sys, pathlib
from orchctl.adapters.executors.local import LocalExecutor
from orchctl.core.ports import AttemptSpec
sessions, run, work, attempt, warm, program = sys.argv[1:]
executor = LocalExecutor(pathlib.Path(sessions), pathlib.Path(run), warm=warm == "True")
env = (("WORK", work),)
executor.submit(AttemptSpec(attempt, (sys.executable, "-I", "-S", "-c", program), work, env))
print(executor.zygote_pid() or 0, flush=True)
sys.stdin.read()
"""


def test_an_attempt_survives_kill_9_of_the_controller_with_exit_code_and_every_byte(place):
    """SES-1"""
    program = WAIT_FOR_GO + "os.write(1, b'before\\n'); until('go')\n"
    program += "for i in range(300): os.write(1, b'%09d\\n' % i * 1000)\nsys.exit(7)"
    arguments = [place.sessions, place.root / "run", place.work, place.attempt(), place.warm, program]
    controller = subprocess.Popen(
        [sys.executable, "-c", CONTROLLER, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with controller:
        assert controller.stdout is not None
        zygote = int(controller.stdout.readline())
        controller.kill()
    if zygote:
        eventually(lambda: not alive(zygote), "the zygote ends with its owner")
    successor = place.another()
    assert successor.observe(place.attempt()).phase is ports.Phase.RUNNING
    (place.work / "go").touch()
    observation = place.ended(place.attempt(), successor)
    assert (observation.phase, observation.exit_code) == (ports.Phase.FAILED, 7)
    assert place.output() == b"before\n" + b"".join(b"%09d\n" % i * 1000 for i in range(300))
    successor.close()


def shim_pid(place: Place) -> int:
    return int(json.loads((place.directory() / "started.json").read_text())["pid"])


def test_kill_9_of_the_shim_ends_the_agent_and_its_daemons_and_is_never_success(place):
    program = DAEMON + "os.write(1, b'x' * 5000); daemon(); settled(1); time.sleep(300)"
    observation = place.start(place.python(program, limit=1000))
    eventually(lambda: place.pids(), "the daemon stands")
    eventually(lambda: place.executor.observe(place.attempt()).output_bytes == 5000, "the output arrived")
    os.kill(shim_pid(place), signal.SIGKILL)
    eventually(lambda: not alive(observation.pid or 0), "the agent dies with its shim")
    lost = place.executor.observe(place.attempt())
    assert (lost.phase, lost.exit_code, lost.output_bytes) == (ports.Phase.LOST, None, 5000)
    assert lost.detail == "its shim ended without recording an outcome"
    assert [pid for pid in place.pids() if alive(pid)] == []
    assert place.output().startswith(b"x" * 500 + b"\n[orchctl: 4000 bytes cut here")
    assert place.executor.submit(place.python(program)).phase is ports.Phase.LOST


@pytest.mark.parametrize("forged", [{"start_time": 1}, {"boot_id": "another-boot"}])
def test_a_pid_that_is_somebody_elses_by_now_is_lost_and_not_signalled(place, forged):
    """A reused pid or one from before a reboot."""
    with subprocess.Popen(["sleep", "300"]) as stranger:
        started = {
            "boot_id": attempt_records.current_boot_id(),
            "pid": stranger.pid,
            "start_time": attempt_records.process_start_time(stranger.pid),
            "agent_pid": stranger.pid,
        }
        place.directory().mkdir()
        (place.directory() / "launch.json").write_text('{"output_limit": 1000}')
        (place.directory() / "started.json").write_text(json.dumps({**started, **forged}))
        assert place.executor.exit_fd(place.attempt()) is None
        assert place.executor.cancel(place.attempt(), 0).phase is ports.Phase.LOST
        assert stranger.poll() is None
        stranger.kill()


def test_the_exit_descriptor_tells_of_the_end(place):
    place.start(place.python(WAIT_FOR_GO + "until('go')"))
    handle = place.executor.exit_fd(place.attempt())
    assert handle is not None
    assert select.select([handle], [], [], 0)[0] == []
    (place.work / "go").touch()
    assert select.select([handle], [], [], 20)[0] == [handle]
    os.close(handle)
    assert place.executor.observe(place.attempt()).phase is ports.Phase.SUCCEEDED
