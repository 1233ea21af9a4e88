"""Hostile manifests: each refused in under a second and 64 MiB with a located message, and the good ones beside them
are taken up all the same (GIT-3, GIT-8; threats T1 to T5)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pygit2
import pytest

from orchctl.adapters import manifests
from orchctl.adapters.gitsource import source
from orchctl.app import admission
from orchctl.core import events
from orchctl.core.ids import Key
from orchctl.testing import worlds
from tests.hostile.manifests.corpus import HEAD, HOSTILE

ROOT = Path(__file__).resolve().parents[3]
SECONDS_MAX = 1.0
KIBIBYTES_MAX = 64 * 1024
WHO = pygit2.Signature("Dev", "dev@example.invalid", 1_700_000_000, 0)
GOOD = {f"manifests/good{n}.yaml": HEAD.replace("name: a", f"name: good{n}").encode() for n in range(3)}


@pytest.fixture(scope="module")
def measured():
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'controller'}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.manifests.measure"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_corpus_is_large():
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("name", HOSTILE)
def test_git_8_hostile_input_is_refused_soon_and_small_with_a_place(measured, name):
    result = measured[name]
    assert result.get("seconds", SECONDS_MAX) < SECONDS_MAX, result
    assert result["kibibytes"] < KIBIBYTES_MAX
    assert result["problems"]
    for line, column, code, text in result["problems"]:
        assert (line >= 1, column >= 1, bool(code)) == (True, True, True)
        assert len(text) < 1_000
        assert text.isprintable()


@pytest.fixture
def control(tmp_path: Path):
    return pygit2.init_repository(str(tmp_path / "control"), bare=True, initial_head="main")


def commit(repo: pygit2.Repository, files: dict[str, bytes], links: dict[str, str] | None = None) -> None:
    index = pygit2.Index()
    for path, data in files.items():
        index.add(pygit2.IndexEntry(path, repo.create_blob(data), pygit2.enums.FileMode.BLOB))
    for path, target in (links or {}).items():
        index.add(pygit2.IndexEntry(path, repo.create_blob(target.encode()), pygit2.enums.FileMode.LINK))
    parents = [repo.references["refs/heads/main"].target] if "refs/heads/main" in repo.references else []
    repo.create_commit("refs/heads/main", WHO, WHO, "m", index.write_tree(repo), parents)


def admitted(repo: pygit2.Repository) -> worlds.Bench:
    bench = worlds.Bench(world=worlds.World())
    taken = admission.Admission(source.GitSource(repo.path, "refs/heads/main"), "uid", ())
    bench.give(*taken.facts(bench.machine.state))
    return bench


def test_git_3_the_good_manifests_of_a_hostile_commit_are_taken_up(control):
    hostile = {f"manifests/bad{number}.yaml": data for number, data in enumerate(HOSTILE.values())}
    commit(control, {**hostile, **GOOD})
    bench = admitted(control)
    for number in range(len(GOOD)):
        obj = bench.object(f"Task/default/good{number}")
        assert obj.desired is not None
        assert obj.problems == ()
    refused = [obj for obj in bench.machine.state.objects.values() if obj.problems]
    assert refused
    for obj in refused:
        assert obj.desired is None or obj.key == Key("Task/default/a")


def test_git_3_a_hostile_edit_leaves_the_last_good_spec_in_force(control):
    commit(control, GOOD)
    bench = worlds.Bench(world=worlds.World())
    taken = admission.Admission(source.GitSource(control.path, "refs/heads/main"), "uid", ())
    bench.give(*taken.facts(bench.machine.state))
    before = bench.object("Task/default/good0").desired
    bad = HEAD.replace("name: a", "name: good0").replace("prompt: x", "prompt: y, priority: .nan").encode()
    commit(control, {**GOOD, "manifests/good0.yaml": bad})
    bench.give(*taken.facts(bench.machine.state))
    after = bench.object("Task/default/good0")
    assert after.desired == before
    assert "manifests/good0.yaml:4:" in after.problems[0]


def test_git_8_links_and_what_lies_elsewhere_are_no_manifests(control):
    links = {"manifests/link.yaml": "/etc/passwd", "manifests/loop.yaml": "loop.yaml", "manifests/up.yaml": "../x.yaml"}
    commit(control, {**GOOD, "elsewhere/a.yaml": HEAD.encode(), "x.yaml": HEAD.encode()}, links)
    bench = admitted(control)
    tasks = sorted(key for key in bench.machine.state.objects if key.startswith("Task/"))
    assert tasks == [f"Task/default/good{number}" for number in range(len(GOOD))]
    assert not [obj for obj in bench.machine.state.objects.values() if obj.problems]


def test_git_3_what_has_no_behaviour_is_told_from_the_file_to_the_status(control):
    task = HEAD.replace("prompt: x", "prompt: x, params: {colour: red}").encode()
    commit(control, {"manifests/a.yaml": task})
    taken = admission.Admission(source.GitSource(control.path, "refs/heads/main"), "uid", ())
    bench = worlds.Bench(world=worlds.World())
    facts = taken.facts(bench.machine.state)
    (fact,) = [each for each in facts if isinstance(each, events.ObjectAdmitted)]
    assert fact.unsupported == ("spec.params",)
    bench.give(*facts)
    found = {each.type: each for each in bench.object("Task/default/a").conditions}
    assert "spec.params" in found["Supported"].message


def test_the_loader_never_reads_a_file(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a manifest made the loader open a file")

    manifests.parse(HEAD.encode(), "warm.yaml")
    monkeypatch.setattr("builtins.open", refuse)
    for name in ("python tag", "own tag", "path as name", "glob out of the repository"):
        assert manifests.parse(HOSTILE[name], "bad.yaml").problems
