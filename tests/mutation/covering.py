"""Which tests execute a line, and how long each takes: one run of all of them under coverage."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import coverage

from tests.mutation.running import ROOT

DEADLINE_S = 1_200
TESTS_MAX = 40  # of a line: more than these seldom find what they did not


class Coverage:
    """Tests by file and line, the quickest first."""

    def __init__(self, by_line: dict[str, dict[int, list[str]]], seconds: dict[str, float]) -> None:
        self._by_line = by_line
        self._seconds = seconds

    def tests(self, path: Path, line: int) -> list[str]:
        found = self._by_line.get(str(path), {}).get(line, [])
        return sorted(found, key=lambda test: (self._seconds.get(test, 0.0), test))[:TESTS_MAX]


def measure(folder: Path, suites: tuple[str, ...]) -> Coverage:
    """Runs the suites once, in order, in one process: contexts are of one process."""
    data, times = folder / "coverage", folder / "times"
    settings = folder / "coveragerc"
    settings.write_text(f"[run]\nsource = {ROOT}/controller/orchctl/core\n")
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", f"--data-file={data}", "-m", "pytest"]
    options = ["-q", "-p", "no:cacheprovider", "-p", "tests.mutation.contexts", "-m", "not soak and not slow"]
    environment = os.environ | {"MUTATION_TIMES": str(times)}
    with contextlib.chdir(ROOT):
        done = subprocess.run(
            [*command, *options, *suites], env=environment, capture_output=True, text=True, timeout=DEADLINE_S
        )
    if done.returncode:
        raise SystemExit(f"the tests are not green without any mutant:\n{done.stdout[-4000:]}")
    return Coverage(_by_line(data), _seconds(times))


def _by_line(data: Path) -> dict[str, dict[int, list[str]]]:
    found = coverage.CoverageData(str(data))
    found.read()
    result: dict[str, dict[int, list[str]]] = defaultdict(dict)
    for path in found.measured_files():
        for line, contexts in found.contexts_by_lineno(path).items():
            result[path][line] = [context for context in contexts if context]
    return result


def _seconds(times: Path) -> dict[str, float]:
    rows = (line.rsplit("\t", 1) for line in times.read_text(encoding="utf-8").splitlines())
    return {test: float(seconds) for test, seconds in rows}
