"""The executor for this machine: each attempt is a directory of records and a shim that outlives us.

Called by the action runner from a pool of threads. It keeps no state of its own beside the starter: everything is read
from the records, so a new executor over the same directory adopts what an earlier one started. It must never signal
a process by number alone, retry an attempt, or decide anything.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Sequence

from orchctl.adapters.executors import attempt_records as records
from orchctl.adapters.executors import starter
from orchctl.core import ports
from orchctl.core.ids import AttemptId

START_TIMEOUT_S = 10.0
CANCEL_MARGIN_S = 35.0  # above the grace: the shim gives the kernel 30 s to end what was killed
PAUSE_S_MIN, PAUSE_S_MAX = 0.001, 0.02
READ_BYTES_MAX = 16 * 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class LocalExecutor:
    def __init__(
        self, sessions_dir: pathlib.Path, runtime_dir: pathlib.Path, python: str = sys.executable, warm: bool = True
    ) -> None:
        for directory in (sessions_dir, runtime_dir):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sessions = sessions_dir.resolve()
        self._starter = starter.ShimStarter(runtime_dir.resolve(), python, warm)
        self._starting = threading.Lock()
        self._sweeping = threading.Lock()

    def submit(self, spec: ports.AttemptSpec) -> ports.Observation:
        """Records the launch, has a shim started and waits for its first record. At most once, by lock and record."""
        directory = self._directory(spec.attempt)
        deadline = time.monotonic() + START_TIMEOUT_S
        with self._starting:
            if not _begun(directory) and not (directory.exists() and records.lock_is_held(directory)):
                _prepare(directory, spec)
                self._starter.start(directory, records.private_part(spec))
        pause_s = PAUSE_S_MIN
        while not _begun(directory):
            if time.monotonic() >= deadline:
                raise ports.TransientError(f"the shim of {spec.attempt} did not start; see {directory / 'shim.log'}")
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)
        return self.observe(spec.attempt)

    def observe(self, attempt: AttemptId) -> ports.Observation:
        directory = self._directory(attempt)
        ended = _ended(attempt, directory)
        if ended is not None:
            return ended
        shim = records.read_shim(directory)
        if shim is None:
            return _not_started(attempt, directory)
        if shim.alive():
            size = records.output_bytes(directory)
            return ports.Observation(attempt, ports.Phase.RUNNING, pid=shim.agent_pid, output_bytes=size)
        return self._settle_loss(attempt, directory)

    def _settle_loss(self, attempt: AttemptId, directory: pathlib.Path) -> ports.Observation:
        """The shim is gone: it may have recorded the outcome just before, else what it left is ended first."""
        with self._sweeping:
            ended = _ended(attempt, directory)
            if ended is None and self._starter.sweep(directory):
                ended = _ended(attempt, directory)
        unknown = "its shim is gone and what it left could not be ended yet"
        return ended or ports.Observation(attempt, ports.Phase.UNKNOWN, detail=unknown)

    def list(self) -> Sequence[ports.Observation]:
        names = sorted(entry.name for entry in self._sessions.iterdir() if NAME.fullmatch(entry.name))
        found = [self.observe(AttemptId(name)) for name in names]
        return [observation for observation in found if observation.phase is not ports.Phase.ABSENT]

    def read(self, attempt: AttemptId, offset: int, limit: int) -> bytes:
        """Offsets are those of `raw.log`, which only grows. Past half of the limit it grows again at the end."""
        try:
            with (self._directory(attempt) / "raw.log").open("rb") as file:
                file.seek(max(offset, 0))
                return file.read(min(max(limit, 0), READ_BYTES_MAX))
        except FileNotFoundError:
            return b""

    def cancel(self, attempt: AttemptId, grace_s: float) -> ports.Observation:
        """The grace goes to the shim in a file, which also stops a shim that is only about to start."""
        directory = self._directory(attempt)
        before = self.observe(attempt)
        if before.phase.ended or not directory.exists():
            return before
        records.write_whole(directory, "cancel.json", f'{{"grace_s": {max(grace_s, 0.0):f}}}'.encode())
        deadline = time.monotonic() + max(grace_s, 0.0) + CANCEL_MARGIN_S
        while True:
            observation = self.observe(attempt)
            if observation.phase.ended or observation.phase is ports.Phase.ABSENT:
                return observation
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                detail = "cancelled, but its processes were not seen to end"
                return ports.Observation(attempt, ports.Phase.UNKNOWN, detail=detail)
            self._signal_and_wait(attempt, remaining_s)

    def _signal_and_wait(self, attempt: AttemptId, timeout_s: float) -> None:
        handle = self.exit_fd(attempt)
        if handle is None:  # starting, or ending just now
            time.sleep(PAUSE_S_MAX)
            return
        try:
            for number in (signal.SIGTERM, signal.SIGCONT):  # an agent may have stopped its shim
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            poll.poll(timeout_s * 1000)
        finally:
            os.close(handle)

    def exit_fd(self, attempt: AttemptId) -> int | None:
        shim = records.read_shim(self._directory(attempt))
        if shim is None or not shim.alive():
            return None
        try:
            handle = os.pidfd_open(shim.pid)
        except OSError:
            return None
        if shim.alive():  # looked at again: now the descriptor and the record mean one process
            return handle
        os.close(handle)
        return None

    def forget(self, attempt: AttemptId) -> None:
        if self.observe(attempt).phase.ended:
            for name in ("lock", "cancel.json"):
                (self._directory(attempt) / name).unlink(missing_ok=True)

    def close(self) -> None:
        self._starter.close()

    def zygote_pid(self) -> int | None:
        return self._starter.zygote_pid()

    def _directory(self, attempt: AttemptId) -> pathlib.Path:
        if not NAME.fullmatch(attempt):
            raise ports.PermanentError(f"{attempt!r} cannot be the name of an attempt")
        return self._sessions / attempt


def _begun(directory: pathlib.Path) -> bool:
    return (directory / "started.json").exists() or (directory / "exit.json").exists()


def _prepare(directory: pathlib.Path, spec: ports.AttemptSpec) -> None:
    if not spec.argv or any("\0" in text for text in (*spec.argv, spec.cwd, *(f"{k}{v}" for k, v in spec.env))):
        raise ports.PermanentError(f"{spec.attempt} has no command, or a NUL in its command, directory or environment")
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        records.write_launch(directory, spec)
    except OSError as error:
        raise ports.TransientError(f"cannot record the launch of {spec.attempt}: {error}") from error


def _not_started(attempt: AttemptId, directory: pathlib.Path) -> ports.Observation:
    if records.lock_is_held(directory):
        return ports.Observation(attempt, ports.Phase.STARTING)
    # A shim may have written its first record between the two looks.
    if (directory / "started.json").exists():
        return ports.Observation(attempt, ports.Phase.STARTING)
    prepared = "prepared, but no shim has started" if (directory / "launch.json").exists() else ""
    return ports.Observation(attempt, ports.Phase.ABSENT, detail=prepared)


def _ended(attempt: AttemptId, directory: pathlib.Path) -> ports.Observation | None:
    outcome = records.read_object(directory, "exit.json")
    if outcome is None:
        return None
    code, number, size = outcome.get("exit_code"), outcome.get("signal"), outcome.get("output_bytes")
    return ports.Observation(
        attempt,
        records.outcome_phase(outcome),
        exit_code=code if isinstance(code, int) else None,
        signal=number if isinstance(number, int) else None,
        output_bytes=size if isinstance(size, int) else 0,
        detail=str(outcome.get("detail", "")),
    )
