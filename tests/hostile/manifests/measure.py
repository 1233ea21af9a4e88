"""Parses every hostile manifest in a forked process of its own and prints what it cost and what was said, as JSON.

Run as `python -m tests.hostile.manifests.measure` by the test, once: forks of a warm process start in a millisecond,
and the memory one takes cannot hide behind that of another. A fork that takes too long is ended by the kernel.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

from orchctl.adapters import manifests
from tests.hostile.manifests.corpus import HEAD, HOSTILE

CPU_LIMIT_S = 5


def measure(data: bytes) -> dict[str, object]:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
        before = resource.getrusage(resource.RUSAGE_SELF)
        started = time.process_time()
        loaded = manifests.parse(data, "bad.yaml")
        seconds = time.process_time() - started
        after = resource.getrusage(resource.RUSAGE_SELF)
        said = [[each.line, each.column, each.code, str(each)] for each in loaded.problems]
        cost = {"seconds": seconds, "kibibytes": after.ru_maxrss - before.ru_maxrss}
        with os.fdopen(write_end, "w") as stream:
            json.dump({**cost, "documents": len(loaded.documents), "problems": said}, stream)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    loaded_report: dict[str, object] = json.loads(text) if text else {"ended": "by the kernel"}
    return loaded_report


def main() -> None:
    for kind, spec in (("Task", "{prompt: x}"), ("Pipeline", "{stages: [{name: a, role: r}]}")):
        manifests.parse(HEAD.replace("Task", kind).replace("{prompt: x}", spec).encode(), "warm.yaml")
    json.dump({name: measure(data) for name, data in HOSTILE.items()}, sys.stdout)


if __name__ == "__main__":
    main()
