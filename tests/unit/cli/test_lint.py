"""`orchctl lint`: every problem with its place, in the forms people, CI and programs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchctl.app.read import failures
from tests.unit.cli.conftest import Command

PROJECT = "apiVersion: orchctl.dev/v1alpha1\nkind: Project\nmetadata: {name: shop}\nspec: {}\n"
TASK = "apiVersion: orchctl.dev/v1alpha1\nkind: Task\nmetadata: {name: a}\nspec:\n  project: %s\n  prompt: x\n"


@pytest.fixture
def manifests(repo: Path) -> Path:
    folder = repo / "manifests"
    (folder / "tasks").mkdir(parents=True)
    (folder / "project.yaml").write_text(PROJECT)
    (folder / "tasks" / "a.yaml").write_text(TASK % "shop")
    return folder


@pytest.mark.usefixtures("manifests")
def test_good_manifests_pass(orchctl: Command) -> None:
    result = orchctl("lint")
    assert (result.code, result.output) == (0, "2 objects in 2 files: no errors\n")


@pytest.mark.usefixtures("manifests")
def test_what_a_named_file_refers_to_is_found_around_it(orchctl: Command, repo: Path) -> None:
    result = orchctl("lint", "a.yaml", cwd=repo / "manifests" / "tasks")
    assert (result.code, result.output) == (0, "1 object in 1 file: no errors\n")


def test_every_problem_is_printed_with_its_place(manifests: Path, orchctl: Command) -> None:
    (manifests / "tasks" / "a.yaml").write_text(TASK % "shp" + "  promt: y\n")
    (manifests / "tasks" / "b.yaml").write_text("kind: [\n")
    result = orchctl("lint")
    assert result.code == failures.INVALID
    lines = result.output.splitlines()
    assert any(line.startswith("manifests/tasks/a.yaml:7:3: error: spec.promt: ") for line in lines)
    assert any(line.startswith("manifests/tasks/b.yaml:") for line in lines)
    assert lines[:-1] == sorted(lines[:-1])
    assert lines[-1].startswith("1 object in 3 files: 2 error")

    found = json.loads(orchctl("lint", "-o", "json").output)
    assert (found["kind"], found["status"]) == ("Status", "Failure")
    cause = next(each for each in found["details"]["causes"] if each["field"] == "spec.promt")
    assert (cause["file"], cause["line"], cause["column"]) == ("manifests/tasks/a.yaml", 7, 3)
    assert "::error file=manifests/tasks/a.yaml,line=7,col=3::spec.promt: " in orchctl("lint", "-o", "github").output


def test_a_reference_to_nothing_is_an_error(manifests: Path, orchctl: Command) -> None:
    (manifests / "tasks" / "a.yaml").write_text(TASK % "shp")
    result = orchctl("lint")
    assert result.code == failures.INVALID
    assert "manifests/tasks/a.yaml:" in result.output
    assert "shp" in result.output


def test_paths_that_are_not_there_are_said(repo: Path, orchctl: Command) -> None:
    assert orchctl("lint", "nowhere.yaml").code == failures.USAGE
    empty = orchctl("lint")
    assert empty.code == failures.USAGE
    assert "orchctl init" in empty.error


def test_a_written_task_passes_lint(orchctl: Command, manifests: Path) -> None:
    """What `run` and `init` write is what `lint` and the controller accept."""
    assert orchctl("run", "Do: this # thing\n\n  and - that\n", "--agent", "script", "--no-follow").code == 0
    (manifests / "project.yaml").unlink()
    assert orchctl("init").code == 0
    (manifests / "tasks" / "a.yaml").unlink()
    result = orchctl("lint")
    assert (result.code, result.output) == (0, "2 objects in 2 files: no errors\n")


def test_sarif_names_each_finding_with_its_rule_and_place(manifests: Path, orchctl: Command) -> None:
    (manifests / "tasks" / "a b%.yaml").write_text(TASK % "shop" + "  promt: y\n")
    (manifests / "tasks" / "b.yaml").write_text("kind: [\n")
    done = orchctl("lint", "-o", "sarif")
    assert done.code == failures.INVALID
    found = json.loads(done.output)
    assert found["version"] == "2.1.0"
    assert found["$schema"].startswith("https://")
    (run,) = found["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == "error"
        assert result["message"]["text"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert {
        "artifactLocation": {"uri": "manifests/tasks/a%20b%25.yaml"},
        "region": {"startLine": 7, "startColumn": 3},
    } in places
    assert len(places) == len(json.loads(orchctl("lint", "-o", "json").output)["details"]["causes"])


@pytest.mark.usefixtures("manifests")
def test_sarif_of_good_manifests_is_a_run_without_results(orchctl: Command) -> None:
    done = orchctl("lint", "-o", "sarif")
    assert done.code == failures.OK
    assert json.loads(done.output)["runs"][0]["results"] == []


def test_what_has_no_behaviour_yet_is_a_note_and_no_error(manifests: Path, orchctl: Command) -> None:
    (manifests / "tasks" / "a.yaml").write_text(TASK % "shop" + "  sparse: [a]\n")
    result = orchctl("lint")
    assert result.code == 0
    assert result.output.splitlines() == [
        "manifests/tasks/a.yaml:1:1: note: spec.sparse: is read and checked, and has no behaviour in this release:"
        " no task that needs it will start [not_implemented]",
        "2 objects in 2 files: no errors",
    ]
    assert orchctl("lint", "-o", "github").output.startswith("::notice file=manifests/tasks/a.yaml,line=1")
