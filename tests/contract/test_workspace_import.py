"""What comes back from an agent, and what an agent may plant."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from orchctl.adapters.workspace import GitWorkspace
from orchctl.core.ids import Oid
from orchctl.core.ports import Merged, PermanentError, TransientError
from tests.contract.workspace_place import BY, ENV, PROJECT, commit, git, work

# -- what comes back from an agent


def test_import_takes_head_wherever_it_is(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = workspace.create_tree(PROJECT, "one", "orch/one", base)
    git(tree, "switch", "-q", "--detach")
    commit(tree, {"x": "1"})
    head = commit(tree, {"a.txt": None, "y": "2"})
    for _ in range(2):
        found = workspace.import_work(PROJECT, "one", "refs/orch/attempts/u/1", base)
        assert (found.commit, found.commits, found.paths) == (head, 2, ("a.txt", "x", "y"))
    git(tree, "switch", "-q", "--orphan", "elsewhere")
    with pytest.raises(PermanentError, match="no commit at its HEAD"):
        workspace.import_work(PROJECT, "one", "refs/orch/attempts/u/1", base)
    alone = commit(tree, {"z": "3"})
    assert workspace.import_work(PROJECT, "one", "refs/orch/attempts/u/1", base).commit == alone


def test_import_refuses_objects_that_fsck_refuses_wt_10(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = workspace.create_tree(PROJECT, "one", "orch/one", base)
    blob = git(tree, "rev-parse", "HEAD:a.txt")
    raw = b"100644 .git\0" + bytes.fromhex(blob)
    done = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        cwd=tree,
        env=ENV,
        input=raw,
        capture_output=True,
        check=True,
    )
    evil = git(tree, "commit-tree", done.stdout.decode().strip(), "-p", "HEAD", "-m", "evil")
    git(tree, "update-ref", "HEAD", evil)
    with pytest.raises(PermanentError):
        workspace.import_work(PROJECT, "one", "refs/orch/attempts/u/1", base)


def plant(tree: Path, mark: Path) -> dict[str, str]:
    """Vectors an agent may leave in its clone; each is a shell command that leaves a mark of its name."""
    touch = {name: f"touch {mark}/{name}; cat" for name in ("clean", "smudge", "textconv", "merge", "diff")}
    for name in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change", "pre-auto-gc"):
        hook = tree / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {mark}/hook\n")
        hook.chmod(0o755)
    for name in ("fsmonitor", "pack", "ssh", "pager", "editor", "gpg", "credential", "alternate", "included"):
        script = tree / ".git" / f"evil-{name}"
        script.write_text(f"#!/bin/sh\ntouch {mark}/{name}\n")
        script.chmod(0o755)
    evil = tree / ".git/evil-"
    settings = {
        "core.fsmonitor": f"{evil}fsmonitor",
        "uploadpack.packObjectsHook": f"{evil}pack",
        "core.sshCommand": f"{evil}ssh",
        "core.pager": f"{evil}pager",
        "core.editor": f"{evil}editor",
        "gpg.program": f"{evil}gpg",
        "commit.gpgSign": "true",
        "credential.helper": f"{evil}credential",
        "core.alternateRefsCommand": f"{evil}alternate",
        "filter.x.clean": touch["clean"],
        "filter.x.smudge": touch["smudge"],
        "filter.x.required": "true",
        "diff.x.textconv": touch["textconv"],
        "diff.external": touch["diff"],
        "merge.x.driver": touch["merge"],
        "alias.upload-pack": f"!touch {mark}/alias",
        "remote.origin.url": f"ext::sh -c touch% {mark}/ext",
        "remote.origin.promisor": "true",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
    }
    for key, value in settings.items():
        git(tree, "config", key, value)
    included = tree / ".git/included"
    included.write_text(f"[core]\n\tsshCommand = {evil}included\n")
    git(tree, "config", "include.path", str(included))
    (tree / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
    return settings


def test_nothing_planted_in_a_clone_is_run_wt_10(workspace: GitWorkspace, repo: Path, tmp_path: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = Path(workspace.create_tree(PROJECT, "one", "orch/one", base))
    head = commit(tree, {"a.txt": "by the agent\n", "mod": "m\n", ".gitattributes": "* filter=x diff=x merge=x\n"})
    mark = tmp_path / "marks"
    mark.mkdir()
    assert len(plant(tree, mark)) >= 8
    imported = workspace.import_work(PROJECT, "one", "refs/orch/attempts/u/1", base)
    assert imported.commit == head
    merged = workspace.merge(PROJECT, base, imported.commit, "m", BY)
    assert isinstance(merged, Merged)
    workspace.create_room(PROJECT, "gate", merged.commit)
    workspace.create_tree(PROJECT, "one", "orch/one", base)
    workspace.salvage(PROJECT, "one", "refs/orch/salvage/u/1")
    assert sorted(path.name for path in mark.iterdir()) == []
    # The same vectors do fire under plain git, so the silence above means something.
    (tree / "a.txt").write_text("again\n")
    git(tree, "status", ok=False)
    git(tree, "add", "-A", ok=False)
    git(tree, "commit", "-m", "x", ok=False)
    git(tree, "diff", "HEAD~1", ok=False)
    git(tree, "checkout", "-q", "-b", "other", ok=False)
    git(tree, "fetch", "ssh://127.0.0.1/x", ok=False)
    fired = {path.name for path in mark.iterdir()}
    assert fired >= {"fsmonitor", "hook", "clean", "diff", "gpg"}
    assert fired & {"ssh", "included"}
    workspace.remove_tree(PROJECT, "one")


@pytest.mark.parametrize("how", ["file", "link", "commondir", "alternates", "objects"])
def test_a_swapped_git_folder_is_refused_wt_10(workspace: GitWorkspace, repo: Path, tmp_path: Path, how: str) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = Path(workspace.create_tree(PROJECT, "one", "orch/one", base))
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tree / ".git", elsewhere)
    match how:
        case "file" | "link":
            shutil.rmtree(tree / ".git")
            if how == "file":
                (tree / ".git").write_text(f"gitdir: {elsewhere}\n")
            else:
                (tree / ".git").symlink_to(elsewhere)
        case "commondir":
            (tree / ".git/commondir").write_text(str(elsewhere))
        case "alternates":
            (tree / ".git/objects/info/alternates").write_text(f"{repo}/.git/objects\n")
        case "objects":
            shutil.rmtree(tree / ".git/objects")
            (tree / ".git/objects").symlink_to(elsewhere / "objects")
    for call in (
        lambda: workspace.import_work(PROJECT, "one", "refs/orch/x", base),
        lambda: workspace.salvage(PROJECT, "one", "refs/orch/salvage/x"),
        lambda: workspace.create_tree(PROJECT, "one", "orch/one", base),
    ):
        with pytest.raises(PermanentError, match="tampered"):
            call()


def test_a_clone_that_blocks_git_meets_the_deadline(
    workspace: GitWorkspace, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = Path(workspace.create_tree(PROJECT, "one", "orch/one", base))
    (tree / ".git/packed-refs").unlink(missing_ok=True)
    os.mkfifo(tree / ".git/packed-refs")
    run = type(workspace._hubs._git).run
    monkeypatch.setattr(type(workspace._hubs._git), "run", lambda *a, **k: run(*a, **{**k, "deadline_s": 0.5}))
    with pytest.raises(TransientError, match="took longer"):
        workspace.salvage(PROJECT, "one", "refs/orch/salvage/x")


def test_salvage_keeps_refs_head_and_every_stash(workspace: GitWorkspace, repo: Path) -> None:
    base = workspace.sync(PROJECT, str(repo), "main").head
    tree = workspace.create_tree(PROJECT, "one", "orch/one", base)
    commit(tree, {"x": "1"})
    git(tree, "tag", "-a", "v1", "-m", "v1")
    for text in ("first", "second"):
        Path(tree, "a.txt").write_text(text)
        git(tree, "stash")
    stashes = [git(tree, "rev-parse", f"stash@{{{n}}}") for n in (0, 1)]
    kept = workspace.salvage(PROJECT, "one", "refs/orch/salvage/u/1")
    assert kept == workspace.salvage(PROJECT, "one", "refs/orch/salvage/u/1")
    workspace.remove_tree(PROJECT, "one")
    hub = workspace._hubs.path(PROJECT)
    prefix = "refs/orch/salvage/u/1"
    assert {f"{prefix}/{name}" for name in ("HEAD", "heads/orch/one", "stash", "tags/v1")} < set(kept)
    assert [git(hub, "rev-parse", f"{prefix}/stashes/{n}") for n in (0, 1)] == stashes
    assert git(hub, "show", f"{prefix}/stashes/1:a.txt") == "first"


def test_move_branch_is_idempotent_and_wants_a_known_commit(workspace: GitWorkspace, repo: Path) -> None:
    new = work(workspace, repo, {"x": "1"})
    for _ in range(2):
        workspace.move_branch(PROJECT, "orch/one", new)
    assert git(workspace._hubs.path(PROJECT), "rev-parse", "refs/heads/orch/one") == new
    with pytest.raises(PermanentError, match="no commit"):
        workspace.move_branch(PROJECT, "orch/one", Oid("1" * 40))
