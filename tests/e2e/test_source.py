"""How commits reach a running controller, however they are made (GIT-2, GIT-6)."""

from __future__ import annotations

import time

from tests.e2e import sandbox

QUICK_S = 1.0  # well under the 2 s after which git is looked at without a hint


def _project(limit: int) -> str:
    return f"{sandbox.PROJECT}  limits: {{sessions: {limit}}}\n"


def _taken_up_s(box: sandbox.Sandbox, limit: int) -> float:
    begun = time.monotonic()
    sandbox.until(lambda: _limit(box) == limit, f"limit {limit} is taken up")
    return time.monotonic() - begun


def _limit(box: sandbox.Sandbox) -> int:
    found = box.seen("Project", "shop").get("spec", {}).get("limits", {}).get("sessions")
    return int(found or 0)


def test_git_2_a_commit_is_taken_up_at_once_also_after_packing_refs(box: sandbox.Sandbox) -> None:
    """Best of three for each, as the machine may be busy: only a hint can beat the poll three times in a row."""
    box.commit("Start")
    number = 1
    with box.controller():
        for packed in (False, True):
            took = []
            for _ in range(3):
                number += 1
                if packed:
                    box.git("pack-refs", "--all")
                box.write("manifests/project.yaml", _project(number))
                box.commit(f"Limit {number}")
                took.append(_taken_up_s(box, number))
            assert min(took) < QUICK_S, f"{took} packed={packed}"


def test_git_6_a_branch_that_is_set_back_is_a_new_level(box: sandbox.Sandbox) -> None:
    """Set back and rewritten: what is there now counts, merged tasks stay merged and run no second time."""
    runs = box.root / "runs"
    box.write("manifests/fix.yaml", sandbox.task(f"append {runs} run", sandbox.FIX))
    start = box.commit("Start")
    with box.controller():
        box.until_summary("fix", "Merged")
        box.write("manifests/project.yaml", _project(7))
        box.commit("Limit 7")
        _taken_up_s(box, 7)
        box.git("reset", "-q", "--hard", start)
        box.write("manifests/project.yaml", _project(9))
        box.git("commit", "-q", "-a", "--amend", "-m", "Rewritten")
        _taken_up_s(box, 9)
        assert box.summary("fix") == "Merged"
        assert box.git("show", "HEAD:greet.sh") == "echo goodbye", "the user's rewrite is not undone"
        box.write("manifests/second.yaml", sandbox.task("write second.txt x", sandbox.FIX, name="second"))
        box.commit("Go on")
        box.until_summary("second", "Merged")
    assert runs.read_text().split() == ["run"]


def test_git_2_a_commit_pushed_from_elsewhere_is_taken_up(box: sandbox.Sandbox) -> None:
    box.commit("Start")
    bare, clone = box.root / "control.git", box.root / "clone"
    box.git("clone", "-q", "--bare", str(box.repo), str(bare))
    box.git("clone", "-q", str(bare), str(clone))
    with box.controller("--repo", str(bare)):
        (clone / "manifests/fix.yaml").write_text(sandbox.task(sandbox.FIX))
        box.git("add", "-A", cwd=clone)
        box.git("commit", "-q", "-m", "Ask", cwd=clone)
        box.git("push", "-q", cwd=clone)
        box.until_summary("fix", "Merged")
        (clone / "manifests/fix.yaml").unlink()
        (clone / "instead.txt").write_text("something else\n")
        box.git("add", "-A", cwd=clone)
        box.git("commit", "-q", "--amend", "-m", "Never", cwd=clone)
        box.git("push", "-q", "--force", cwd=clone)
        sandbox.until(lambda: box.seen("Task", "fix") == {}, "the forced push is a new level")
