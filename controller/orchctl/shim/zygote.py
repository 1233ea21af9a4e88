"""Forks shims: a fork of this small, warm process costs a fraction of starting an interpreter.

Started by the executor with one end of a socket pair as descriptor 0 and the executor's pid as argument. Each message
is the directory of an attempt, with the private part of its launch as a descriptor; the answer is the shim's pid.
Single-threaded by rule. It ends with its owner, and its end touches no shim.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import traceback

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from orchctl.shim import shim

MESSAGE_BYTES_MAX = 8192


def become_shim(directory: str, private: int) -> None:
    """In the fork; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.dup2(private, 0)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        code = shim.run(directory)
    except BaseException:  # the boundary of a process: what went wrong belongs in its log
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def serve(owner: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # shims are reaped by the kernel
    watched = os.pidfd_open(owner)
    if os.getppid() != owner:
        return
    channel = socket.socket(fileno=0)
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    poll.register(watched, select.POLLIN)
    gc.freeze()  # a collection in a fork would copy every page it looks at
    while True:
        if any(handle == watched for handle, _ in poll.poll()):
            return
        message, handles, _, _ = socket.recv_fds(channel, MESSAGE_BYTES_MAX, 1)
        if not message or not handles:
            return
        pid = os.fork()
        if pid == 0:
            become_shim(message.decode(), handles[0])
        os.close(handles[0])
        channel.send(str(pid).encode())


if __name__ == "__main__":
    serve(int(sys.argv[1]))
