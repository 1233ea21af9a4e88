"""A control repo that is elsewhere: mirrored, fetched from, and gone for a while (GIT-1, GIT-2, F19)."""

from __future__ import annotations

import json
import pathlib
import socket
import time

import pytest

from orchctl.app.read import failures
from tests.e2e import sandbox

FAST = "apiVersion: orchctl.dev/v1alpha1\nkind: Settings\nmetadata: {name: default}\nspec: {source: {interval: 1s}}\n"


class Remote:
    """The remote, a clone people work in, and its address."""

    def __init__(self, box: sandbox.Sandbox) -> None:
        self.box = box
        box.write("manifests/settings.yaml", FAST)
        box.commit("Start")
        self.bare, self.clone = box.root / "control.git", box.root / "clone"
        box.git("clone", "-q", "--bare", str(box.repo), str(self.bare))
        box.git("clone", "-q", str(self.bare), str(self.clone))
        self.url = f"file://{self.bare}"

    def push(self, path: str, text: str | None) -> str:
        file = self.clone / path
        self.box.git("pull", "-q", "--rebase", cwd=self.clone)
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.box.git("add", "-A", cwd=self.clone)
        self.box.git("commit", "-q", "-m", "Change", cwd=self.clone)
        self.box.git("push", "-q", cwd=self.clone)
        return self.box.git("rev-parse", "HEAD", cwd=self.clone)

    def away(self) -> pathlib.Path:
        return self.bare.rename(self.box.root / "away.git")

    def condition(self, of_type: str) -> dict[str, str]:
        rows = self.box.select("SELECT json_extract(body, '$.status.conditions') FROM objects WHERE kind = 'Source'")
        found = json.loads(rows[0][0]) if rows else []
        return next((one for one in found if one["type"] == of_type), {})

    def until_synced(self, status: str) -> None:
        sandbox.until(lambda: self.condition("Synced").get("status") == status, f"Synced={status}")


@pytest.fixture
def remote(box: sandbox.Sandbox) -> Remote:
    return Remote(box)


def test_git_2_a_task_pushed_to_a_remote_is_done_and_landed_there(box: sandbox.Sandbox, remote: Remote) -> None:
    with box.controller(remote.url):
        remote.until_synced("True")
        remote.push("manifests/fix.yaml", sandbox.task(sandbox.FIX))
        box.until_summary("fix", "Merged")
        assert "hello" in box.git("show", "main:greet.sh", cwd=remote.bare)
        remote.push("manifests/fix.yaml", None)
        sandbox.until(lambda: box.seen("Task", "fix") == {}, "what is removed there leaves here")
    assert "True" in box.orchctl("get", "source", "--repo", remote.url)
    assert "Synced" in box.orchctl("describe", "source/control", "--repo", remote.url)
    assert "in force" in box.orchctl("why", "source/control", "--repo", remote.url)
    assert box.orchctl("get", "projects", "--repo", f"{remote.url}/").count("shop") == 1


def test_f19_a_remote_that_is_gone_stops_nothing_and_prunes_nothing(box: sandbox.Sandbox, remote: Remote) -> None:
    remote.push("manifests/fix.yaml", sandbox.task(f"wait-for {box.root / 'go'} 60", sandbox.FIX))
    with box.controller(remote.url):
        sandbox.until(lambda: box.summary("fix-implement-1", "Session") == "Working", "the agent works")
        remote.away()
        remote.until_synced("False")
        found = remote.condition("Synced")
        assert found["reason"] == "SourceUnavailable"
        assert "last fetched at 20" in found["message"]
        assert "what was fetched last stays in force" in box.orchctl("why", "source/control", "--repo", remote.url)
        assert box.summary("fix") == "Running"
        (box.root / "away.git").rename(remote.bare)
        remote.until_synced("True")
        (box.root / "go").touch()
        box.until_summary("fix", "Merged")
    remote.away()
    box.orchctl("controller", remote.url, "--until-idle")
    assert remote.condition("Synced")["status"] == "False"
    assert box.summary("fix") == "Merged"
    assert box.seen("Project", "shop") != {}
    assert "Offline" not in box.orchctl("get", "source", "--repo", remote.url)


def test_f19_a_remote_that_is_silent_keeps_nobody_waiting(box: sandbox.Sandbox, remote: Remote) -> None:
    """First the user's configuration says that the address is the remote, then that it is where nobody speaks."""
    address = "http://127.0.0.1:1/control.git"
    box.git("config", "--global", f"url.{remote.url}.insteadOf", address)
    remote.push("manifests/project.yaml", f"{sandbox.PROJECT}  repo: {{url: {box.repo}}}\n")
    remote.push("manifests/fix.yaml", sandbox.task(f"wait-for {box.root / 'go'} 60", sandbox.FIX))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with box.controller(address) as served:
            sandbox.until(lambda: box.summary("fix-implement-1", "Session") == "Working", "the agent works")
            box.git("config", "--global", "--remove-section", f"url.{remote.url}")
            box.git("config", "--global", f"url.http://127.0.0.1:{port}/.insteadOf", "http://127.0.0.1:1/")
            silent.settimeout(sandbox.DEADLINE_S)
            taken, _ = silent.accept()  # a fetch is under way, and will be until it is killed
            with taken:
                (box.root / "go").touch()
                begun = time.monotonic()
                box.until_summary("fix", "Merged")
                assert time.monotonic() - begun < 15.0
                begun = time.monotonic()
                served.terminate()
                served.wait(20)
                assert time.monotonic() - begun < 5.0, "the fetch under way is killed"
        assert served.returncode == 0, box.log


def test_a_remote_that_was_never_reached_is_named_and_with_a_ref_waited_for(box: sandbox.Sandbox) -> None:
    url = f"file://{box.root}/nowhere.git"
    done = box.python("-m", "orchctl", "controller", url, "--until-idle")
    assert done.returncode == failures.USAGE
    assert "Say it with --ref" in done.stderr
    box.orchctl("controller", url, "--ref", "main", "--until-idle")
    assert "never fetched" in box.orchctl("describe", "source/control", "--repo", url)
    other = box.python("-m", "orchctl", "get", "tasks", "--repo", "https://user:pw@example.com/x.git")
    assert other.returncode in (failures.OK, failures.USAGE)
    said = box.python("-m", "orchctl", "controller", "https://user:pw@example.com/x.git")
    assert said.returncode == failures.USAGE
    assert "holds a password" in said.stderr
    assert "pw@" not in said.stderr


def test_git_9_run_commits_to_the_remote_by_compare_and_swap(box: sandbox.Sandbox, remote: Remote) -> None:
    """Also before any controller has served it, and on top of what others have pushed since."""
    prompt = "Say hello.\n```script\n" + sandbox.FIX + "\n```"
    box.orchctl("run", "--repo", remote.url, "--name", "first", "--no-follow", prompt)
    assert "manifests/tasks/first.yaml" in box.git("ls-tree", "-r", "--name-only", "main", cwd=remote.bare)
    pushed = remote.push("note.txt", "by somebody else\n")
    said = box.orchctl("run", "--repo", remote.url, "--name", "second", prompt)
    assert "task/second Merged" in said or "task/second Succeeded" in said, said
    assert box.git("merge-base", "--is-ancestor", pushed, "main", cwd=remote.bare) == ""
    assert "hello" in box.git("show", "main:greet.sh", cwd=remote.bare)
    remote.away()
    done = box.python("-m", "orchctl", "run", "--repo", remote.url, "--name", "third", "--no-follow", "x")
    assert done.returncode != 0
    assert "cannot be" in done.stderr
    assert box.seen("Task", "third") == {}
