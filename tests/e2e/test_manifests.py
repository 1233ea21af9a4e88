"""Manifests that are wrong, edited, moved or removed while a controller runs (GIT-3, GIT-5, TASK-5)."""

from __future__ import annotations

import re

import pytest

from tests.e2e import sandbox

WRONG_TYPE = """\
apiVersion: orchctl.dev/v1alpha1
kind: Task
metadata: {name: typed}
spec:
  prompt: Do it
  priority: high
"""
UNKNOWN_FIELD = """\
apiVersion: orchctl.dev/v1alpha1
kind: Task
metadata: {name: misspelt}
spec:
  promt: Do it
"""
BROKEN = "apiVersion: orchctl.dev/v1alpha1\nkind: Task\nmetadata: {name: broken\nspec: [\n"
BAD = {
    "typed": ("manifests/typed.yaml", WRONG_TYPE, 6),
    "misspelt": ("manifests/misspelt.yaml", UNKNOWN_FIELD, 5),
    "broken": ("manifests/broken.yaml", BROKEN, 4),
}


@pytest.mark.parametrize("which", list(BAD))
def test_git_3_lint_names_the_place_of_a_problem(box: sandbox.Sandbox, which: str) -> None:
    path, text, line = BAD[which]
    box.write(path, text)
    said = box.orchctl("lint", code=4)
    assert re.search(rf"^{re.escape(path)}:({line}|{line + 1}|{line - 1}):\d+: error: ", said, re.M), said
    if which == "misspelt":
        assert "prompt" in said.replace("promt", ""), said


def test_git_3_a_bad_manifest_touches_only_its_own_object(box: sandbox.Sandbox) -> None:
    """The bad ones say where; the good ones of the same commit, and of the same file, are merged."""
    box.commit("Start")
    with box.controller():
        for path, text, _ in BAD.values():
            box.write(path, text)
        box.write("manifests/nameless.yaml", "kind: [\n")
        good = sandbox.task("write same-file.txt hello", sandbox.FIX, name="same-file")
        box.write("manifests/typed.yaml", f"{WRONG_TYPE}---\n{good}")
        box.write("manifests/other.yaml", sandbox.task("write other.txt hello", sandbox.FIX, name="other"))
        box.commit("Four bad, two good")
        box.until_summary("same-file", "Merged")
        box.until_summary("other", "Merged")
        for name, (path, _, line) in BAD.items():
            where = f"{path}:{line}:"
            accepted = box.seen_condition("Task", name, "Accepted")
            assert (accepted["status"], accepted["reason"]) == ("False", "ValidationFailed")
            assert where in accepted["message"]
            assert where in box.status_file("task", name).read_text()
            assert box.seen_condition("Task", name, "Stalled")["status"] == "True"
        rows = box.select("SELECT body FROM objects WHERE kind = 'Manifest'")
        assert len(rows) == 1, "a problem that is no object's stands for its file"
        assert "manifests/nameless.yaml:" in rows[0][0]
        assert "ValidationFailed" in rows[0][0]


def test_git_3_a_corrected_manifest_goes_on(box: sandbox.Sandbox) -> None:
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX).replace("prompt:", "promt:"))
    box.commit("Start")
    with box.controller():
        box.until_summary("fix", "Invalid")
        box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX))
        box.commit("Correct it")
        box.until_summary("fix", "Merged")
        assert box.seen_condition("Task", "fix", "Accepted")["status"] == "True"
        assert box.seen_condition("Task", "fix", "Stalled") == {}


def test_git_3_a_bad_edit_leaves_the_running_task_alone(box: sandbox.Sandbox) -> None:
    """Edited in a way that is wrong, then in a way that is right: it goes on as it was started (TASK-5)."""
    go = box.root / "go"
    good = sandbox.task(f"wait-for {go} 30", sandbox.FIX)
    box.write("manifests/fix.yaml", good)
    box.commit("Start")
    with box.controller():
        _until_working(box)
        box.write("manifests/fix.yaml", good.replace("prompt:", "promt:"))
        box.commit("A bad edit")
        sandbox.until(lambda: _accepted(box) == "ValidationFailed", "the bad edit is refused")
        assert box.summary("fix") == "Running"
        box.write("manifests/fix.yaml", good.replace("say hello", "say hello loudly"))
        box.commit("A good edit, too late")
        sandbox.until(lambda: _accepted(box) == "RestartRequired", "the late edit is refused")
        pipeline = "apiVersion: orchctl.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: change}\nspec:\n  stages:\n"
        box.write("manifests/pipeline.yaml", f"{pipeline}  - {{name: other, role: coder}}\n")
        box.commit("Another pipeline of this name")
        sandbox.until(lambda: box.seen("Pipeline", "change")["spec"]["stages"][0]["name"] == "other", "it is taken up")
        go.touch()
        box.until_summary("fix", "Merged")
        assert [one["name"] for one in box.seen("Task", "fix")["status"]["stages"]] == ["implement", "merge"]
        assert len(box.seen("Task", "fix")["status"]["sessions"]) == 1


def test_git_5_a_removed_manifest_stops_its_agent_and_keeps_its_work(box: sandbox.Sandbox) -> None:
    box.write("manifests/fix.yaml", sandbox.task("write half.txt done", "commit Half", "write more.txt left", "hang"))
    box.commit("Start")
    with box.controller():
        _until_working(box)
        name = box.seen("Task", "fix")["status"]["worktree"]
        tree = box.seen("Worktree", name)["status"]["path"]
        sandbox.until(lambda: (box.repo / tree / "more.txt").exists(), "the agent has written")
        box.git("rm", "-q", "manifests/fix.yaml")
        box.commit("Never mind")
        sandbox.until(lambda: box.seen("Task", "fix") == {}, "the task is gone")
        sandbox.until(lambda: sandbox.agents(box.root) == [], "its agent is gone")
        assert not (box.repo / tree).exists()
        assert "done" in box.kept("half.txt")
        assert "left" in box.kept("more.txt")
        assert box.select("SELECT key FROM objects WHERE kind IN ('Task', 'Session', 'Worktree')") == []
        assert not box.status_file("task", "fix").exists()


def test_git_5_a_task_removed_and_added_again_is_another_task(box: sandbox.Sandbox) -> None:
    box.write("manifests/fix.yaml", sandbox.task("hang"))
    box.commit("Start")
    with box.controller():
        _until_working(box)
        before = box.seen("Task", "fix")["metadata"]["uid"]
        box.git("rm", "-q", "manifests/fix.yaml")
        box.commit("Never mind")
        sandbox.until(lambda: box.seen("Task", "fix") == {}, "the task is gone")
        box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX))
        box.commit("After all")
        box.until_summary("fix", "Merged")
        assert box.seen("Task", "fix")["metadata"]["uid"] != before


def test_git_4_a_moved_manifest_changes_nothing(box: sandbox.Sandbox) -> None:
    go = box.root / "go"
    box.write("manifests/fix.yaml", sandbox.task(f"wait-for {go} 30", sandbox.FIX))
    box.commit("Start")
    with box.controller():
        _until_working(box)
        before = box.seen("Task", "fix")["metadata"]
        (box.repo / "manifests/deep").mkdir()
        box.git("mv", "manifests/fix.yaml", "manifests/deep/task.yaml")
        box.commit("Move it")
        source = "orchctl.dev/source"
        sandbox.until(lambda: "deep" in box.seen("Task", "fix")["metadata"]["annotations"][source], "the move is seen")
        go.touch()
        box.until_summary("fix", "Merged")
        after = box.seen("Task", "fix")["metadata"]
        assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])


def _accepted(box: sandbox.Sandbox) -> str:
    return str(box.seen_condition("Task", "fix", "Accepted").get("reason"))


def _until_working(box: sandbox.Sandbox) -> None:
    sandbox.until(lambda: box.summary("fix-implement-1", "Session") == "Working", "the agent works")
