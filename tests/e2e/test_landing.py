"""How work lands in the user's own repository, in every shape one may have (MRG-5, GATE-7)."""

from __future__ import annotations

import pathlib

import pytest

from tests.e2e import sandbox

TASK_FILE = "manifests/fix.yaml"


def _agree(box: sandbox.Sandbox, *, where: pathlib.Path | None = None) -> None:
    """HEAD, index and files hold the merge."""
    tree = where or box.repo
    assert (tree / "greet.sh").read_text() == "echo hello\n"
    assert box.git("show", "HEAD:greet.sh", cwd=tree) == "echo hello"
    assert box.git("show", ":greet.sh", cwd=tree) == "echo hello"
    assert box.git("log", "-1", "--format=%an", cwd=tree) == "orchctl"


def test_mrg_5_unrelated_dirty_files_stay_as_they_are(box: sandbox.Sandbox) -> None:
    box.write("notes.txt", "one\n")
    box.write("plan.txt", "one\n")
    box.write(TASK_FILE, sandbox.task(sandbox.FIX))
    box.commit("Start")
    box.write("notes.txt", "two, staged\n")
    box.git("add", "notes.txt")
    box.write("notes.txt", "three, not staged\r\nno end of line")
    box.write("plan.txt", "mine\n")
    box.write("untracked.bin", "\x00\x01\n")
    box.write("added.txt", "staged as new\n")
    box.git("add", "added.txt")
    before = box.git("status", "--porcelain=v1", "--untracked-files=all")
    files = {name: (box.repo / name).read_bytes() for name in ("notes.txt", "plan.txt", "untracked.bin", "added.txt")}
    box.until_idle()
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    _agree(box)
    assert {name: (box.repo / name).read_bytes() for name in files} == files
    assert box.git("status", "--porcelain=v1", "--untracked-files=all") == before
    assert box.git("show", ":notes.txt") == "two, staged"


def _spoil(box: sandbox.Sandbox, how: str) -> str:
    """Makes the work's path dirty; returns the path."""
    if how == "untracked":
        box.write("new.txt", "mine\n")
        return "new.txt"
    box.write("greet.sh", "echo goodbye\n# mine\n")
    if how == "staged":
        box.git("add", "greet.sh")
    return "greet.sh"


def _clean_up(box: sandbox.Sandbox, how: str) -> None:
    if how == "untracked":
        (box.repo / "new.txt").rename(box.root / "new.txt")
    elif how == "staged":
        box.git("stash", "push", "-q")
    else:
        box.git("checkout", "--", "greet.sh")


@pytest.mark.parametrize("how", ["unstaged", "staged", "untracked"])
def test_mrg_5_a_conflicting_dirty_file_is_waited_for_and_named(box: sandbox.Sandbox, how: str) -> None:
    box.write(TASK_FILE, sandbox.task(sandbox.FIX, "write new.txt theirs"))
    box.commit("Start")
    path = _spoil(box, how)
    mine = (box.repo / path).read_bytes()
    with box.controller():
        box.until_summary("fix", "Waiting(MergeQueue)")
        said = box.orchctl("why", "task/fix")
        assert path in said.splitlines()[0]
        assert "MRG-5" in said
        assert path in box.seen("Task", "fix")["status"]["waiting"]["message"]
        assert path in box.status_file("task", "fix").read_text()
        assert (box.repo / path).read_bytes() == mine
        _clean_up(box, how)
        box.until_summary("fix", "Merged")
    _agree(box)
    assert box.git("status", "--porcelain") == ""


def test_mrg_5_a_conflicting_change_that_is_committed_is_merged_with(box: sandbox.Sandbox) -> None:
    box.write(TASK_FILE, sandbox.task(sandbox.FIX))
    box.write("greet.sh", "echo goodbye\n\n\n\n\n# end\n")
    box.commit("Start")
    box.write("greet.sh", "echo goodbye\n\n\n\n\n# the very end\n")
    with box.controller():
        box.until_summary("fix", "Waiting(MergeQueue)")
        box.git("commit", "-q", "-am", "Mine")
        box.until_summary("fix", "Merged")
    assert (box.repo / "greet.sh").read_text() == "echo hello\n\n\n\n\n# the very end\n"
    assert box.git("status", "--porcelain") == ""


def test_mrg_5_a_branch_that_is_not_checked_out_moves_alone(box: sandbox.Sandbox) -> None:
    box.write(TASK_FILE, sandbox.task(sandbox.FIX))
    box.commit("Start")
    box.git("checkout", "-q", "-b", "mine")
    box.write("greet.sh", "echo mine\n")
    box.orchctl("controller", "--until-idle", "--ref", "main")
    assert box.git("show", "main:greet.sh") == "echo hello"
    assert (box.repo / "greet.sh").read_text() == "echo mine\n"
    assert box.git("rev-parse", "--abbrev-ref", "HEAD") == "mine"
    assert box.git("status", "--porcelain") == "M greet.sh"


def test_mrg_5_a_linked_worktree_that_holds_the_branch_is_brought_along(box: sandbox.Sandbox) -> None:
    box.write(TASK_FILE, sandbox.task(sandbox.FIX))
    box.commit("Start")
    box.git("checkout", "-q", "-b", "mine")
    linked = box.root / "linked"
    box.git("worktree", "add", "-q", str(linked), "main")
    box.orchctl("controller", "--until-idle", "--ref", "main")
    _agree(box, where=linked)
    assert box.git("status", "--porcelain", cwd=linked) == ""
    assert (box.repo / "greet.sh").read_text() == "echo goodbye\n"


def test_mrg_5_a_controller_served_from_a_linked_worktree(box: sandbox.Sandbox) -> None:
    box.write(TASK_FILE, sandbox.task(sandbox.FIX))
    box.commit("Start")
    box.git("checkout", "-q", "-b", "mine")
    linked = box.root / "linked"
    box.git("worktree", "add", "-q", str(linked), "main")
    box.orchctl("controller", "--until-idle", "--repo", str(linked))
    _agree(box, where=linked)
    assert box.git("status", "--porcelain", cwd=linked) == ""


def test_mrg_5_a_bare_control_repository(box: sandbox.Sandbox) -> None:
    box.write(TASK_FILE, sandbox.task(sandbox.FIX))
    box.commit("Start")
    bare = box.root / "control.git"
    box.git("clone", "-q", "--bare", str(box.repo), str(bare))
    box.orchctl("controller", "--until-idle", "--repo", str(bare))
    assert box.git("show", "main:greet.sh", cwd=bare) == "echo hello"
    assert "Merged" in box.orchctl("get", "task", "fix", "--repo", str(bare))
    assert (box.state / "status/task/default/fix.yaml").exists()
    assert not (bare / ".orchctl").exists()


@pytest.mark.parametrize("relative", [False, True])
def test_mrg_5_a_project_in_a_repository_of_its_own(box: sandbox.Sandbox, relative: bool) -> None:
    """Manifests here, code there: the merge lands there, the control repo gets no commit."""
    shop = box.root / "shop"
    box.git("init", "-q", str(shop))
    (shop / "greet.sh").write_text("echo goodbye\n")
    box.git("add", "-A", cwd=shop)
    box.git("commit", "-q", "-m", "Code", cwd=shop)
    (box.repo / "greet.sh").unlink()
    url = "../shop" if relative else str(shop)
    box.write("manifests/project.yaml", f"{sandbox.PROJECT}  repo: {{url: {url}}}\n")
    box.write(TASK_FILE, sandbox.task(sandbox.FIX))
    head = box.commit("Start")
    box.until_idle()
    _agree(box, where=shop)
    assert box.git("status", "--porcelain", cwd=shop) == ""
    assert box.git("rev-parse", "main") == head


def test_gate_7_work_without_checks_waits_for_them(box: sandbox.Sandbox) -> None:
    """A prompt alone: the work is kept on a branch and a question asked; a Project with checks answers it."""
    (box.repo / "manifests/project.yaml").unlink()
    box.write(TASK_FILE, sandbox.task(sandbox.FIX))
    box.commit("Only a prompt")
    with box.controller():
        box.until_summary("fix", "Waiting(Question)")
        (hub,) = (box.state / "hubs/default").iterdir()
        assert box.git("show", "orch/fix:greet.sh", cwd=hub) == "echo hello"
        assert "no checks" in box.orchctl("why", "task/fix")
        assert (box.repo / "greet.sh").read_text() == "echo goodbye\n"
        box.write("manifests/project.yaml", sandbox.PROJECT)
        box.commit("Say what a check is")
        box.until_summary("fix", "Merged")
    _agree(box)
    assert len(box.seen("Task", "fix")["status"]["sessions"]) == 1


def test_run_from_a_prompt_alone_says_what_it_waits_for(box: sandbox.Sandbox) -> None:
    """`orchctl run` in a repository without any manifest: exit 0 is for merged work only."""
    (box.repo / "manifests/project.yaml").unlink()
    box.git("add", "-A")
    box.git("commit", "-q", "-m", "Code")
    prompt = f"Greet\n```script\n{sandbox.FIX}\n```"
    said = box.orchctl("run", "--name", "fix", "--agent", "script", "--timeout", "20s", prompt, code=None)
    assert "no checks" in said
    assert "orch/fix" in said
