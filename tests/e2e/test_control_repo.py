"""Which repo and which branch a controller obeys: never another one because something was checked out or copied."""

from __future__ import annotations

import shutil

from tests.e2e import sandbox


def test_git_1_checking_out_another_branch_does_not_change_which_manifests_count(box: sandbox.Sandbox) -> None:
    box.commit("Start")
    box.git("branch", "-q", "other")
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX))
    box.commit("Ask")
    box.until_idle()
    assert box.summary("fix") == "Merged"
    box.git("checkout", "-q", "other")
    said = box.until_idle()
    assert "still read from refs/heads/main" in said
    assert box.summary("fix") == "Merged", "the task is not taken for removed"


def test_a_copy_of_a_control_repo_is_refused_with_the_way_out(box: sandbox.Sandbox) -> None:
    box.commit("Start")
    box.until_idle()
    copy = box.root / "copy"
    shutil.copytree(box.repo, copy, symlinks=True)
    refused = box.python("-m", "orchctl", "controller", "--until-idle", "--repo", str(copy))
    assert refused.returncode == 2
    assert f"{copy} is a copy of {box.repo}; remove" in refused.stdout + refused.stderr
    (copy / ".git" / "orchctl-uid").unlink()
    box.orchctl("controller", "--until-idle", "--repo", str(copy))
