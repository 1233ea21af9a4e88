"""Every example is valid and does what it says: linted where it lies, then run to the merge in a sandbox."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e import sandbox
from tests.tidy.sources import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
MERGED_FILES = {
    "01-quickfix": {"NOTICE": "2026"},
    "02-project-with-checks": {"CONTRIBUTING.md": "make test"},
    "03-own-pipeline": {"LICENCE.note": "Apache", "CHANGES": "licence"},
    "04-own-agent": {"notes/remember-the-release.md": "Take notes.\n\nThe release is on Friday."},
    "05-two-tasks": {"AUTHORS": "Ann", "THANKS": "Everybody"},
}

# What becomes of a use case with no agent but `script`, which has no script there, and how often it was run.
STARTED = {"01-solo-fix": ("Failed", 1), "07-research": ("Failed", 1), "10-takeover": ("Suspended", 0)}


def test_every_example_is_known_and_listed() -> None:
    listed = (ROOT / "examples/README.md").read_text()
    assert sorted(MERGED_FILES) == [path.stem for path in EXAMPLES]
    assert all(f"]({path.name})" in listed for path in EXAMPLES)


@pytest.mark.parametrize("name", MERGED_FILES)
def test_an_example_is_linted_and_merged(name: str, box: sandbox.Sandbox) -> None:
    text = (ROOT / f"examples/{name}.yaml").read_text()
    box.write("Makefile", "test:\n\t@echo fine\n")
    (box.repo / "manifests/project.yaml").unlink()
    if "kind: Project" not in text:
        box.orchctl("init")
    box.orchctl("lint", str(ROOT / f"examples/{name}.yaml"))
    box.write(f"manifests/{name}.yaml", text)
    box.commit("Add an example")
    box.until_idle()
    tasks = json.loads(box.orchctl("get", "tasks", "-o", "json"))["items"]
    assert [task["status"]["summary"] for task in tasks] == ["Merged"] * text.count("kind: Task\n")
    for path, content in MERGED_FILES[name].items():
        assert content in (box.repo / path).read_text()


def test_every_use_case_that_is_done_is_tried() -> None:
    listed = (ROOT / "examples/README.md").read_text()
    assert sorted(re.findall(r"^\| `(.+)\.yaml` .*\| done \|$", listed, re.MULTILINE)) == sorted(STARTED)


@pytest.mark.parametrize("name", STARTED)
def test_a_use_case_that_is_done_starts(name: str, box: sandbox.Sandbox) -> None:
    text = (ROOT / f"examples/use-cases/{name}.yaml").read_text()
    if "kind: Project\n" in text:
        (box.repo / "manifests/project.yaml").unlink()
    box.write(f"manifests/{name}.yaml", text)
    box.commit("Add a use case")
    box.until_idle()
    (task,) = json.loads(box.orchctl("get", "tasks", "-o", "json"))["items"]
    assert (task["status"]["summary"], len(task["status"].get("sessions", []))) == STARTED[name]


def test_a_red_gate_of_the_pipeline_example_sends_the_agent_back_once(box: sandbox.Sandbox) -> None:
    box.write("manifests/example.yaml", (ROOT / "examples/03-own-pipeline.yaml").read_text())
    box.write("greet.sh", "echo hello\n")
    box.commit("Add the example")
    box.until_idle()
    status = box.object("task", "add-licence-note")["status"]
    verdicts = [gate["state"] for gate in status["gates"] if gate["name"] == "has-changes-entry"]
    assert verdicts[:2] == ["Failed", "Passed"]
    assert len(status["sessions"]) == 2
