"""Runs the tests on a broken module, in a child forked from a process that has all that is slow to import.

The broken module takes the place of the real one by an import hook, so no file is changed. Only the tests that execute
the broken line are run, the quickest first, and the first that fails decides.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutation import sites

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "controller" / "orchctl"
DEADLINE_S = 120.0  # far more than the tests of one line take: a slow run is no hang
POLL_S = 0.02
SURVIVED, NO_TESTS = 0, 5  # exit codes of pytest


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    path: Path
    site: sites.Site | None  # None: whole, as a control

    @property
    def module(self) -> str:
        return ".".join(self.path.relative_to(PACKAGE.parent).with_suffix("").parts)

    def __str__(self) -> str:
        if self.site is None:
            return f"{self.module}: whole"
        where = f"{self.path.relative_to(PACKAGE.parent)}:{self.site.line}"
        return f"{where}: {self.site.before}  ->  {self.site.after}"


def judge(mutant: Mutant, tests: Sequence[str]) -> str:
    """killed | survived | uncovered | hangs. A hang is as good as killed: no run with it would pass."""
    if not tests:
        return "uncovered"
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        child = os.fork()
        if child == 0:
            os._exit(_run(mutant, tests, folder))
        return _verdict(child)


def _run(mutant: Mutant, tests: Sequence[str], folder: str) -> int:
    """In the child: never returns to the caller's code, so nothing of the parent is run twice."""
    import pytest

    os.setpgid(0, 0)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    with open(os.devnull, "r+b") as nothing:
        for descriptor in (0, 1, 2):
            os.dup2(nothing.fileno(), descriptor)
    source = mutant.path.read_text(encoding="utf-8")
    tree = sites.broken(source, mutant.site.number) if mutant.site is not None else ast.parse(source)
    sys.meta_path.insert(0, _Broken(mutant.module, tree, mutant.path))
    quiet = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain"]
    try:
        return int(pytest.main([*quiet, *tests]))
    except BaseException:
        return 1


def _verdict(child: int) -> str:
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return {SURVIVED: "survived", NO_TESTS: "uncovered"}.get(code, "killed")
        time.sleep(POLL_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"


class _Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, broken, and leaves all others to those who come after."""

    def __init__(self, module: str, tree: ast.Module, path: Path) -> None:
        self._module = module
        self._tree = tree
        self._path = path

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self._module:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=str(self._path))

    def exec_module(self, module: object) -> None:
        exec(compile(self._tree, str(self._path), "exec"), module.__dict__)


def modules(package: str) -> Iterator[Path]:
    """The modules of a package of ours, in order."""
    for path in sorted((PACKAGE / package).rglob("*.py")):
        if path.name != "__init__.py":
            yield path
