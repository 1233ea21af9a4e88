"""The workspace adapter against real git: hubs, worktrees, rooms and merges."""

from __future__ import annotations

import concurrent.futures
import os
import shutil
import stat
from pathlib import Path

import pytest

from orchctl.adapters.workspace import GitWorkspace, places
from orchctl.core.ports import Conflicted, Merged, PermanentError
from tests.contract.workspace_place import BY, PROJECT, commit, git, head_of, work

# -- hubs and worktrees


def test_sync_follows_a_rewritten_branch_and_names_what_is_missing(workspace: GitWorkspace, repo: Path) -> None:
    first = workspace.sync(PROJECT, str(repo), "main")
    assert first.head == head_of(repo)
    assert first.tree == git(repo, "rev-parse", "HEAD^{tree}")
    git(repo, "commit", "-q", "--amend", "-m", "other")
    assert workspace.sync(PROJECT, str(repo), "main").head == head_of(repo) != first.head
    with pytest.raises(PermanentError, match="no branch nope"):
        workspace.sync(PROJECT, str(repo), "nope")
    with pytest.raises(PermanentError, match="no repository at"):
        workspace.sync(PROJECT, "/nonexistent/x", "main")


def test_sync_of_a_transport_that_runs_commands_is_refused(workspace: GitWorkspace, tmp_path: Path) -> None:
    with pytest.raises(PermanentError):
        workspace.sync(PROJECT, f"ext::sh -c touch% {tmp_path}/mark", "main")
    with pytest.raises(PermanentError):
        workspace.sync(PROJECT, f"--upload-pack=touch {tmp_path}/mark", "main")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["..", "a/b", "", "-x", "A", ".tmp-x", "a..b", "a\n", "x" * 300])
def test_a_name_never_leads_outside(workspace: GitWorkspace, repo: Path, name: str) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    for call in (
        lambda: workspace.create_tree(PROJECT, name, "orch/x", base),
        lambda: workspace.create_room(PROJECT, name, base),
        lambda: workspace.remove_tree(PROJECT, name),
        lambda: workspace.sync(f"default/{name}", str(repo), "main"),
    ):
        with pytest.raises(PermanentError):
            call()


def test_a_worktree_is_a_clean_clone_on_its_branch_and_made_once(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    assert workspace.tree_path(PROJECT, "one") is None
    tree = workspace.create_tree(PROJECT, "one", "orch/one", base)
    assert git(tree, "status", "--porcelain=v2", "--branch").splitlines()[:2] == [
        f"# branch.oid {base}",
        "# branch.head orch/one",
    ]
    assert git(tree, "remote") == ""
    assert git(tree, "status", "--porcelain") == ""
    assert stat.S_IMODE(os.stat(tree).st_mode) == 0o700
    Path(tree, "mine").touch()
    assert workspace.create_tree(PROJECT, "one", "orch/one", base) == tree == workspace.tree_path(PROJECT, "one")
    assert Path(tree, "mine").exists()
    git(tree, "fsck", "--strict")


def test_a_hundred_creations_in_parallel_succeed_wt_4(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        made = list(
            pool.map(lambda n: workspace.create_tree(PROJECT, f"t{n}", f"orch/t{n}", base), range(100), timeout=60)
        )
    assert len(set(made)) == 100
    for tree in made[::9]:
        assert git(tree, "status", "--porcelain", "--branch") == f"## orch/{Path(tree).name}"
    assert not [entry for entry in Path(made[0]).parent.iterdir() if entry.name.startswith(".")]


def test_two_creations_of_one_worktree_agree_wt_4(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: workspace.create_tree(PROJECT, "one", "orch/one", base), range(8), timeout=60))
    assert len(made) == 1
    assert git(made.pop(), "status", "--porcelain") == ""


def test_leftovers_of_a_dead_maker_are_swept_and_those_of_a_live_one_are_not_wt_4(tmp_path: Path, repo: Path) -> None:
    one, two = GitWorkspace(tmp_path / "state"), GitWorkspace(tmp_path / "state")
    base = one.sync(PROJECT, str(repo), "main").head
    folder = Path(one.create_tree(PROJECT, "one", "orch/one", base)).parent
    live = one._owner.temporary(folder)
    dead = folder / f".tmp-{'0' * 16}-{'1' * 16}"
    for path in (live, dead):
        path.mkdir()
    two.create_tree(PROJECT, "two", "orch/two", base)
    assert live.exists()
    assert not dead.exists()
    one.close()
    two.create_tree(PROJECT, "three", "orch/three", base)
    assert not live.exists()
    two.close()


def test_a_vanished_worktree_is_said_and_made_again_wt_7(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = workspace.create_tree(PROJECT, "one", "orch/one", base)
    shutil.rmtree(tree)
    with pytest.raises(PermanentError, match="is gone"):
        workspace.import_work(PROJECT, "one", "refs/orch/x", base)
    assert workspace.create_tree(PROJECT, "one", "orch/one", base) == tree


def test_a_room_is_fresh_each_time(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    room = Path(workspace.create_room(PROJECT, "gate", base))
    (room / "junk").touch()
    (room / "a.txt").write_text("edited")
    other = work(workspace, repo, {"a.txt": "new\n"})
    assert Path(workspace.create_room(PROJECT, "gate", other)) == room
    assert (room / "a.txt").read_text() == "new\n"
    assert not (room / "junk").exists()
    assert git(room, "rev-parse", "HEAD") == other
    assert git(room, "branch", "--show-current") == ""


def test_removal_survives_read_only_folders_and_spares_what_links_lead_to(
    workspace: GitWorkspace, repo: Path, tmp_path: Path
) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = Path(workspace.create_tree(PROJECT, "one", "orch/one", base))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/kept").touch()
    (tree / "link").symlink_to(tmp_path / "outside")
    (tree / "locked/in").mkdir(parents=True)
    (tree / "locked/in/file").touch()
    (tree / "locked/in").chmod(0o500)
    (tree / "locked").chmod(0o000)
    workspace.remove_tree(PROJECT, "one")
    workspace.remove_tree(PROJECT, "one")
    assert not tree.exists()
    assert list(tree.parent.iterdir()) == []
    assert (tmp_path / "outside/kept").exists()


def test_read_only_folders_are_removed_without_root(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    (folder / "locked/in").mkdir(parents=True)
    (folder / "locked/in/file").touch()
    if os.getuid() == 0:
        for path in (tmp_path, folder, folder / "locked", folder / "locked/in", folder / "locked/in/file"):
            os.chown(path, 65534, 65534)
    for path in (folder / "locked/in", folder / "locked"):
        path.chmod(0o000 if path.name == "locked" else 0o500)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.chdir(tmp_path)
            if os.getuid() == 0:
                os.setuid(65534)
            places.erase(Path("tree"))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not folder.exists()


# -- merging


def test_a_merge_has_one_parent_and_the_same_id_again_mrg_3(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = workspace.create_tree(PROJECT, "one", "orch/one", base)
    commit(tree, {"a.txt": "theirs\n"})
    head = workspace.import_work(PROJECT, "one", "refs/orch/x", base).commit
    moved = commit(repo, {"b.txt": "moved\n"})
    target = workspace.sync(PROJECT, str(repo), "main").head
    assert target == moved
    merged = workspace.merge(PROJECT, target, head, "Title", BY)
    assert isinstance(merged, Merged)
    assert merged == workspace.merge(PROJECT, target, head, "Title", BY)
    assert merged.paths == ("a.txt",)
    hub = workspace._hubs.path(PROJECT)
    assert git(hub, "show", "-s", "--format=%P|%an|%ce|%at|%B", merged.commit) == (
        f"{target}|Orch|orch@example.invalid|1700000000|Title"
    )
    again = workspace.merge(PROJECT, merged.commit, head, "Title", BY)
    assert isinstance(again, Merged)
    assert again.paths == ()


def test_a_conflict_names_its_paths(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = workspace.create_tree(PROJECT, "one", "orch/one", base)
    commit(tree, {"a.txt": "theirs\n", "b.txt": None, "new": "x"})
    head = workspace.import_work(PROJECT, "one", "refs/orch/x", base).commit
    commit(repo, {"a.txt": "ours\n", "b.txt": "kept\n"})
    target = workspace.sync(PROJECT, str(repo), "main").head
    assert workspace.merge(PROJECT, target, head, "t", BY) == Conflicted(("a.txt", "b.txt"))
