"""The shim: runs one attempt, keeps its output and its outcome, and leaves nothing of it running.

Forked by the zygote or started by file path (`shim.py run DIR`); it needs nobody afterwards, so the controller may be
killed or upgraded at any time (SES-1). `shim.py sweep DIR` ends what a killed shim left and records the loss. It must
never start an attempt twice: the lock is taken first, and `started.json` is durable before the agent is let go.
The environment and the secrets come on descriptor 0, in memory, so that no file ever holds them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import signal
import sys
import time
from typing import NoReturn

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from orchctl.shim import capture, kernel, records, tree

F_SETPIPE_SZ = 1031
PIPE_BYTES = 1 << 20
READ_BYTES = 1 << 18
LOCK_TIMEOUT_S = 2.0
KILL_TIMEOUT_S = 30.0
GRACE_S_DEFAULT = 10.0  # for a SIGTERM that did not come from the executor, say a machine shutting down
NOT_EXECUTABLE, NOT_FOUND = 126, 127  # as a shell reports them
EXIT_LOCKED = 75


def read_private() -> records.Record:
    data = b""
    while piece := os.pread(0, READ_BYTES, len(data)):
        data += piece
    found = json.loads(data)
    assert isinstance(found, dict), "the private part of a launch is an object"
    return found


class Child:
    """The agent's process: forked at once, let go to exec only when the record of its start is durable."""

    def __init__(self, directory: str, launch: records.Record, environment: dict[str, str], output: int) -> None:
        argv = launch["argv"]
        assert isinstance(argv, list), "argv is a list"
        self._program = str(argv[0])
        gate_read, self._gate = os.pipe()
        self._failure, failure_write = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._gate)
                self._become(directory, launch, environment, (output, gate_read, failure_write, parent))
            finally:
                os._exit(NOT_EXECUTABLE)
        os.close(gate_read)
        os.close(failure_write)

    @staticmethod
    def _become(
        directory: str, launch: records.Record, environment: dict[str, str], handles: tuple[int, int, int, int]
    ) -> NoReturn:
        output, gate, failure, parent = handles
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(NOT_EXECUTABLE)
        os.setsid()
        stdin = os.open(os.path.join(directory, records.STDIN), os.O_RDONLY)
        # Above all that is in use first, then down to fixed places, so that none overwrites another.
        failure, gate, output, stdin = (
            fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, 100) for handle in (failure, gate, output, stdin)
        )
        for number, handle in enumerate((stdin, output, output)):
            os.dup2(handle, number)
        os.dup2(failure, 3, inheritable=False)
        os.dup2(gate, 4, inheritable=False)
        os.closerange(5, os.sysconf("SC_OPEN_MAX"))
        for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError):  # the C library keeps two for itself
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.umask(0o022)
        if not os.read(4, 1):
            os._exit(NOT_EXECUTABLE)
        step = "enter"
        try:
            os.chdir(str(launch["cwd"]))
            step = "run"
            argv = launch["argv"]
            assert isinstance(argv, list), "argv is a list"
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - running what the spec names is the purpose
        except OSError as error:
            os.write(3, json.dumps([step, error.errno, error.strerror]).encode())
        os._exit(NOT_EXECUTABLE)

    def let_go(self) -> tuple[int, str] | None:
        """Start the program; on failure the exit code a shell would give, and a sentence."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._gate, b"g")
        os.close(self._gate)
        data = os.read(self._failure, 4096)
        os.close(self._failure)
        if not data:
            return None
        step, number, text = json.loads(data)
        missing = number == errno.ENOENT and step == "run"
        what = f"the program {self._program!r}" if step == "run" else "the working directory"
        return (NOT_FOUND if missing else NOT_EXECUTABLE), f"cannot {step} {what}: {text}"


class Attempt:
    def __init__(self, directory: str, launch: records.Record, private: records.Record) -> None:
        environment, secrets, limit = private["env"], private["secrets"], launch["output_limit"]
        assert isinstance(environment, dict), "env is an object"
        assert isinstance(secrets, list), "secrets is a list"
        assert isinstance(limit, int), "output_limit is a number"
        self._directory = directory
        attempt = os.path.basename(directory)
        self._marker = f"{records.MARKER}={attempt}".encode()
        self._redactor = capture.Redactor(secrets)
        self._log = capture.OutputLog(directory, limit)
        self._launch = launch
        self._environment = {**environment, records.MARKER: attempt}
        self._status: int | None = None
        self._cancelled = False
        self._kill_at: float | None = None
        self._agent = -1

    def run(self) -> None:
        self._wake = self._catch_signals()
        self._output, write_end = os.pipe()
        with contextlib.suppress(OSError):  # a bigger pipe is only faster
            fcntl.fcntl(self._output, F_SETPIPE_SZ, PIPE_BYTES)
        child = Child(self._directory, self._launch, self._environment, write_end)
        os.close(write_end)
        os.set_blocking(self._output, False)
        self._agent = child.pid
        self._record_start()
        self._read_cancel()
        failure = None
        if not self._cancelled:
            failure = child.let_go()
            self._follow()
        self._finish(failure)

    def _catch_signals(self) -> int:
        read_end, write_end = os.pipe()
        for handle in (read_end, write_end):
            os.set_blocking(handle, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._cancel(GRACE_S_DEFAULT))
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        return read_end

    def _record_start(self) -> None:
        own, agent = tree.look(os.getpid()), tree.look(self._agent)
        assert own is not None, "we run"
        assert agent is not None, "an unreaped child has an entry"
        records.write(
            self._directory,
            records.STARTED,
            {
                "protocol": records.PROTOCOL,
                "boot_id": records.boot_id(),
                "pid": own.pid,
                "start_time": own.start_time,
                "agent_pid": agent.pid,
                "agent_start_time": agent.start_time,
            },
        )

    def _read_cancel(self) -> None:
        if os.path.exists(os.path.join(self._directory, records.CANCEL)):
            self._cancel(GRACE_S_DEFAULT)

    def _cancel(self, grace_s: float) -> None:
        """The executor leaves the grace in a file; the signal only wakes. A later, shorter grace wins."""
        with contextlib.suppress(OSError, ValueError):
            asked = (records.read(self._directory, records.CANCEL) or {}).get("grace_s", grace_s)
            grace_s = max(float(str(asked)), 0.0)
        kill_at = time.monotonic() + grace_s
        self._kill_at = kill_at if self._kill_at is None else min(self._kill_at, kill_at)
        self._cancelled = True

    def _has_children(self) -> bool:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._agent:
                self._status = status

    def _follow(self) -> None:
        """Keep the output until the agent ends or its grace after a cancel is over."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        asked = False
        while self._has_children() and self._status is None:
            if self._kill_at is not None and not asked:
                tree.ask_to_end(os.getpid(), self._marker)
                asked = True
            remaining_s = None if self._kill_at is None else self._kill_at - time.monotonic()
            if remaining_s is not None and remaining_s <= 0:
                return
            for handle, _ in poll.poll(None if remaining_s is None else remaining_s * 1000 + 1):
                if handle == self._output and not self._take():
                    poll.unregister(self._output)
                elif handle == self._wake:
                    os.read(self._wake, READ_BYTES)

    def _take(self) -> bool:
        """One piece of output; False at its end."""
        data = os.read(self._output, READ_BYTES)
        self._log.write(self._redactor.feed(data))
        return bool(data)

    def _finish(self, failure: tuple[int, str] | None) -> None:
        cancelled = self._cancelled and failure is None
        ended = tree.end_all(os.getpid(), self._marker, self._has_children, KILL_TIMEOUT_S)
        with contextlib.suppress(BlockingIOError):  # a descriptor given away to a stranger keeps the pipe open
            while self._take():
                pass
        self._log.write(self._redactor.finish())
        self._log.finish()
        code = os.waitstatus_to_exitcode(self._status) if self._status is not None else None
        detail = failure[1] if failure else self._log.problem
        if ended.survivors:
            detail = f"processes {list(ended.survivors)} could not be killed"
        records.write_exit(
            self._directory,
            {
                "exit_code": failure[0] if failure else code if code is not None and code >= 0 else None,
                "signal": -code if code is not None and code < 0 and not failure else None,
                "cancelled": cancelled,
                "output_bytes": self._log.total,
                "cut": self._log.cut,
                "killed_leftovers": len(ended.killed - {self._agent}),
                "detail": detail,
            },
        )


def began(directory: str) -> bool:
    return any(os.path.exists(os.path.join(directory, name)) for name in (records.STARTED, records.EXIT))


def run(directory: str) -> int:
    # Looked at before too: whoever comes second need not wait for a lock that is kept as long as the attempt lives.
    if began(directory) or records.take_lock(directory, LOCK_TIMEOUT_S) is None:
        return EXIT_LOCKED
    if began(directory):
        return EXIT_LOCKED
    private = read_private()
    launch = records.read(directory, records.LAUNCH)
    assert launch is not None, "the executor writes the launch record first"
    settle(directory)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # keeps the secrets in our memory from the agent
    records.reserve_exit(directory)
    Attempt(directory, launch, private).run()
    return 0


def settle(directory: str) -> None:
    """Let go of everything the starter had: its terminal, its directory, its descriptors."""
    os.umask(0o077)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDONLY)
    complaints = os.open(os.path.join(directory, "shim.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(complaints, 1)
    os.dup2(complaints, 2)
    os.close(null)
    os.close(complaints)


def sweep(directory: str) -> int:
    """End what a killed shim left running and record that the attempt is lost."""
    if records.take_lock(directory, LOCK_TIMEOUT_S) is None:
        return EXIT_LOCKED
    if os.path.exists(os.path.join(directory, records.EXIT)):
        return 0
    launch = records.read(directory, records.LAUNCH) or {}
    marker = f"{records.MARKER}={os.path.basename(directory)}".encode()
    ended = tree.end_all(os.getpid(), marker, lambda: False, KILL_TIMEOUT_S)
    if ended.survivors:
        return EXIT_LOCKED
    log = capture.OutputLog(directory, int(str(launch.get("output_limit", 1 << 20))))
    log.recover()
    log.finish()
    outcome: records.Record = {"lost": True, "output_bytes": log.total, "cut": log.cut}
    outcome |= {"killed_leftovers": len(ended.killed), "detail": "its shim ended without recording an outcome"}
    records.write_exit(directory, outcome)
    return 0


def main(arguments: list[str]) -> int:
    verb, directory = arguments
    if verb == "sweep":
        return sweep(directory)
    if os.fork():  # so that the starter has nothing to reap
        return 0
    os.setsid()
    return run(directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
