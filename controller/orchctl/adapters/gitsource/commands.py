"""The one place of this adapter that starts git: no hooks, no prompts, no terminal, a deadline, and it can be stopped.

Called by what fetches and what verifies signatures. The user's own configuration counts where a remote is talked to
(helpers for credentials, addresses written otherwise) and nowhere else. Must never go through a shell.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from orchctl.core.ports import PermanentError, TransientError

OUTPUT_BYTES_MAX = 1024 * 1024
STEP_S = 0.05  # how soon a call notices that it is to be stopped

_ALWAYS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.git.allow=always",  # `remotes.checked` says from where
    "protocol.http.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=30",
)
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=15 -oServerAliveInterval=10 -oServerAliveCountMax=3",
    "SSH_ASKPASS_REQUIRE": "never",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
_NO_CONFIG = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_SSL_CAINFO")  # of the user's GIT_ variables


class Stopped(Exception):
    """The call was given up because its caller is to end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


def run(
    git_dir: Path,
    args: Sequence[str],
    *,
    deadline_s: float,
    config: Sequence[str] = (),
    as_user: bool = True,
    stop: threading.Event | None = None,
) -> Done:
    """One git to its end, whatever its exit code. TransientError when it takes longer than the deadline."""
    argv = ["git", *(word for each in (*_ALWAYS, *config) for word in ("-c", each)), f"--git-dir={git_dir}", *args]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd="/",
                env=_environment(as_user),
                start_new_session=True,  # no terminal to ask on, and a group to kill
            )
        except FileNotFoundError as error:
            raise PermanentError("git is not there, so it cannot be run") from error
        except OSError as error:
            raise TransientError(f"git could not be started: {error.strerror}") from error
        try:
            _wait(child, args[0], deadline_s, stop)
        finally:
            _end(child)
        return Done(child.returncode, _text(out), _text(err))


def _wait(child: subprocess.Popen[bytes], verb: str, deadline_s: float, stop: threading.Event | None) -> None:
    end = time.monotonic() + deadline_s
    while True:
        left = end - time.monotonic()
        if stop is not None and stop.is_set():
            raise Stopped
        if left <= 0:
            raise TransientError(f"git {verb} took longer than {deadline_s:g} s and was stopped")
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(min(left, STEP_S) if stop is not None else left)
            return


def _end(child: subprocess.Popen[bytes]) -> None:
    """Nothing of a git outlives the call that started it, whatever ends that call."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _text(stream: BinaryIO) -> str:
    stream.seek(0)
    return stream.read(OUTPUT_BYTES_MAX).decode("utf-8", "replace")


def _environment(as_user: bool) -> dict[str, str]:
    kept = _KEPT if as_user else ()
    found = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in kept}
    found.pop("SSH_ASKPASS", None)
    found.pop("DISPLAY", None)
    return found | _FIXED | ({} if as_user else _NO_CONFIG)
