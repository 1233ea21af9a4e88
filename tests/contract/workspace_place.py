"""A user's repository and a workspace beside it, for the workspace contract tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchctl.adapters.workspace import GitWorkspace
from orchctl.core.ids import Oid
from orchctl.core.ports import Identity, Merged

PROJECT = "default/shop"
BY = Identity("Orch", "orch@example.invalid", 1_700_000_000)
ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{role}_{part}": "dev@example.invalid" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")},
}


def git(folder: Path | str, *args: str, ok: bool = True) -> str:
    done = subprocess.run(["git", *args], cwd=folder, env=ENV, capture_output=True, text=True, timeout=60, check=False)
    assert not ok or done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path | str, files: dict[str, str | None], message: str = "change") -> Oid:
    for name, text in files.items():
        path = Path(folder, name)
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return Oid(git(folder, "rev-parse", "HEAD"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """The user's clone, `main` checked out."""
    path = tmp_path / "user"
    git(tmp_path, "init", "-q", "-b", "main", str(path))
    commit(path, {"a.txt": "a\n", "b.txt": "b\n", "dir/c.txt": "c\n", "run.sh": "#!/bin/sh\n"})
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[GitWorkspace]:
    made = GitWorkspace(tmp_path / "state")
    yield made
    made.close()


def head_of(repo: Path, ref: str = "refs/heads/main") -> Oid:
    return Oid(git(repo, "rev-parse", ref))


def work(workspace: GitWorkspace, repo: Path, files: dict[str, str | None], name: str = "one") -> Oid:
    """What a session leaves: a worktree with a commit, imported and merged; the merge's id."""
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = workspace.create_tree(PROJECT, name, f"orch/{name}", base)
    commit(tree, files)
    imported = workspace.import_work(PROJECT, name, f"refs/orch/attempts/{name}/1", base)
    merged = workspace.merge(PROJECT, base, imported.commit, "Land it", BY)
    assert isinstance(merged, Merged)
    return merged.commit


def assert_agrees(repo: Path, head: Oid, dirty: str = "") -> None:
    assert head_of(repo) == head
    assert git(repo, "status", "--porcelain") == dirty
    assert not list((repo / ".git").glob("orchctl-*"))
    assert not list((repo / ".git").rglob("*.lock"))
    assert git(repo, "for-each-ref", "refs/orch") == ""


EVERYTHING: dict[str, str | None] = {
    "a.txt": "landed\n",
    "b.txt": None,
    "dir/c.txt": None,
    "dir": "now a file\n",
    "run.sh": None,
    "run.sh/inner": "now a folder\n",
    "deep/er/new.txt": "new\n",
}


def everything(workspace: GitWorkspace, repo: Path) -> Oid:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = Path(workspace.create_tree(PROJECT, "one", "orch/one", base))
    shutil.rmtree(tree / "dir")
    (tree / "run.sh").unlink()
    (tree / "b.txt").unlink()
    (tree / "link").symlink_to("a.txt")
    head = commit(tree, {name: text for name, text in EVERYTHING.items() if text is not None})
    assert workspace.import_work(PROJECT, "one", "refs/orch/attempts/one/1", base).commit == head
    merged = workspace.merge(PROJECT, base, head, "Land it", BY)
    assert isinstance(merged, Merged)
    return merged.commit
