"""Landing in the user's repository: HEAD, index and files agree, dirty bytes stay."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchctl.adapters.workspace import GitWorkspace
from orchctl.core.ids import Oid
from orchctl.core.ports import LandResult, TransientError
from tests.contract.workspace_place import PROJECT, assert_agrees, commit, everything, git, head_of, work

# -- landing


def test_landing_on_a_bare_repository_is_compare_and_swap_mrg_1(workspace: GitWorkspace, repo: Path) -> None:
    bare = repo.parent / "bare.git"
    git(repo.parent, "clone", "-q", "--bare", str(repo), str(bare))
    old = head_of(bare)
    new = work(workspace, bare, {"x": "1"})
    for _ in range(2):
        assert workspace.land(PROJECT, str(bare), "main", new, old).result is LandResult.LANDED
    assert head_of(bare) == new
    git(bare, "update-ref", "refs/heads/main", old)
    other = Oid(git(repo, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "user"))
    git(repo, "push", "-q", str(bare), f"{other}:refs/heads/main")
    assert workspace.land(PROJECT, str(bare), "main", new, old).result is LandResult.MOVED
    assert head_of(bare) == other


def test_landing_on_a_branch_that_is_not_checked_out(workspace: GitWorkspace, repo: Path) -> None:
    old = head_of(repo)
    new = work(workspace, repo, {"x": "1"})
    git(repo, "switch", "-q", "-c", "mine")
    assert workspace.land(PROJECT, str(repo), "main", new, old).result is LandResult.LANDED
    assert head_of(repo) == new
    assert git(repo, "status", "--porcelain") == ""
    assert not (repo / "x").exists()


@pytest.mark.parametrize("linked", [False, True])
def test_head_index_and_files_agree_after_landing_mrg_5(workspace: GitWorkspace, repo: Path, linked: bool) -> None:
    old = head_of(repo)
    commit(repo, {"mine.txt": "1\n", "staged.txt": "1\n"})
    old = head_of(repo)
    seen = repo
    if linked:
        git(repo, "switch", "-q", "-c", "elsewhere")
        seen = repo.parent / "linked"
        git(repo, "worktree", "add", "-q", str(seen), "main")
    new = everything(workspace, repo)
    (seen / "mine.txt").write_text("edited\n")
    (seen / "staged.txt").write_text("staged\n")
    git(seen, "add", "staged.txt")
    (seen / "untracked").write_text("u\n")
    dirty = git(seen, "status", "--porcelain")
    for _ in range(2):
        assert workspace.land(PROJECT, str(repo), "main", new, old).result is LandResult.LANDED
    assert_agrees(seen if not linked else repo, new, "" if linked else dirty)
    assert git(seen, "status", "--porcelain") == dirty
    assert (seen / "mine.txt").read_text() == "edited\n"
    assert (seen / "dir").read_text() == "now a file\n"
    assert (seen / "run.sh/inner").read_text() == "now a folder\n"
    assert git(seen, "reflog", "-1", "--format=%gs", "HEAD") == "orchctl: land"
    git(seen, "fsck", "--strict")


def soil_edit(repo: Path) -> str:
    (repo / "a.txt").write_text("my edit\n")
    return "a.txt"


def soil_stage(repo: Path) -> str:
    soil_edit(repo)
    git(repo, "add", "a.txt")
    return "a.txt"


def soil_delete(repo: Path) -> str:
    (repo / "a.txt").unlink()
    return "a.txt"


def soil_mode(repo: Path) -> str:
    (repo / "a.txt").chmod(0o755)
    return "a.txt"


def soil_untracked(repo: Path) -> str:
    (repo / "deep/er").mkdir(parents=True)
    (repo / "deep/er/new.txt").write_text("mine\n")
    return "deep/er/new.txt"


def soil_ignored(repo: Path) -> str:
    (repo / ".git/info/exclude").write_text("deep\n")
    return soil_untracked(repo)


def soil_file_for_folder(repo: Path) -> str:
    (repo / "deep").write_text("mine\n")
    return "deep"


def soil_link_for_folder(repo: Path) -> str:
    (repo.parent / "away/er").mkdir(parents=True)
    (repo / "deep").symlink_to(repo.parent / "away")
    return "deep"


def soil_inside_replaced_folder(repo: Path) -> str:
    (repo / ".git/info/exclude").write_text("*.o\n")
    (repo / "dir/mine.o").write_text("mine\n")
    return "dir/mine.o"


def soil_removed(repo: Path) -> str:
    (repo / "b.txt").write_text("still needed\n")
    return "b.txt"


@pytest.mark.parametrize(
    "soil",
    [
        soil_edit,
        soil_stage,
        soil_delete,
        soil_mode,
        soil_untracked,
        soil_ignored,
        soil_file_for_folder,
        soil_link_for_folder,
        soil_inside_replaced_folder,
        soil_removed,
    ],
)
def test_a_dirty_changed_path_waits_and_is_named_mrg_5(
    workspace: GitWorkspace, repo: Path, soil: Callable[[Path], str]
) -> None:
    old = head_of(repo)
    new = everything(workspace, repo)
    path = soil(repo)
    before = git(repo, "status", "--porcelain", "--ignored"), snapshot(repo)
    landing_ = workspace.land(PROJECT, str(repo), "main", new, old)
    assert (landing_.result, landing_.paths) == (LandResult.DIRTY, (path,))
    assert (git(repo, "status", "--porcelain", "--ignored"), snapshot(repo)) == before
    assert_agrees(repo, old, git(repo, "status", "--porcelain"))


def snapshot(repo: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(repo)): os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
        for path in sorted(repo.rglob("*"))
        if ".git" not in path.relative_to(repo).parts and (path.is_symlink() or path.is_file())
    }


def test_an_edit_that_is_what_lands_does_not_wait(workspace: GitWorkspace, repo: Path) -> None:
    old = head_of(repo)
    new = everything(workspace, repo)
    (repo / "a.txt").write_text("landed\n")
    (repo / "b.txt").unlink()
    (repo / "link").symlink_to("a.txt")
    assert workspace.land(PROJECT, str(repo), "main", new, old).result is LandResult.LANDED
    assert_agrees(repo, new)


def test_the_users_hooks_stay_silent_and_their_filters_work(workspace: GitWorkspace, repo: Path) -> None:
    mark = repo.parent / "hooked"
    for name in ("pre-receive", "update", "post-update", "reference-transaction", "post-checkout", "pre-push"):
        hook = repo / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    commit(repo, {".gitattributes": "*.up filter=up\n"})
    mark.unlink(missing_ok=True)
    git(repo, "config", "filter.up.smudge", "tr a-z A-Z")
    git(repo, "config", "filter.up.clean", "tr A-Z a-z")
    git(repo, "config", "core.hooksPath", "/dev/null")
    old = head_of(repo)
    new = work(workspace, repo, {"x.up": "loud\n"})
    git(repo, "config", "--unset", "core.hooksPath")
    assert workspace.land(PROJECT, str(repo), "main", new, old).result is LandResult.LANDED
    assert not mark.exists()
    assert (repo / "x.up").read_text() == "LOUD\n"
    git(repo, "config", "core.hooksPath", "/dev/null")
    assert_agrees(repo, new)


def test_a_moved_target_is_left_alone_mrg_3(workspace: GitWorkspace, repo: Path) -> None:
    old = head_of(repo)
    new = work(workspace, repo, {"x": "1"})
    moved = commit(repo, {"user": "1"})
    assert workspace.land(PROJECT, str(repo), "main", new, old).result is LandResult.MOVED
    assert_agrees(repo, moved)


def test_the_lock_of_another_git_is_respected_and_never_removed_f14(workspace: GitWorkspace, repo: Path) -> None:
    old = head_of(repo)
    new = work(workspace, repo, {"x": "1"})
    for name in ("index.lock", "refs/heads/main.lock"):
        lock = repo / ".git" / name
        lock.touch()
        with pytest.raises(TransientError):
            workspace.land(PROJECT, str(repo), "main", new, old)
        assert lock.exists()
        lock.unlink()
        assert_agrees(repo, old)
    assert workspace.land(PROJECT, str(repo), "main", new, old).result is LandResult.LANDED
