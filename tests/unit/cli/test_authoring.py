"""init and run write manifests and commit nothing but them (GIT-9)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from orchctl.adapters.manifests import catalog
from orchctl.app import authoring, committing
from orchctl.app.read import failures, locate
from tests.unit.cli import ledger_fixture
from tests.unit.cli.conftest import Command


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True, text=True).stdout.strip()


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")


def test_init_asks_nothing_and_overwrites_nothing(repo: Path, orchctl: Command) -> None:
    (repo / "Makefile").write_text("test:\n\ttrue\n")
    first = orchctl("init")
    assert first.code == 0
    assert "check found: make test" in first.output
    path = repo / "manifests" / "project.yaml"
    assert YAML(typ="safe").load(path)["spec"] == {"checks": [{"name": "unit", "run": "make test"}]}
    path.write_text("mine")
    second = orchctl("init")
    assert second.code == 0
    assert "nothing was changed" in second.output
    assert path.read_text() == "mine"


def test_init_copies_the_catalogue_and_overwrites_nothing(repo: Path, orchctl: Command) -> None:
    mine = "apiVersion: orchctl.dev/v1alpha1\nkind: Role\nmetadata: {name: coder}\nspec: {system: Mine.}\n"
    (repo / "manifests" / "catalog" / "agents").mkdir(parents=True)
    (repo / "manifests" / "mine.yaml").write_text(mine)
    (repo / "manifests" / "catalog" / "agents" / "codex.yaml").write_text("# mine\n")
    done = orchctl("init", "--catalog")
    assert done.code == 0, done.error
    assert "left out manifests/catalog/roles/coder.yaml" in done.output
    assert "left out manifests/catalog/agents/codex.yaml" in done.output
    assert "git add manifests " in done.output
    folder = repo / "manifests" / "catalog"
    assert not (folder / "roles" / "coder.yaml").exists()
    assert (folder / "agents" / "codex.yaml").read_text() == "# mine\n"
    built_in = catalog.folder() / "pipelines" / "change.yaml"
    assert (folder / "pipelines" / "change.yaml").read_bytes() == built_in.read_bytes()
    assert orchctl("lint").code == 0
    again = orchctl("init", "--catalog")
    assert "0 built-in manifests written" in again.output
    assert "nothing was changed" in again.output


def test_the_catalogue_is_copied_through_no_link(repo: Path, tmp_path: Path, orchctl: Command) -> None:
    (tmp_path / "outside").mkdir()
    (repo / "manifests").mkdir()
    (repo / "manifests" / "catalog").symlink_to(tmp_path / "outside")
    assert orchctl("init", "--catalog").code == failures.CONFLICT
    assert not list((tmp_path / "outside").iterdir())


def test_init_outside_a_repository_says_git_init(tmp_path: Path, orchctl: Command) -> None:
    result = orchctl("init", cwd=tmp_path)
    assert result.code == failures.USAGE
    assert "git init" in result.error


@pytest.mark.parametrize(
    ("files", "checks"),
    [
        ({"pyproject.toml": "[project]", "tests/test_a.py": ""}, ("pytest -q",)),
        ({"pyproject.toml": "[project]"}, ("python3 -m unittest",)),
        ({"package.json": '{"scripts": {"test": "jest"}}'}, ("npm test",)),
        ({"package.json": "not json"}, ()),
        ({"Cargo.toml": ""}, ("cargo test",)),
        ({"go.mod": ""}, ("go test ./...",)),
        ({"Makefile": "all:\n"}, ()),
    ],
)
def test_checks_are_guessed_from_the_files(files: dict[str, str], checks: tuple[str, ...], tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert authoring.guess_checks(tmp_path) == checks


def test_run_commits_only_its_manifest_and_leaves_other_work_alone(repo: Path, orchctl: Command) -> None:
    (repo / "a.txt").write_text("a\n")
    (repo / "b.txt").write_text("b\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "start")
    (repo / "a.txt").write_text("staged\n")
    git(repo, "add", "a.txt")
    (repo / "b.txt").write_text("unstaged\n")
    (repo / "c.txt").write_text("untracked\n")
    before = git(repo, "status", "--porcelain")

    result = orchctl("run", "Fix the login: it fails.\n\nAdd a test.", "--agent", "script", "--no-follow")
    assert result.code == 0, result.error
    assert result.output.startswith("task/fix-the-login-it-fails created (manifests/tasks/fix-the-login-it-fails.yaml")
    assert git(repo, "status", "--porcelain") == before
    assert git(repo, "show", "--name-only", "--format=%an", "HEAD").split() == [
        "Ada",
        "manifests/tasks/fix-the-login-it-fails.yaml",
    ]
    manifest = YAML(typ="safe").load(git(repo, "show", "HEAD:manifests/tasks/fix-the-login-it-fails.yaml"))
    assert manifest["spec"] == {"agents": ["script"], "prompt": "Fix the login: it fails.\n\nAdd a test."}
    assert "No controller is running" in result.error


def test_a_taken_name_gets_a_suffix_unless_it_was_asked_for(repo: Path, orchctl: Command) -> None:
    for expected in ("fix-it", "fix-it-2", "fix-it-3"):
        assert orchctl("run", "Fix it", "--no-follow").output.startswith(f"task/{expected} ")
    taken = orchctl("run", "Other", "--name", "fix-it", "--no-follow")
    assert taken.code == failures.CONFLICT
    assert "exists already" in taken.error
    assert orchctl("run", "Other", "--name", "Not A Name", "--no-follow").code == failures.USAGE
    assert orchctl("run", "  ", "--no-follow").code == failures.USAGE
    assert git(repo, "status", "--porcelain") == ""


def test_run_works_on_a_bare_control_repo(tmp_path: Path, orchctl: Command) -> None:
    bare = ledger_fixture.make_repo(tmp_path / "bare.git", bare=True)
    result = orchctl("run", "Fix it", "--no-follow", "--repo", str(bare))
    assert result.code == 0, result.error
    assert git(bare, "ls-tree", "-r", "--name-only", "main") == "manifests/tasks/fix-it.yaml"


def test_run_can_commit_to_a_branch_that_is_not_checked_out(repo: Path, orchctl: Command) -> None:
    git(repo, "commit", "-q", "--allow-empty", "-m", "start")
    git(repo, "branch", "control")
    head = git(repo, "rev-parse", "HEAD")
    assert orchctl("run", "Fix it", "--no-follow", "--ref", "control").code == 0
    assert git(repo, "rev-parse", "HEAD") == head
    assert git(repo, "status", "--porcelain") == ""
    assert git(repo, "ls-tree", "-r", "--name-only", "control") == "manifests/tasks/fix-it.yaml"


def test_a_branch_that_moves_meanwhile_loses_no_commit(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The swap compares: what somebody else committed in between stays, and ours comes after it."""
    git(repo, "commit", "-q", "--allow-empty", "-m", "start")
    branch = committing.ControlBranch(locate.locate(str(repo), {}))
    plain = committing.ControlBranch._tree_with
    rivals = iter([1])

    def with_rival(self: committing.ControlBranch, tip: str, path: str, blob: str) -> str:
        tree = plain(self, tip, path, blob)
        if next(rivals, None):
            git(repo, "commit", "-q", "--allow-empty", "-m", "rival")
        return tree

    monkeypatch.setattr(committing.ControlBranch, "_tree_with", with_rival)
    branch.add("manifests/tasks/a.yaml", "kind: Task\n", "Add a")
    assert git(repo, "log", "--format=%s").split() == ["Add", "a", "rival", "start"]


def test_a_failed_commit_leaves_no_file(repo: Path, monkeypatch: pytest.MonkeyPatch, orchctl: Command) -> None:
    monkeypatch.setenv("GIT_COMMITTER_NAME", "")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "")
    result = orchctl("run", "Fix it", "--no-follow")
    assert result.code == failures.FAILED
    assert "git" in result.error
    assert git(repo, "status", "--porcelain") == ""


def test_a_link_leads_no_manifest_out_of_the_repo(repo: Path, tmp_path: Path, orchctl: Command) -> None:
    (tmp_path / "outside").mkdir()
    (repo / "manifests").symlink_to(tmp_path / "outside")
    assert orchctl("run", "Fix it", "--no-follow").code != 0
    assert not any((tmp_path / "outside").rglob("*.yaml"))


@pytest.mark.usefixtures("ledger")
def test_task_4_rerun_prints_or_commits_another_task_that_asks_for_the_same(repo: Path, orchctl: Command) -> None:
    printed = orchctl("rerun", "fix-cache")
    assert printed.code == 0, printed.error
    shown = YAML(typ="safe").load(printed.output)
    assert shown["kind"] == "Task"
    assert shown["metadata"]["name"] != "fix-cache"
    assert git(repo, "rev-list", "--all", "--count") in ("", "0", "1")
    done = orchctl("rerun", "task/fix-cache", "--name", "once-more", "--commit")
    assert done.code == 0, done.error
    assert done.output.startswith("task/once-more created (manifests/tasks/once-more.yaml, commit ")
    again = YAML(typ="safe").load((repo / "manifests/tasks/once-more.yaml").read_text())
    assert again["spec"] == shown["spec"]
    assert orchctl("rerun", "fix-cache", "--name", "once-more", "--commit").code == failures.CONFLICT
