"""plan, on real control repos: what a controller would do next, without one, and without changing anything."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from orchctl.testing import worlds
from tests.unit.cli.conftest import Command
from tests.unit.cli.test_histories import recorded as recorded

PROJECT = """\
apiVersion: orchctl.dev/v1alpha1
kind: Project
metadata: {name: shop}
spec: {checks: [{name: unit, run: make test}], limits: {sessions: 1}}
"""
TASK = """\
apiVersion: orchctl.dev/v1alpha1
kind: Task
metadata: {name: NAME}
spec: {project: shop, pipeline: quickfix, agents: [script], prompt: Do it.}
"""


def write(repo: Path, **files: str) -> None:
    folder = repo / "manifests"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    subprocess.run(["git", "-C", repo, "add", "."], check=True)
    subprocess.run(["git", "-C", repo, "commit", "-qm", "manifests"], check=True)


def task(name: str) -> str:
    return TASK.replace("NAME", name)


def test_task_7_what_would_start_and_what_would_wait_is_told_before_any_controller_has_run(
    repo: Path, orchctl: Command
) -> None:
    write(repo, project=PROJECT, one=task("one"), two=task("two"))
    result = orchctl("plan")
    assert result.code == 0, result.error
    lines = result.output.splitlines()
    assert lines[0].endswith("of refs/heads/main; in force is nothing yet.")
    assert {line.split()[1] for line in lines if line.startswith("  +")} == {"task/one", "task/two", "project/shop"}
    one, two = (next(line for line in lines if line.startswith(f"task/{name} ")) for name in ("one", "two"))
    assert "Started: stages" in one
    assert "waits (Capacity)" in two
    assert "1 of 1 sessions of project" in two
    assert ["coder", "script", "<none>", "2", "0"] in [line.split() for line in lines]
    assert "1 of 1 sessions of project/shop are in use" in lines


def test_task_7_the_same_as_json(repo: Path, orchctl: Command) -> None:
    write(repo, project=PROJECT, one=task("one"))
    found = json.loads(orchctl("plan", "-o", "json").output)
    (step,) = found["steps"]
    assert step["key"] == "Task/default/one"
    assert step["steps"][0].startswith("Started: stages")
    assert found["shares"] == [
        {"role": "coder", "agent": "script", "model": "", "tasks": ["Task/default/one"], "running": 0}
    ]


def test_a_commit_that_is_not_in_force_can_be_asked_about(repo: Path, orchctl: Command) -> None:
    write(repo, project=PROJECT)
    subprocess.run(["git", "-C", repo, "checkout", "-qb", "next"], check=True)
    write(repo, one=task("one"), bad=task("two").replace("agents", "agent"))
    subprocess.run(["git", "-C", repo, "checkout", "-q", "main"], check=True)
    assert "No task is open." in orchctl("plan").output
    result = orchctl("plan", "--revision", "next")
    assert result.code == 4
    assert "task/one" in result.output
    assert "manifests/bad.yaml:4:" in result.output


def test_ses_14_a_role_nobody_can_fill_is_told_also_while_its_task_waits_for_something_else(
    repo: Path, orchctl: Command
) -> None:
    later = task("two").replace("[script]", "[codex], dependsOn: [{task: one}]")
    write(repo, project=PROJECT, one=task("one"), two=later)
    lines = orchctl("plan").output.splitlines()
    assert "waits (Dependency)" in next(line for line in lines if line.startswith("task/two "))
    blocked = lines[lines.index("Nobody can do yet:") + 1 :]
    assert blocked[0].split()[0] == "task/two"
    assert "codex" in blocked[0]


def test_nothing_is_begun_or_recorded(repo: Path, state_home: Path, orchctl: Command) -> None:
    write(repo, project=PROJECT, one=task("one"))
    assert orchctl("plan").code == 0
    assert not list(state_home.glob("**/*"))
    left = subprocess.run(["git", "-C", repo, "status", "--short"], capture_output=True, text=True, check=True).stdout
    assert left == ""


@pytest.mark.usefixtures("recorded")
def test_git_5_beside_a_ledger_the_state_there_is_what_it_starts_from(
    repo: Path, orchctl: Command, recorded: worlds.Bench
) -> None:
    write(repo, project=PROJECT.replace("make test", "make check"), other=task("other"))
    result = orchctl("plan")
    marked = [line.split() for line in result.output.splitlines() if line[:3] in ("  +", "  ~", "  -")]
    said = {name: mark for mark, name, *_ in marked}
    assert said == {"task/other": "+", "project/shop": "~", "task/fix": "-"}
    assert recorded.machine.state.revision is not None
    assert f"in force is {recorded.machine.state.revision.commit[:12]}." in result.output


@pytest.mark.parametrize(
    ("words", "said"), [(["plan"], "main has no commit yet"), (["plan", "--revision", "nosuch"], "no commit is called")]
)
def test_what_cannot_be_planned_is_said(repo: Path, orchctl: Command, words: list[str], said: str) -> None:
    result = orchctl(*words)
    assert (result.code, result.output) == (3, "")
    assert said in result.error
