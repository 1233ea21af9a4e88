"""What people ask of a task, with a real controller and real agents (TASK-4, LOG-2)."""

from __future__ import annotations

import os
import pathlib

from orchctl.app.read import failures
from tests.e2e import sandbox


def waiting(box: sandbox.Sandbox) -> pathlib.Path:
    """A task whose agent works until the file that is returned is there."""
    go = box.root / "go"
    box.write("manifests/task.yaml", sandbox.task(f"wait-for {go} 60", "replace greet.sh goodbye hello"))
    box.commit("Ask for a greeting")
    return go


def working(box: sandbox.Sandbox) -> None:
    sandbox.until(lambda: sandbox.agents(box.root), "the agent works")


def test_task_4_a_suspended_task_ends_its_turn_and_goes_on_when_resumed(box: sandbox.Sandbox) -> None:
    go = waiting(box)
    with box.controller():
        working(box)
        assert "task/fix suspended" in box.orchctl("suspend", "fix", "--reason", "freeze")
        go.touch()
        box.until_summary("fix", "Suspended")
        assert "freeze; next:" in box.orchctl("why", "fix")
        assert "not suspended" not in box.orchctl("resume", "fix")
        box.until_summary("fix", "Merged")
        box.orchctl("suspend", "fix", code=failures.CONFLICT)


def test_task_4_cancel_now_kills_the_agent_and_leaves_its_worktree(box: sandbox.Sandbox) -> None:
    waiting(box)
    with box.controller():
        working(box)
        box.orchctl("cancel", "task/fix", "--mode", "Now")
        box.until_summary("fix", "Cancelled")
        assert sandbox.agents(box.root) == []
        assert os.path.isdir(box.seen("Worktree", "fix")["status"]["path"])
        assert box.seen("Task", "fix")["status"]["request"]["by"] == f"claimed:{os.getuid()}"


def test_log_2_a_request_waits_in_the_inbox_until_there_is_a_controller(box: sandbox.Sandbox) -> None:
    box.until_idle()
    waiting(box)
    with box.controller():
        working(box)
    box.orchctl("cancel", "fix")
    assert len(list((box.state / "inbox/new").iterdir())) == 1
    box.until_idle()
    assert box.summary("fix") == "Cancelled"
    assert list((box.state / "inbox/new").iterdir()) == []


def test_task_4_a_failed_task_goes_on_with_its_earlier_work_also_when_its_worktree_is_gone(
    box: sandbox.Sandbox,
) -> None:
    box.write("manifests/project.yaml", sandbox.PROJECT + "  worktrees: {keep: Never}\n")
    box.write("manifests/task.yaml", sandbox.task("append notes.txt once", "replace greet.sh goodbye hullo"))
    box.commit("Ask for a greeting")
    box.until_idle()
    assert box.summary("fix") == "Failed"
    assert box.summary("fix", "Worktree") == "Removed"
    box.write("manifests/task.yaml", sandbox.task("append notes.txt twice", "replace greet.sh hullo hello"))
    box.commit("Spell it right")
    box.orchctl("retry", "fix")
    box.until_idle()
    assert box.summary("fix") == "Merged"
    assert box.git("show", "HEAD:notes.txt").split()[-1] == "twice"
    assert "once" in box.git("show", "HEAD:notes.txt").split()
