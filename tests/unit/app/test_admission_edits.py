"""Any sequence of edits of a few files: what is valid in the end is in force, as after a fresh start over that tree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

from orchctl.core import runtime
from orchctl.core.state import State
from tests.unit.app.control import BROKEN, BUILTIN, Control, both, essence, invalid, role

NAMES = strategies.sampled_from(["a", "b", "c", "coder"])
DOCUMENTS = strategies.one_of(
    strategies.builds(role, NAMES, strategies.sampled_from(["One.", "Two."]), strategies.sampled_from(["", "t: x"])),
    strategies.builds(invalid, NAMES),
    strategies.sampled_from([BROKEN, "# nothing\n", "kind: [\n", "apiVersion: orchctl.dev/v1alpha1\nkind: Cat\n"]),
)
CONTENTS = strategies.lists(DOCUMENTS, min_size=1, max_size=3).map(lambda found: both(*found))
PATHS = strategies.sampled_from(["1.yaml", "2.yaml", "d/3.yml"])
EDITS = strategies.one_of(
    strategies.tuples(strategies.just("write"), PATHS, CONTENTS),
    strategies.tuples(strategies.just("remove"), PATHS, strategies.just("")),
    strategies.tuples(strategies.just("move"), PATHS, PATHS),
    strategies.tuples(strategies.just("restart"), PATHS, strategies.just("")),
)


def edited(files: dict[str, str], edit: tuple[str, str, str]) -> dict[str, str]:
    what, path, more = edit
    if what == "write":
        return {**files, path: more}
    left = {found: text for found, text in files.items() if found != path}
    return {**left, more: files[path]} if what == "move" and path in files else left if what == "remove" else files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("edits")


@hypothesis.settings(deadline=None, max_examples=120, database=None)
@hypothesis.given(edits=strategies.lists(EDITS, min_size=1, max_size=8))
def test_any_sequence_of_edits_ends_where_a_fresh_start_would(folder: Path, edits: list[tuple[str, str, str]]) -> None:
    """GIT-3, GIT-4, GIT-5: whatever is valid now is in force, however it came about."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        control = Control(place, BUILTIN)
        files = {"keep.yaml": role("keep")}
        for edit in edits:
            files = edited(files, edit)
            if edit[0] == "restart":
                control.restart()
            control.now(files)
            compare_with_a_fresh_start(control)
            control.restart()
            assert control.take_in() == []
            control.restart()
    finally:
        shutil.rmtree(place)


@hypothesis.settings(deadline=None, max_examples=120, database=None)
@hypothesis.given(edits=strategies.lists(EDITS, min_size=1, max_size=8))
def test_so_does_one_without_any_restart(folder: Path, edits: list[tuple[str, str, str]]) -> None:
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        control = Control(place, BUILTIN)
        files = {"keep.yaml": role("keep")}
        for edit in edits:
            files = edited(files, edit)
            control.now(files)
            compare_with_a_fresh_start(control)
        control.restart()
        assert control.take_in() == []
    finally:
        shutil.rmtree(place)


def compare_with_a_fresh_start(control: Control) -> None:
    kept, admission = control.machine, control.admission
    found = kept.state.objects
    try:
        control.machine = runtime.Runtime(State())
        control.restart()
        control.take_in()
        fresh = control.machine.state.objects
    finally:
        control.machine, control.admission = kept, admission
    for name, obj in fresh.items():
        if obj.desired is not None and not obj.problems and not found[name].problems:
            assert essence(found[name]) == essence(obj)
    for name, obj in found.items():
        if not obj.problems:
            assert not fresh[name].problems
            assert essence(fresh[name]) == essence(obj)
