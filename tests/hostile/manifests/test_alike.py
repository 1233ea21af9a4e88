"""Lint and the controller refuse the same: what `orchctl lint` calls an error in a set of files is not admitted from a
commit of them, and the other way round (GIT-3, GIT-7, GIT-8).

But for names that nothing has: lint says so, the controller waits for them. Two files of one identity are both named
by lint, and the controller admits the first and names the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pygit2
import pytest

from orchctl.adapters.gitsource import source
from orchctl.adapters.manifests import catalog
from orchctl.app import admission, linting
from orchctl.core import events
from orchctl.core.state import State
from tests.hostile.manifests.corpus import HEAD, HOSTILE

MAIN = "refs/heads/main"
WHO = pygit2.Signature("Dev", "dev@example.invalid", 1_700_000_000, 0)
WHOLE_FILE = ("too_large", "unreadable")  # git does not even hand out what is far too large
CODE = re.compile(r"\[([a-z_]+)\]$")


def _of(kind: str, name: str, spec: str, namespace: str = "default") -> str:
    head = f"apiVersion: orchctl.dev/v1alpha1\nkind: {kind}\n"
    return f"{head}metadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n---\n"


def _task(name: str, more: str = "") -> str:
    return _of("Task", name, f"{{prompt: x{more and ', '}{more}}}")


WRITER = _of("Role", "writer", "{}")
ASKING = _of("Pipeline", "asking", "{params: [{name: n, required: true}], stages: [{name: a, role: writer}]}")
LOOKING = _of("Pipeline", "looking", "{stages: [{name: a, role: writer}]}")


def _using(name: str, other: str) -> str:
    return _of("Pipeline", name, f"{{stages: [{{name: u, use: {{pipeline: {other}}}}}]}}")


def _making(name: str, other: str) -> str:
    template = f"{{spec: {{pipeline: {other}}}}}"
    return _of("Pipeline", name, f"{{stages: [{{name: u, tasks: {{forEach: {{items: [x]}}, template: {template}}}}}]}}")


CROSSED: dict[str, tuple[str, set[str]]] = {
    "all is well": (WRITER + ASKING + _task("a", "pipeline: asking, params: {n: '1'}"), set()),
    "a writer in a panel": (
        WRITER + _of("Pipeline", "p", "{stages: [{name: r, panel: {members: [{name: m, role: writer}]}}]}"),
        {"not_read_only"},
    ),
    "no plan to make tasks of": (
        WRITER + _of("Pipeline", "p", "{stages: [{name: p, role: writer}, {name: t, tasks: {forEach: {stage: p}}}]}"),
        {"no_plan"},
    ),
    "an unknown parameter": (
        WRITER + ASKING + _task("a", "pipeline: asking, params: {n: '1', m: '2'}"),
        {"unknown_parameter"},
    ),
    "a missing parameter": (WRITER + ASKING + _task("a", "pipeline: asking"), {"missing"}),
    "a missing parameter of the project's default": (
        WRITER + ASKING + _of("Project", "p", "{defaults: {pipeline: asking}}") + _task("a"),
        {"missing"},
    ),
    "used too deep": (
        WRITER + LOOKING + _using("d", "looking") + _using("c", "d") + _using("b", "c") + _using("a", "b"),
        {"too_deep"},
    ),
    "never merged": (
        WRITER + LOOKING + _task("a", "pipeline: looking") + _task("b", "dependsOn: [{task: a}]"),
        {"never_merged"},
    ),
    "itself": (_task("a", "dependsOn: [{task: a}]"), {"cycle"}),
    "a ring of tasks": (
        _task("a", "dependsOn: [{task: b}]") + _task("b", "base: {task: c}") + _task("c", "dependsOn: [{task: a}]"),
        {"cycle"},
    ),
    "a ring of pipelines": (_using("a", "b") + _using("b", "a"), {"cycle"}),
    "a ring of pipelines and their tasks": (_using("a", "b") + _making("b", "a"), {"cycle"}),
    "a ring over a built-in": (_making("quickfix", "a") + _using("a", "quickfix"), {"cycle"}),
    "across namespaces": (
        _of("Task", "a", "{prompt: x, dependsOn: [{task: far/b}]}")
        + _of("Task", "b", "{prompt: x, dependsOn: [{task: default/a}]}", "far"),
        {"cycle"},
    ),
    "a ring of which one part is broken": (
        _task("a", "dependsOn: [{task: b}]") + _task("b", "dependsOn: [{task: a}], nothing: 1"),
        {"unknown_field"},
    ),
    "two of one name": (_task("a") + _task("a", "priority: 3"), {"duplicate_identity"}),
    "nothing of that name": (_task("a", "pipeline: nowhere, dependsOn: [{task: b}]"), set()),
}


def linted(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    found = linting.lint(["manifests"], str(folder), str(folder / "manifests")).findings
    return [str(each) for each in found if each.code != "unknown_reference"]


def refused(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    repo = pygit2.init_repository(str(folder), bare=True, initial_head="main")
    index = pygit2.Index()
    for path, data in files.items():
        index.add(pygit2.IndexEntry(path, repo.create_blob(data), pygit2.enums.FileMode.BLOB))
    repo.create_commit(MAIN, WHO, WHO, "m", index.write_tree(repo), [])
    taken = admission.Admission(source.GitSource(repo.path, MAIN), "0" * 32, catalog.documents())
    facts = taken.facts(State())
    admitted = {fact.key for fact in facts if isinstance(fact, events.ObjectAdmitted)}
    rejected = {fact.key: fact.problems for fact in facts if isinstance(fact, events.ObjectRejected)}
    said = [problem for problems in rejected.values() for problem in problems]
    both = [key for key in admitted & rejected.keys() if not any("stays in force" in each for each in rejected[key])]
    assert both == [], "refused and admitted"
    return said


def shape(text: str) -> str:
    """The words where both have one way to say it; else what kind of problem it is, and of which file."""
    path = text.split(":", 1)[0]
    code = CODE.search(text)
    if "which stays in force" in text or (code is not None and code[1] == "duplicate_identity"):
        return "duplicate_identity"
    if code is None or code[1] in WHOLE_FILE:
        return f"{path}: too large"
    return text


def compared(tmp_path: Path, files: Mapping[str, bytes]) -> list[str]:
    by_lint = linted(tmp_path / "lint", files)
    by_controller = refused(tmp_path / "control.git", files)
    assert set(map(shape, by_lint)) == set(map(shape, by_controller))
    return by_lint


@pytest.mark.parametrize("name", HOSTILE)
def test_git_8_lint_and_the_controller_refuse_the_same_hostile_file(tmp_path: Path, name: str) -> None:
    good = HEAD.replace("name: a", "name: good").encode()
    assert compared(tmp_path, {"manifests/bad.yaml": HOSTILE[name], "manifests/good.yaml": good})


@pytest.mark.parametrize("name", CROSSED)
@pytest.mark.parametrize("apart", [False, True], ids=["in one file", "a file each"])
def test_git_7_lint_and_the_controller_refuse_the_same_together(tmp_path: Path, name: str, *, apart: bool) -> None:
    text, codes = CROSSED[name]
    texts = [each for each in text.split("---\n") if each] if apart else [text]
    found = compared(tmp_path, {f"manifests/{number}.yaml": each.encode() for number, each in enumerate(texts)})
    assert {CODE.findall(each)[0] for each in found} == codes
