"""Every way a control repo may lie on the disk gives the same manifests (GIT-1, GIT-6)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchctl.adapters.gitsource import repository, source
from orchctl.core.ids import Oid
from orchctl.core.ports import PermanentError
from tests.unit.gitsource import signing

PLAIN = "manifests/a.yaml"


def ordinary(folder: Path) -> tuple[Path, str]:
    made = signing.Signed(folder / "repo")
    made.commit("one")
    made.commit("two")
    return made.folder, signing.MAIN


def bare(folder: Path) -> tuple[Path, str]:
    where, ref = ordinary(folder)
    signing.run(folder, "git", "clone", "-q", "--bare", str(where), "bare.git")
    return folder / "bare.git", ref


def linked(folder: Path) -> tuple[Path, str]:
    where, ref = ordinary(folder)
    signing.run(where, "git", "worktree", "add", "-q", "--detach", str(folder / "linked"))
    return folder / "linked", ref


def of_a_bare_one(folder: Path) -> tuple[Path, str]:
    where, ref = bare(folder)
    signing.run(where, "git", "worktree", "add", "-q", str(folder / "linked"), "main")
    return folder / "linked", ref


def packed(folder: Path) -> tuple[Path, str]:
    where, ref = ordinary(folder)
    signing.run(where, "git", "pack-refs", "--all")
    signing.run(where, "git", "gc", "-q")
    assert not (where / ".git/refs/heads/main").exists()
    return where, ref


def symbolic(folder: Path) -> tuple[Path, str]:
    where, _ = ordinary(folder)
    signing.run(where, "git", "symbolic-ref", "refs/heads/current", signing.MAIN)
    return where, "refs/heads/current"


def tagged(folder: Path) -> tuple[Path, str]:
    where, _ = ordinary(folder)
    signing.run(where, "git", "tag", "-a", "-m", "release", "v1")
    return where, "refs/tags/v1"


def shallow(folder: Path) -> tuple[Path, str]:
    where, ref = ordinary(folder)
    signing.run(folder, "git", "clone", "-q", "--depth=1", f"file://{where}", "shallow")
    return folder / "shallow", ref


def borrowing(folder: Path) -> tuple[Path, str]:
    where, ref = ordinary(folder)
    signing.run(folder, "git", "clone", "-q", "--shared", str(where), "borrowing")
    return folder / "borrowing", ref


def apart(folder: Path) -> tuple[Path, str]:
    """The git dir is not in the working tree."""
    where, ref = ordinary(folder)
    signing.run(where, "git", "init", "-q", f"--separate-git-dir={folder / 'apart.git'}")
    return where, ref


LAYOUTS = [ordinary, bare, linked, of_a_bare_one, packed, symbolic, tagged, shallow, borrowing, apart]


@pytest.mark.parametrize("lay", LAYOUTS, ids=lambda lay: lay.__name__)
def test_git_1_every_layout_is_read(lay: Callable[[Path], tuple[Path, str]], tmp_path: Path) -> None:
    where, ref = lay(tmp_path)
    one = source.GitSource(where, ref)
    head = one.head()
    assert head == signing.run(where, "git", "rev-parse", f"{ref}^{{commit}}")
    assert head is not None
    [change] = one.observe(head, None, ("manifests",)).changes
    assert change.path == PLAIN
    assert change.new_oid is not None
    assert one.read(change.new_oid) == b"two"
    assert one.repo.has_file(head, PLAIN)
    assert not one.repo.has_file(head, "manifests")


@pytest.mark.parametrize("lay", [ordinary, bare, linked, packed, symbolic, borrowing], ids=lambda lay: lay.__name__)
def test_git_2_what_is_committed_later_is_seen_by_the_same_reader(
    lay: Callable[[Path], tuple[Path, str]], tmp_path: Path
) -> None:
    where, ref = lay(tmp_path)
    one = source.GitSource(where, ref)
    head = one.head()
    assert head is not None
    tree = signing.run(where, "git", "rev-parse", f"{head}^{{tree}}")
    for number in range(2):
        new = signing.run(where, "git", "commit-tree", tree, "-p", str(head), "-m", f"next {number}")
        signing.run(where, "git", "update-ref", ref, new)
        assert one.head() == new
        signing.run(where, "git", "pack-refs", "--all")
        assert one.head() == new
        head = Oid(new)


def test_git_6_a_rewritten_history_whose_old_commits_are_gone_is_listed_in_full(tmp_path: Path) -> None:
    where, ref = ordinary(tmp_path)
    one = source.GitSource(where, ref)
    before = one.head()
    assert before is not None
    seen = one.observe(before, None, ("manifests",))
    signing.run(where, "git", "checkout", "-q", "--orphan", "other")
    (where / PLAIN).write_text("three")
    signing.run(where, "git", "commit", "-q", "-a", "-m", "other")
    signing.run(where, "git", "branch", "-q", "-M", "other", "main")
    signing.run(where, "git", "reflog", "expire", "--expire=now", "--all")
    signing.run(where, "git", "gc", "-q", "--prune=now")
    head = one.head()
    assert head is not None
    after = one.observe(head, seen.tree, ("manifests",))
    assert after.full
    assert [change.path for change in after.changes] == [PLAIN]
    assert not one.repo.contains(head, before)


def test_git_1_a_shallow_clone_knows_no_history_and_calls_nothing_rewritten_that_it_can_see(tmp_path: Path) -> None:
    where, ref = shallow(tmp_path)
    one = source.GitSource(where, ref)
    before = one.head()
    assert before is not None
    signing.run(where, "git", "commit", "-q", "--allow-empty", "-m", "next")
    after = one.head()
    assert after is not None
    assert one.repo.contains(after, before)


@pytest.mark.parametrize("lay", [ordinary, bare, linked, apart], ids=lambda lay: lay.__name__)
def test_a_reftable_is_refused_with_the_way_out(lay: Callable[[Path], tuple[Path, str]], tmp_path: Path) -> None:
    where, _ = lay(tmp_path)
    signing.run(where, "git", "config", "core.repositoryFormatVersion", "1")
    signing.run(where, "git", "config", "extensions.refStorage", "reftable")
    with pytest.raises(PermanentError, match="git refs migrate --ref-format=files"):
        repository.ControlRepo.open(where)


def test_what_is_no_repository_is_not_called_a_reftable(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("nothing\n")
    with pytest.raises(PermanentError, match="is not a git repository"):
        repository.ControlRepo.open(tmp_path)
