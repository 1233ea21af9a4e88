"""Which tests execute a line, and how long each takes: one run of all of them under coverage."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import coverage

from tests.mutation.running import ROOT

DEADLINE_S = 1_200
SECONDS_MAX = 40.0  # that the tests of one line may take together, as measured under coverage


class Coverage:
    """Tests by file and line, in the order they are to be run."""

    def __init__(self, by_line: dict[str, dict[int, list[str]]], seconds: dict[str, float]) -> None:
        self._by_line = by_line
        self._seconds = seconds

    def tests(self, path: Path, line: int) -> list[str]:
        """In such an order that every file of tests has had about as much time as the others, the quickest first.

        Tests of one file tend to notice the same. As many as fit into the time: a line that all tests run through is
        not to be judged by the few quickest of them.
        """
        found = self._by_line.get(str(path), {}).get(line, [])
        used: dict[str, float] = defaultdict(float)
        places: dict[str, float] = {}
        for test in sorted(found, key=lambda one: (self._took(one), one)):
            file = test.partition("::")[0]
            used[file] += self._took(test)
            places[test] = used[file]
        ordered = sorted(places, key=lambda one: (places[one], one))
        ends = itertools.accumulate(map(self._took, ordered))
        fitting = [test for test, end in zip(ordered, ends, strict=True) if end <= SECONDS_MAX]
        return fitting or ordered[:1]

    def _took(self, test: str) -> float:
        return self._seconds.get(test, 0.0)


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
