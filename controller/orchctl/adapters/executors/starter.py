"""Starts shims: by a zygote that is made when first needed, else by a fresh interpreter.

Called by the local executor from any thread. What it starts must outlive the controller, so nothing here is a child
that is waited for, and no descriptor of the controller is handed on but the private part of a launch.
"""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import threading

import orchctl
from orchctl.core import ports

ZYGOTE_ANSWER_TIMEOUT_S = 5.0
ZYGOTE_END_TIMEOUT_S = 5.0
COLD_START_TIMEOUT_S = 10.0
SWEEP_TIMEOUT_S = 45.0
ANSWER_BYTES_MAX = 64
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}  # of zygote and shim: an agent can read it


def program(name: str) -> pathlib.Path:
    """A file of the shim directory, found by path: those programs are never imported."""
    return pathlib.Path(next(iter(orchctl.__path__))) / "shim" / name


class ShimStarter:
    def __init__(self, runtime_dir: pathlib.Path, python: str, warm: bool) -> None:
        self._python = python
        self._warm = warm
        self._log = runtime_dir / "zygote.log"
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    def start(self, directory: pathlib.Path, private: bytes) -> None:
        """Ask for a shim; whether it started is seen in its records, not here."""
        handle = os.memfd_create("launch", os.MFD_CLOEXEC)
        try:
            with open(handle, "wb", closefd=False) as file:
                file.write(private)
            if not (self._warm and self._ask_zygote(directory, handle)):
                self._start_cold(directory, handle)
        except (OSError, subprocess.SubprocessError) as error:
            raise ports.TransientError(f"cannot start a shim in {directory}: {error}") from error
        finally:
            os.close(handle)

    def _ask_zygote(self, directory: pathlib.Path, private: int) -> bool:
        with self._lock:
            for _ in range(2):  # the one we have may have died since
                channel = self._channel or self._start_zygote()
                try:
                    socket.send_fds(channel, [os.fsencode(directory)], [private])
                    if channel.recv(ANSWER_BYTES_MAX):
                        return True
                except OSError:  # broken pipe, reset or no answer in time
                    pass
                self._stop_zygote()
        return False

    def _start_zygote(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(ZYGOTE_ANSWER_TIMEOUT_S)
        with theirs, open(self._log, "ab") as log:
            self._zygote = self._spawn([str(program("zygote.py")), str(os.getpid())], theirs.fileno(), log.fileno())
        self._channel = ours
        return ours

    def _stop_zygote(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._zygote is not None:
            try:
                self._zygote.wait(ZYGOTE_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()
        self._channel = self._zygote = None

    def _start_cold(self, directory: pathlib.Path, private: int) -> None:
        with open(directory / "shim.log", "ab") as log:
            process = self._spawn([str(program("shim.py")), "run", str(directory)], private, log.fileno())
        process.wait(COLD_START_TIMEOUT_S)

    def sweep(self, directory: pathlib.Path) -> bool:
        """Have everything ended that a dead shim left, and the loss recorded."""
        with open(directory / "shim.log", "ab") as log:
            process = self._spawn([str(program("shim.py")), "sweep", str(directory)], subprocess.DEVNULL, log.fileno())
        try:
            return process.wait(SWEEP_TIMEOUT_S) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False

    def _spawn(self, arguments: list[str], stdin: int, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._python, "-I", "-S", *arguments],
            stdin=stdin,
            stdout=log,
            stderr=log,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )

    def zygote_pid(self) -> int | None:
        return None if self._zygote is None else self._zygote.pid

    def close(self) -> None:
        with self._lock:
            self._stop_zygote()
