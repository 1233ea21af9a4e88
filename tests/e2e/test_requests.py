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


ASKING = """\
apiVersion: orchctl.dev/v1alpha1
kind: Pipeline
metadata: {name: careful}
spec:
  stages:
    - {name: implement, role: coder, gates: [{checks: {}}], onFailure: {goto: implement, limit: 0, then: Ask}}
    - {name: merge, merge: {}}
"""
ANSWER = """\
apiVersion: orchctl.dev/v1alpha1
kind: Question
metadata: {name: fix-implement-q2}
spec: {subject: {kind: Task, name: fix}, answer: {option: fail}}
"""


def test_ses_3_a_question_is_answered_by_a_command_and_by_a_commit(box: sandbox.Sandbox) -> None:
    box.write("manifests/pipeline.yaml", ASKING)
    box.write("manifests/task.yaml", sandbox.task("replace greet.sh goodbye hullo", extra="  pipeline: careful\n"))
    box.commit("Ask for a greeting")
    with box.controller():
        box.until_summary("fix", "Waiting(Question)")
        assert "fix-implement-q1" in box.orchctl("get", "questions")
        assert "orchctl answer fix-implement-q1 retry|continue|fail" in box.orchctl("why", "fix")
        box.orchctl("answer", "fix-implement-q1", "perhaps", code=failures.CONFLICT)
        assert "is answered: retry" in box.orchctl("answer", "fix-implement-q1", "retry")
        sandbox.until(lambda: box.summary("fix-implement-q2", "Question") == "Open", "it asks again")
        box.write("manifests/answer.yaml", ANSWER)
        box.commit("Leave it")
        box.until_summary("fix", "Failed")
        assert box.seen("Question", "fix-implement-q2")["status"]["answered"]["option"] == "fail"
