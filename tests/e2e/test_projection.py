"""Status files and reads: what people see is a projection, with or without a controller (LOG-6, UI-2)."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from tests.e2e import sandbox

READS = (
    ("get", "tasks"),
    ("get", "projects", "-o", "yaml"),
    ("get", "tasks", "-A", "-o", "json"),
    ("events",),
)
READS_OF_ONE = (
    ("get", "task", "fix"),
    ("get", "task", "fix", "-o", "yaml"),
    ("describe", "task/fix"),
    ("why", "task/fix"),
    ("logs", "fix"),
    ("events", "--for", "task/fix"),
)


def test_log_6_status_files_are_yaml_and_no_change_to_git(box: sandbox.Sandbox) -> None:
    box.write("manifests/fix.yaml", sandbox.task("say 'colon: #hash \"quote\"'", sandbox.FIX))
    box.commit("Start")
    box.until_idle()
    files = sorted((box.repo / ".orchctl/status").rglob("*"))
    found = [YAML(typ="safe").load(path) for path in files if path.suffix == ".yaml"]
    assert {one["kind"] for one in found} >= {"Task", "Project", "Session", "Worktree"}
    assert [path.name for path in files if path.is_file() and path.suffix != ".yaml"] == []
    task = YAML(typ="safe").load(box.status_file("task", "fix"))
    assert task["status"]["summary"] == "Merged"
    assert task["status"] == box.object("task", "fix")["status"]
    assert box.git("status", "--porcelain", "--untracked-files=all") == ""
    assert not (box.repo / ".gitignore").exists()


def test_log_6_a_status_file_is_written_only_when_something_changed(box: sandbox.Sandbox) -> None:
    """A commit that touches one object writes that object's file, and a controller started again writes none."""
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX))
    box.commit("Start")
    box.until_idle()
    before = _identities(box)
    box.until_idle()
    assert _identities(box) == before
    box.write("manifests/project.yaml", f"{sandbox.PROJECT}  limits: {{sessions: 3}}\n")
    box.commit("Limit")
    box.until_idle()
    after = _identities(box)
    assert [path for path in after if after[path] != before.get(path)] == ["project/default/shop.yaml"]


def test_log_6_lost_status_files_are_made_again_by_the_next_controller(box: sandbox.Sandbox) -> None:
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX))
    box.commit("Start")
    box.until_idle()
    before = {path: (box.repo / ".orchctl/status" / path).read_text() for path in _identities(box)}
    for path in before:
        (box.repo / ".orchctl/status" / path).unlink()
    left = box.status_file("task", "of-another-time")
    left.write_text("left by a controller that was killed\n")
    box.until_idle()
    assert {path: (box.repo / ".orchctl/status" / path).read_text() for path in _identities(box)} == before


def test_log_6_the_file_of_an_own_object_goes_when_the_built_in_takes_its_place(box: sandbox.Sandbox) -> None:
    pipeline = "apiVersion: orchctl.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: change}\nspec:\n  stages:\n"
    box.write("manifests/pipeline.yaml", f"{pipeline}  - {{name: other, role: coder}}\n")
    box.commit("A pipeline of our own")
    box.until_idle()
    assert box.status_file("pipeline", "change").exists()
    box.git("rm", "-q", "manifests/pipeline.yaml")
    box.commit("The built-in one will do")
    box.until_idle()
    assert box.object("pipeline", "change")["spec"]["stages"][0]["name"] == "implement"
    assert not box.status_file("pipeline", "change").exists()


def test_ui_2_reads_need_no_controller(box: sandbox.Sandbox) -> None:
    box.write("manifests/fix.yaml", sandbox.task("say hello there", sandbox.FIX))
    box.commit("Start")
    box.until_idle()
    before = _identities(box)
    said = {words: box.orchctl(*words) for words in (*READS, *READS_OF_ONE)}
    assert all(said.values())
    assert "hello there" in said["logs", "fix"]
    assert "Merged" in said["get", "task", "fix"]
    assert said["why", "task/fix"].startswith("task/fix is Merged")
    assert "unit" in said["describe", "task/fix"]
    assert _identities(box) == before
    assert box.git("status", "--porcelain") == ""


@pytest.mark.parametrize("words", [*READS, *READS_OF_ONE], ids=" ".join)
def test_ui_2_reads_where_no_controller_ever_ran(box: sandbox.Sandbox, words: tuple[str, ...]) -> None:
    """They say what is missing and make nothing."""
    box.commit("Start")
    done = box.python("-m", "orchctl", *words)
    assert "Traceback" not in done.stderr
    assert "orchctl controller" in done.stderr + done.stdout or done.returncode == 0
    assert done.returncode in (0, 1, 3), done
    assert not box.state_home.exists()
    assert not (box.repo / ".git/orchctl-uid").exists()


def _identities(box: sandbox.Sandbox) -> dict[str, tuple[int, int]]:
    root = box.repo / ".orchctl/status"
    found = {path: path.stat() for path in root.rglob("*.yaml")}
    return {str(path.relative_to(root)): (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}
