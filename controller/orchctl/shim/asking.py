"""Asks a program something and prints its answer: bounded in time and in length, and nothing of it runs on.

`asking.py SECONDS BYTES PROGRAM ARGUMENT...`, started by file path. What the program prints, errors too, comes out as
it is, cut. The exit code is the program's, or one of a shell: 124 when it took too long, 126 when it cannot be run.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from orchctl.shim import kernel, tree

MARKER = "ORCHCTL_ASKED"
TOO_LATE, NOT_EXECUTABLE = 124, 126
END_S = 2.0
READ_BYTES = 1 << 16


def has_children() -> bool:
    """Takes leave of those that have ended."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def listen(child: subprocess.Popen[bytes], output: int, deadline: float, bytes_max: int) -> bytes:
    """What it prints until it has ended, said enough, or time is up. Its children may hold the pipe longer."""
    handle = os.pidfd_open(child.pid)
    said = b""
    try:
        while len(said) < bytes_max:
            ready, _, _ = select.select([output, handle], [], [], max(0.0, deadline - time.monotonic()))
            if output in ready:
                piece = os.read(output, READ_BYTES)
                said += piece
                if piece:
                    continue
                select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
            break
    finally:
        os.close(handle)
    return said[:bytes_max]


def main(arguments: list[str]) -> int:
    seconds, bytes_max, *argv = arguments
    deadline = time.monotonic() + float(seconds)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    marker = f"{os.getpid()}.{time.monotonic_ns()}"
    ours, theirs = os.pipe()
    environment = {**os.environ, MARKER: marker}
    try:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
    except OSError as error:
        print(error.strerror, flush=True)
        return NOT_EXECUTABLE
    os.close(theirs)
    said = listen(child, ours, deadline, int(bytes_max))
    code = child.poll()
    tree.end_all(os.getpid(), f"{MARKER}={marker}".encode(), has_children, END_S)
    sys.stdout.buffer.write(said)
    sys.stdout.buffer.flush()
    if code is None:
        return TOO_LATE
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
