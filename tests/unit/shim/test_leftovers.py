"""Committing what an agent left, in real repositories."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from orchctl.adapters.executors import starter

ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{f"GIT_{role}_NAME": "Agent" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "agent@example.invalid" for role in ("AUTHOR", "COMMITTER")},
}


class Tree:
    def __init__(self, root: pathlib.Path) -> None:
        self.path = root / "tree"
        self.path.mkdir()
        self.message = root / "message"
        self.message.write_text("Keep what was left\n")
        self.git("init", "-q", "-b", "main")
        self.git("commit", "-q", "--allow-empty", "-m", "start")

    def git(self, *arguments: str, check: bool = True) -> str:
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=self.path, env=ENV, capture_output=True, text=True, check=check
        ).stdout.strip()

    def keep(self) -> tuple[int, dict[str, object]]:
        command = [sys.executable, "-I", "-S", str(starter.program("leftovers.py")), str(self.message)]
        done = subprocess.run(command, cwd=self.path, env=ENV, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout)


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> Tree:
    return Tree(tmp_path)


def test_new_changed_and_deleted_files_are_committed_and_ignored_ones_are_not(tree):
    (tree.path / "old").write_text("x")
    (tree.path / ".gitignore").write_text("*.log\n")
    tree.git("add", "-A")
    tree.git("commit", "-q", "-m", "base")
    (tree.path / "old").unlink()
    (tree.path / "new file").write_text("y")
    (tree.path / "a.log").write_text("z")
    os.mkfifo(tree.path / "pipe")
    code, result = tree.keep()
    assert (code, result["committed"], result["commit"]) == (0, True, tree.git("rev-parse", "HEAD"))
    assert tree.git("log", "-1", "--format=%s %an") == "Keep what was left Agent"
    assert tree.git("show", "--format=", "--name-status", "HEAD").splitlines() == ["A\tnew file", "D\told"]


def test_nothing_left_is_no_commit(tree):
    assert tree.keep() == (0, {"orchctl": "leftovers", "committed": False})


def test_an_unfinished_merge_is_refused_with_a_sentence(tree):
    for branch in ("left", "right"):
        tree.git("checkout", "-q", "-b", branch, "main")
        (tree.path / "file").write_text(branch)
        tree.git("add", "-A")
        tree.git("commit", "-q", "-m", branch)
    tree.git("merge", "left", check=False)
    code, result = tree.keep()
    assert code == 3
    assert result["error"] == "the agent left an unfinished merge; finish or abort it in the worktree"


def test_a_refusing_hook_does_not_lose_work(tree):
    hook = tree.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (tree.path / "work").write_text("x")
    code, result = tree.keep()
    assert (code, result["committed"], result["hook_refused"]) == (0, True, True)


def test_outside_a_repository_it_says_so(tmp_path):
    tree = Tree(tmp_path)
    tree.path = tmp_path / "elsewhere"
    tree.path.mkdir()
    code, result = tree.keep()
    assert code == 4
    assert "not a git repository" in str(result["error"])
