"""The one place that starts git: no hooks, no helpers, no prompts, a deadline and an output limit on every call.

Called by the other modules of this adapter only. Must never go through a shell, inherit a GIT_ variable, or be given
an agent's folder to work in. The user's own configuration counts only where the user's own checkout is changed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchctl.core.ports import PermanentError, TransientError

DEADLINE_S = 120.0
CHECKOUT_DEADLINE_S = 600.0  # large trees, and the user's own filters such as LFS
OUTPUT_BYTES_MAX = 64 * 1024 * 1024  # a raw diff of a million paths fits
STDERR_SHOWN_MAX = 400

_SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.pager=cat",
    "core.editor=false",
    "core.askPass=",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "advice.detachedHead=false",
    "init.defaultBranch=main",
)
_USER = tuple(
    each
    for each in _SAFE
    if not each.startswith(("core.attributesFile", "core.excludesFile", "core.askPass", "credential."))
)
# What runs on the other side of a local fetch or push does not see our -c, so it is given its own.
_OTHER_SIDE = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false")
UPLOAD_PACK = " ".join(["git", *(f"-c {each}" for each in _OTHER_SIDE), "upload-pack", "--strict"])
_RECEIVING = (*_OTHER_SIDE, "receive.denyCurrentBranch=refuse", "receive.autogc=false")
RECEIVE_PACK = " ".join(["git", *(f"-c {each}" for each in _RECEIVING), "receive-pack"])
_PASSED = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR")
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=15",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
_NO_CONFIG = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
_PASSING = re.compile(
    r"\.lock'?: File exists|cannot lock ref|could not lock|Resource temporarily unavailable|timed out|Timed out"
    r"|Could not resolve host|Connection (?:refused|reset|closed)|unable to access|remote end hung up|No space left"
    r"|early EOF|commondir: Success|is currently checked out|is at [0-9a-f]+ but expected"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Which repository a call is about; always named, never discovered."""

    git_dir: Path | None = None
    work_tree: Path | None = None
    index: Path | None = None
    user: bool = False  # the user's own repository: their configuration and filters apply


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: bytes
    err: str


class Git:
    def __init__(self, program: str = "git", pass_fds: Sequence[int] = ()) -> None:
        self._program = program
        self._pass_fds = tuple(pass_fds)

    def run(
        self,
        place: Place,
        *args: str,
        stdin: bytes = b"",
        ok: Sequence[int] = (0,),
        deadline_s: float = DEADLINE_S,
    ) -> Done:
        """One git to its end; any exit code but the `ok` ones is raised as one sentence."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as complaints:
            given.write(stdin)
            given.seek(0)
            child = self._start(place, args, given.fileno(), complaints.fileno())
            with killed_at_exit(child):
                out = _read(child, time.monotonic() + deadline_s, f"git {args[0]}", deadline_s)
            complaints.seek(0)
            err = complaints.read(1024 * 1024).decode("utf-8", "replace")
        if child.returncode not in ok:
            raise failure(args, child.returncode, err)
        return Done(child.returncode, out, err)

    def open(self, place: Place, *args: str, stderr: int) -> subprocess.Popen[bytes]:
        """A git that is talked to over its pipes; the caller puts it under `killed_at_exit`."""
        return self._start(place, args, subprocess.PIPE, stderr)

    def _start(self, place: Place, args: Sequence[str], stdin: int, stderr: int) -> subprocess.Popen[bytes]:
        argv = [self._program]
        for setting in _USER if place.user else _SAFE:
            argv += ["-c", setting]
        if place.git_dir is not None:
            argv.append(f"--git-dir={place.git_dir}")
        if place.work_tree is not None:
            argv.append(f"--work-tree={place.work_tree}")
        try:
            return subprocess.Popen(
                [*argv, *args],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=place.work_tree or place.git_dir or "/",
                env=_environment(place),
                pass_fds=self._pass_fds,
                process_group=0,
            )
        except FileNotFoundError as error:
            raise PermanentError(f"{error.filename} is not there, so git cannot be run") from error
        except OSError as error:
            raise TransientError(f"git could not be started: {error.strerror}") from error


@contextlib.contextmanager
def killed_at_exit(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nothing of a git outlives the call that started it, whatever ends that call."""
    try:
        yield
    finally:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _read(child: subprocess.Popen[bytes], end: float, what: str, deadline_s: float) -> bytes:
    assert child.stdout is not None
    parts: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            left = end - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TransientError(f"{what} took longer than {deadline_s:.0f} s and was stopped")
            part = os.read(child.stdout.fileno(), 1 << 16)
            if not part:
                break
            parts.append(part)
            size += len(part)
            if size > OUTPUT_BYTES_MAX:
                raise PermanentError(f"{what} printed more than {OUTPUT_BYTES_MAX} bytes and was stopped")
    try:
        child.wait(max(0.1, end - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise TransientError(f"{what} took longer than {deadline_s:.0f} s and was stopped") from error
    return b"".join(parts)


def failure(args: Sequence[str], code: int, err: str) -> TransientError | PermanentError:
    lines = [line.strip() for line in err.splitlines() if line.strip() and not line.startswith(("hint:", "warning:"))]
    said = "; ".join(lines)[:STDERR_SHOWN_MAX] or "it said nothing"
    text = f"git {args[0]} failed ({code}): {said}"
    return TransientError(text) if code < 0 or _PASSING.search(err) else PermanentError(text)


def _environment(place: Place) -> dict[str, str]:
    if place.user:
        found = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    else:
        found = {name: os.environ[name] for name in _PASSED if name in os.environ} | _NO_CONFIG
    found |= _FIXED
    if place.index is not None:
        found["GIT_INDEX_FILE"] = str(place.index)
    return found
