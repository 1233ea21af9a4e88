"""The informer's source: the same diff as git's, what is never followed, and hints that a ref moved."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pygit2
import pytest
from hypothesis import strategies

from orchctl.adapters.gitsource import GitSource, RefWatcher, repository, source, treediff
from orchctl.core.ids import Oid
from orchctl.core.ports import PermanentError

WHO = pygit2.Signature("Dev", "dev@example.invalid", 1_700_000_000, 0)
BLOB, EXEC, LINK, MODULE = 0o100644, 0o100755, 0o120000, 0o160000

Files = dict[str, tuple[int, str]]


def look(one: GitSource, last: Oid | None, roots: tuple[str, ...] = ("manifests",)) -> source.Observation | None:
    head = one.head()
    return None if head is None else one.observe(head, last, roots)


def git(folder: Path, *args: str) -> str:
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout


def write(repo: pygit2.Repository, files: Files) -> Oid:
    index = pygit2.Index()
    for path, (mode, text) in files.items():
        oid = pygit2.Oid(hex="1" * 40) if mode == MODULE else repo.create_blob(text.encode())
        index.add(pygit2.IndexEntry(path, oid, pygit2.enums.FileMode(mode)))
    return Oid(str(index.write_tree(repo)))


def commit(repo: pygit2.Repository, files: Files, ref: str = "refs/heads/main") -> Oid:
    parents = [repo.references[ref].target] if ref in repo.references else []
    return Oid(str(repo.create_commit(ref, WHO, WHO, "m", pygit2.Oid(hex=write(repo, files)), parents)))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path_factory.mktemp("trees")), bare=True)


@pytest.fixture
def repo(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "control"), bare=True, initial_head="main")


NAMES = strategies.sampled_from(["a", "b.yaml", "c.yml", "manifests", "m.yaml", "d", "é.yaml", "sp ace.yaml"])
PATHS = strategies.lists(NAMES, min_size=1, max_size=4).map("/".join)
ITEMS = strategies.tuples(
    strategies.sampled_from([BLOB, BLOB, BLOB, EXEC, LINK, MODULE]), strategies.sampled_from(["", "1", "2", "3"])
)


def without_clashes(files: Files) -> Files:
    """A path that is also a folder of another one is left out: a tree cannot hold both."""
    folders = {"/".join(path.split("/")[:n]) for path in files for n in range(1, path.count("/") + 1)}
    return {path: item for path, item in files.items() if path not in folders}


TREES = strategies.dictionaries(PATHS, ITEMS, max_size=12).map(without_clashes)


def by_git(repo: pygit2.Repository, old: Oid, new: Oid, root: str) -> set[tuple[str, str | None, str | None]]:
    out = git(Path(repo.path), "diff-tree", "-r", "-z", "--no-renames", old, new)
    fields = out.split("\0")
    found: set[tuple[str, str | None, str | None]] = set()
    for head, path in zip(fields[0::2], fields[1::2], strict=False):
        if not path.endswith((".yaml", ".yml")) or (root and not path.startswith(f"{root}/")):
            continue
        old_mode, new_mode, old_oid, new_oid, _ = head.removeprefix(":").split(" ")
        sides = tuple(
            oid if int(mode, 8) in (BLOB, EXEC) else None for mode, oid in ((old_mode, old_oid), (new_mode, new_oid))
        )
        if any(sides):
            found.add((path, *sides))  # type: ignore[arg-type]
    return found


@hypothesis.settings(
    max_examples=150, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(TREES, TREES, strategies.sampled_from(["", "manifests", "manifests/d"]), strategies.booleans())
def test_the_diff_is_gits_own(shared: pygit2.Repository, one: Files, two: Files, root: str, edit: bool) -> None:
    """Pairs without relation and, with `edit`, pairs that share most entries; swaps of files and folders included."""
    old = write(shared, one)
    new = write(shared, without_clashes({**one, **two}) if edit else two)
    reader = repository.ControlRepo(shared).read_tree
    found = treediff.changes(reader, old, new, (root,))
    assert {(change.path, change.old_oid, change.new_oid) for change in found} == by_git(shared, old, new, root)
    assert list(found) == sorted(found, key=lambda change: change.path)


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(
    strategies.sets(strategies.integers(0, 2999), max_size=4),
    strategies.sets(strategies.integers(0, 2999), max_size=4),
    strategies.sets(strategies.integers(3000, 3010), max_size=2),
)
def test_a_flat_folder_too_large_to_parse_is_diffed_alike(edited: set[int], gone: set[int], added: set[int]) -> None:
    def raw(numbers: set[int], other: set[int]) -> bytes:
        oids = {n: (n * 7919 + (n in other)).to_bytes(20, "big") for n in numbers}
        return b"".join(b"100644 m%d.yaml\0" % n + oids[n] for n in sorted(numbers, key=lambda n: f"m{n}.yaml"))

    before, after = set(range(3000)), (set(range(3000)) - gone) | added
    one, two = raw(before, set()), raw(after, edited)
    assert len(one) > treediff.TRIM_FROM
    trees = {"1" * 40: one, "2" * 40: two if two != one else one}
    found = treediff.changes(lambda oid: trees[oid], Oid("1" * 40), Oid("2" * 40), ("",))
    assert {change.path for change in found} == {f"m{n}.yaml" for n in (edited - gone) | gone | added}


def test_links_and_submodules_are_never_followed_git_8(repo: pygit2.Repository) -> None:
    commit(
        repo,
        {
            "manifests/link.yaml": (LINK, "/etc/passwd"),
            "manifests/module.yaml": (MODULE, ""),
            "manifests/real.yaml": (BLOB, "x"),
            "manifests/other.txt": (BLOB, "x"),
            "outside.yaml": (BLOB, "x"),
        },
    )
    seen = look(GitSource(repo.path, "main"), None)
    assert seen is not None
    assert [change.path for change in seen.changes] == ["manifests/real.yaml"]


def test_a_root_that_is_a_link_or_absent_is_empty(repo: pygit2.Repository) -> None:
    commit(repo, {"manifests": (LINK, "/etc"), "a.yaml": (BLOB, "x")})
    seen = look(GitSource(repo.path, "main"), None, ("manifests", "nowhere/at/all"))
    assert seen is not None
    assert seen.changes == ()


def test_only_what_changed_is_observed_git_2(repo: pygit2.Repository) -> None:
    one = GitSource(repo.path, "refs/heads/main")
    assert look(one, None) is None
    files: Files = {f"manifests/{n}.yaml": (BLOB, str(n)) for n in range(20)}
    commit(repo, files)
    first = look(one, None)
    assert first is not None
    assert first.full
    assert len(first.changes) == 20
    head = commit(repo, {**files, "manifests/7.yaml": (BLOB, "new")})
    second = look(one, first.tree)
    assert second is not None
    assert not second.full
    assert (second.commit, [change.path for change in second.changes]) == (head, ["manifests/7.yaml"])
    assert second.changes[0].new_oid is not None
    assert one.read(second.changes[0].new_oid) == b"new"
    third = look(one, second.tree)
    assert third is not None
    assert third.changes == ()


def test_a_rewritten_branch_is_a_new_level_git_6(repo: pygit2.Repository) -> None:
    commit(repo, {"manifests/a.yaml": (BLOB, "1"), "manifests/b.yaml": (BLOB, "1")})
    one = GitSource(repo.path, "main")
    first = look(one, None)
    assert first is not None
    repo.references.delete("refs/heads/main")
    commit(repo, {"manifests/a.yaml": (BLOB, "2"), "manifests/b.yaml": (BLOB, "1")})
    second = look(one, first.tree)
    assert second is not None
    assert [change.path for change in second.changes] == ["manifests/a.yaml"]
    gone = look(one, Oid("d" * 40))
    assert gone is not None
    assert gone.full
    assert len(gone.changes) == 2


def test_a_moved_file_is_one_gone_and_one_come_with_the_same_blob_git_4(repo: pygit2.Repository) -> None:
    commit(repo, {"manifests/a.yaml": (BLOB, "1")})
    one = GitSource(repo.path, "main")
    first = look(one, None)
    assert first is not None
    commit(repo, {"manifests/x/b.yaml": (BLOB, "1")})
    second = look(one, first.tree)
    assert second is not None
    gone, come = second.changes
    assert (gone.path, gone.new_oid, come.path, come.old_oid) == (
        "manifests/a.yaml",
        None,
        "manifests/x/b.yaml",
        None,
    )
    assert gone.old_oid == come.new_oid


def test_a_huge_manifest_is_refused_before_it_is_read_git_8(repo: pygit2.Repository) -> None:
    fits = repo.create_blob(b"x" * source.MANIFEST_BYTES_MAX)
    large = repo.create_blob(b"x" * (source.MANIFEST_BYTES_MAX + 1))
    one = GitSource(repo.path, "main")
    assert len(one.read(Oid(str(fits)))) == source.MANIFEST_BYTES_MAX
    with pytest.raises(PermanentError, match="the most that is read"):
        one.read(Oid(str(large)))
    with pytest.raises(PermanentError, match="no object"):
        one.read(Oid("d" * 40))


@pytest.fixture
def layouts(tmp_path: Path, repo: pygit2.Repository) -> dict[str, Path]:
    commit(repo, {"manifests/a.yaml": (BLOB, "1")})
    git(tmp_path, "clone", "-q", repo.path, "clone")
    git(tmp_path / "clone", "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    return {"bare": Path(repo.path), "clone": tmp_path / "clone", "linked": tmp_path / "linked"}


def test_every_layout_is_opened_and_a_clone_has_one_uid(layouts: dict[str, Path]) -> None:
    opened = {name: repository.ControlRepo.open(path) for name, path in layouts.items()}
    assert [repo.head_branch() for repo in opened.values()] == ["main", "main", "side"]
    assert len({repo.resolve("HEAD") for repo in opened.values()}) == 1
    assert opened["linked"].common_dir == opened["clone"].common_dir != opened["linked"].git_dir
    found: list[str] = []
    asking = [
        threading.Thread(target=lambda: found.append(repository.repo_uid(opened["linked"].git_dir))) for _ in range(8)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(10)
    assert {*found} == {repository.repo_uid(opened["clone"].git_dir)}
    assert len(found) == 8
    assert repository.repo_uid(opened["bare"].git_dir) not in found
    assert sorted(path.name for path in opened["clone"].common_dir.glob("orchctl-uid*")) == ["orchctl-uid"]


def test_what_is_no_repository_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="not a git repository"):
        GitSource(tmp_path / "none", "main")


def moved_by_commit(repo: pygit2.Repository) -> None:
    commit(repo, {"manifests/a.yaml": (BLOB, "2")})


def moved_by_packing(repo: pygit2.Repository) -> None:
    git(Path(repo.path), "pack-refs", "--all")


@pytest.mark.parametrize("move", [moved_by_commit, moved_by_packing])
def test_a_moved_ref_is_hinted_git_2(repo: pygit2.Repository, move: Callable[[pygit2.Repository], None]) -> None:
    commit(repo, {"manifests/a.yaml": (BLOB, "1")})
    hinted = threading.Event()
    watcher = RefWatcher(Path(repo.path), "main", hinted.set, poll_s=0.2)
    watcher.start()
    try:
        assert watcher.wait_armed(10)
        assert hinted.wait(10)  # the first one is for what came before
        hinted.clear()
        move(repo)
        assert hinted.wait(10)
        assert watcher.resolve() == str(repo.references["refs/heads/main"].target)
    finally:
        assert watcher.stop()


def test_a_file_in_the_other_folder_is_hinted_too_also_when_that_comes_later(
    repo: pygit2.Repository, tmp_path: Path
) -> None:
    commit(repo, {"manifests/a.yaml": (BLOB, "1")})
    folder = tmp_path / "inbox"
    hinted = threading.Event()
    watcher = RefWatcher(Path(repo.path), "main", hinted.set, poll_s=0.2, also=folder)
    watcher.start()
    try:
        assert watcher.wait_armed(10)
        assert hinted.wait(10)
        hinted.clear()
        folder.mkdir()
        assert hinted.wait(10), "looked at from its beginning"
        for n in range(2):
            hinted.clear()
            (folder / f"{n}.json").write_text("{}")
            assert hinted.wait(10)
    finally:
        assert watcher.stop()


def test_a_ref_in_folders_that_come_and_go_is_still_hinted(repo: pygit2.Repository) -> None:
    commit(repo, {"manifests/a.yaml": (BLOB, "1")})
    hinted = threading.Event()
    watcher = RefWatcher(Path(repo.path), "deep/er/branch", hinted.set, poll_s=0.2)
    watcher.start()
    try:
        assert watcher.wait_armed(10)
        assert watcher.resolve() is None
        for n in range(2):
            assert hinted.wait(10)
            hinted.clear()
            commit(repo, {"manifests/a.yaml": (BLOB, str(n))}, "refs/heads/deep/er/branch")
            assert hinted.wait(10)
            git(Path(repo.path), "pack-refs", "--all", "--prune")
    finally:
        assert watcher.stop()


def test_a_missing_repository_does_not_keep_the_watcher_from_stopping(tmp_path: Path) -> None:
    watcher = RefWatcher(tmp_path / "none", "main", lambda: None, poll_s=30)
    watcher.start()
    assert watcher.stop()
