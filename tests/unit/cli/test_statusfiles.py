"""Status files are a projection: written only on change, whole or not at all, never through a link (LOG-6)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from orchctl.app import statusfiles
from orchctl.app.read import locate
from tests.unit.cli import ledger_fixture

KEY = "Task/default/add-login"


def body(version: int = 1, summary: str = "Running") -> str:
    metadata = {"name": "add-login", "namespace": "default", "resourceVersion": str(version)}
    return json.dumps({"kind": "Task", "metadata": metadata, "spec": {}, "status": {"summary": summary}})


@pytest.fixture
def files(tmp_path: Path) -> statusfiles.StatusFiles:
    repo = ledger_fixture.make_repo(tmp_path / "repo")
    return statusfiles.StatusFiles.beside(locate.locate(str(repo), dict(os.environ)), tmp_path / "state")


def test_log_6_only_changes_are_written(files: statusfiles.StatusFiles) -> None:
    assert files.write([(KEY, body())]) == 1
    path = files.root / "task" / "default" / "add-login.yaml"
    before = path.stat()
    assert files.write([(KEY, body(version=2))]) == 0
    assert path.stat().st_ino == before.st_ino
    assert files.write([(KEY, body(summary="Merged"))]) == 1
    assert YAML(typ="safe").load(path)["status"] == {"summary": "Merged"}
    assert "resourceVersion" not in path.read_text()
    assert os.listdir(path.parent) == ["add-login.yaml"]
    assert files.write([(KEY, None)]) == 1
    assert files.write([(KEY, None), ("Task/none/such", None)]) == 0
    assert not path.exists()


def test_git_ignores_them_once(files: statusfiles.StatusFiles) -> None:
    repo = files.root.parent.parent
    files.write([(KEY, body())])
    statusfiles.exclude(repo / ".git")
    assert (repo / ".git" / "info" / "exclude").read_text().splitlines().count("/.orchctl/status/") == 1
    done = subprocess.run(["git", "status", "--porcelain"], cwd=repo, capture_output=True, check=True)
    assert done.stdout == b""


def test_a_bare_repo_has_them_in_the_state_folder(tmp_path: Path) -> None:
    bare = ledger_fixture.make_repo(tmp_path / "bare.git", bare=True)
    state = tmp_path / "state"
    state.mkdir()
    files = statusfiles.StatusFiles.beside(locate.locate(str(bare), dict(os.environ)), state)
    assert files.write([(KEY, body())]) == 1
    assert (state / "status" / "task" / "default" / "add-login.yaml").exists()


@pytest.mark.parametrize("planted", [".orchctl", ".orchctl/status", ".orchctl/status/task/default"])
def test_a_planted_link_to_a_folder_leads_nowhere(planted: str, files: statusfiles.StatusFiles, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = files.root.parent.parent / planted
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    with pytest.raises(OSError, match=r"link|directory"):
        files.write([(KEY, body())])
    assert list(outside.iterdir()) == []


def test_a_planted_link_to_a_file_is_replaced(files: statusfiles.StatusFiles, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    folder = files.root / "task" / "default"
    folder.mkdir(parents=True)
    (folder / "add-login.yaml").symlink_to(outside)
    assert files.write([(KEY, body())]) == 1
    assert outside.read_text() == "precious"
    assert not (folder / "add-login.yaml").is_symlink()


def test_names_that_are_paths_stay_inside(files: statusfiles.StatusFiles) -> None:
    names = ["../../../etc/passwd", "manifests/a b.yaml", "..", "x" * 5000]
    files.write((f"Manifest//{name}", body()) for name in names)
    assert sorted(path.name for path in (files.root / "manifest").iterdir()) == sorted(
        statusfiles._component(f"{name}.yaml") for name in names
    )
    files.write((f"Manifest//{name}", None) for name in names)
    assert list((files.root / "manifest").iterdir()) == []
