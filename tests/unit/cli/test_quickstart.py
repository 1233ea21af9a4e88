"""What of the quickstart needs no controller: the project it makes, and how it ends when nothing gets merged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from orchctl.app import quickstart
from orchctl.app.read import failures
from tests.unit.cli.conftest import Command


def test_the_sample_fails_its_test_and_the_script_would_fix_it(tmp_path: Path) -> None:
    sample = quickstart.Sample(tmp_path / "demo", os.environ)
    sample.make()
    passed, lines = sample.test()
    assert not passed
    assert any("FAIL" in line for line in lines)
    sample.commit_task()
    task = YAML(typ="safe").load(sample.folder / "manifests" / "tasks" / "fix-total.yaml")
    assert task["spec"]["agents"] == ["script"]
    assert "```script" in task["spec"]["prompt"]
    program = sample.folder / "shop.py"
    program.write_text(program.read_text().replace(quickstart.BUG, quickstart.FIX))
    assert sample.test()[0]
    assert sample._git("status", "--porcelain").split() == ["M", "shop.py"]


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, orchctl: Command) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = orchctl("quickstart", "--dir", str(tmp_path))
    assert result.code == failures.USAGE
    assert "not empty" in result.error


def test_when_nothing_is_merged_it_says_why_and_fails(
    tmp_path: Path, orchctl: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "python"
    stand_in.write_text("#!/bin/sh\necho 'no controller today'\nexit 3\n")
    stand_in.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(stand_in))
    result = orchctl("quickstart", "--dir", str(tmp_path / "demo"))
    assert result.code == failures.FAILED
    assert "the task was not merged" in result.error
    assert "controller: no controller today" in result.error


def test_installed_agents_are_named(tmp_path: Path) -> None:
    (tmp_path / "codex").write_text("#!/bin/sh\n")
    (tmp_path / "codex").chmod(0o755)
    assert quickstart.real_agents({"PATH": str(tmp_path)}) == ["codex"]


def test_the_quickstart_gets_its_task_merged(tmp_path: Path, orchctl: Command) -> None:
    """The whole way: commit, controller, agent, check, merge, and the merged code passes its test."""
    folder = tmp_path / "demo"
    result = orchctl("quickstart", "--dir", str(folder))
    assert result.code == failures.OK, result.error
    assert "AssertionError: 45 != 55" in result.output
    assert "merge: Passed" in result.output
    assert "fix-total   quickfix   merge   True    Merged" in result.output
    assert quickstart.FIX in (folder / "shop.py").read_text()
    assert quickstart.Sample(folder, os.environ).test()[0]
