"""What the controller makes of manifests that are good one by one and not together (GIT-3, GIT-7)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

from orchctl.adapters import manifests
from orchctl.core import events
from orchctl.core.ids import Key
from orchctl.core.state import Object
from tests.unit.app.control import BROKEN, Control, both, essence, kinds_of
from tests.unit.core import builders

HEAD = "apiVersion: orchctl.dev/v1alpha1\n"


def document(kind: str, name: str, spec: str) -> str:
    return f"{HEAD}kind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def task(name: str, *after: str, more: str = "") -> str:
    waits = ", ".join(f"{{task: {each}}}" for each in after)
    return document("Task", name, f"{{prompt: x, dependsOn: [{waits}]{more and ', '}{more}}}")


def pipeline(name: str, *params: str) -> str:
    declared = ", ".join(f"{{name: {each}}}" for each in params)
    return document("Pipeline", name, f"{{params: [{declared}], stages: [{{name: a, role: coder}}]}}")


class Tasks(Control):
    def of(self, name: str, kind: str = "Task") -> Object:
        return self.machine.state.objects[Key(f"{kind}/default/{name}")]

    def refused(self) -> set[str]:
        return {key.rpartition("/")[2] for key, obj in self.machine.state.objects.items() if obj.problems}

    def says_nothing_more(self) -> None:
        assert self.take_in() == []
        self.restart()
        assert self.take_in() == [], "nor does another controller"


@pytest.fixture
def control(tmp_path: Path) -> Tasks:
    return Tasks(tmp_path / "control.git")


def test_git_7_the_edit_that_closes_a_circle_is_refused_and_the_last_good_spec_stays(control: Tasks) -> None:
    files = {"a.yaml": task("a"), "b.yaml": task("b", "a"), "c.yaml": task("c", "b")}
    control.now(files)
    before = essence(control.of("a"))
    assert kinds_of(control.now({**files, "a.yaml": task("a", "c")})) == ["ObjectRejected"]
    assert essence(control.of("a")) == before
    [problem] = control.of("a").problems
    assert problem.startswith("manifests/a.yaml:4:38: error: spec.dependsOn[0].task: must not go round in a circle: ")
    places = ", ".join(f"manifests/{name}.yaml:4:38" for name in "acb")
    assert f"Task a -> c -> b -> a depends on itself; it is written at {places} [cycle]" in problem
    control.says_nothing_more()
    assert kinds_of(control.now({**files, "a.yaml": task("a", "c"), "b.yaml": task("b")})) == ["ObjectAdmitted"] * 2
    assert control.refused() == set()


def test_git_7_of_what_is_new_all_of_the_circle_is_refused(control: Tasks) -> None:
    facts = control.now({"a.yaml": task("a", "b"), "b.yaml": task("b", "a"), "c.yaml": task("c", "a")})
    assert kinds_of(facts) == ["ObjectRejected", "ObjectRejected", "ObjectAdmitted"]
    assert control.of("a").desired is None
    control.says_nothing_more()


def test_git_7_an_edit_beside_the_circle_is_taken_up(control: Tasks) -> None:
    files = {"a.yaml": task("a"), "b.yaml": task("b", "a")}
    control.now(files)
    control.now({"a.yaml": task("a", "b"), "b.yaml": task("b", "a", more="priority: 7")})
    assert control.refused() == {"a"}
    assert '"priority":7' in control.of("b").desired.spec  # type: ignore[union-attr]


def test_git_7_no_circle_comes_about_with_what_stays_in_force_instead(control: Tasks) -> None:
    """a waits for x still, as its edit was refused: so x may not come to wait for a."""
    control.now({"a.yaml": task("a", "x"), "b.yaml": task("b", "a"), "x.yaml": task("x")})
    new = {"a.yaml": task("a", "b"), "b.yaml": task("b", "a"), "x.yaml": task("x", "a")}
    control.now(new)
    assert control.refused() == {"a", "x"}
    assert "Task x -> a -> x" in control.of("x").problems[0]
    control.says_nothing_more()
    control.now({**new, "a.yaml": task("a")})
    assert control.refused() == set()


def test_git_7_nor_with_what_stays_because_its_file_is_broken(control: Tasks) -> None:
    control.now({"a.yaml": task("a", "b"), "b.yaml": task("b")})
    control.now({"a.yaml": BROKEN, "b.yaml": task("b", "a")})
    assert control.refused() == {"a", "b"}
    assert "depends on itself" in control.of("b").problems[0]
    control.says_nothing_more()
    control.now({"a.yaml": task("a"), "b.yaml": task("b", "a")})
    assert control.refused() == set()


def test_git_7_what_others_make_wrong_is_refused_where_it_is_wrong_and_mended_by_either(control: Tasks) -> None:
    good = {"p.yaml": pipeline("p", "n"), "t.yaml": task("t", more="pipeline: p, params: {n: '1'}")}
    control.now(good)
    assert sorted(kinds_of(control.now({**good, "p.yaml": pipeline("p", "m")}))) == ["ObjectAdmitted", "ObjectRejected"]
    [problem] = control.of("t").problems
    assert "spec.params.n: must be a parameter of pipeline 'p'; it has m [unknown_parameter]" in problem
    control.says_nothing_more()
    assert control.of("t").desired is not None
    control.now({**good, "p.yaml": pipeline("p", "m", "n")})
    assert control.refused() == set()
    control.now({**good, "p.yaml": pipeline("p", "m")})
    control.now({"p.yaml": pipeline("p", "m"), "t.yaml": task("t", more="pipeline: p, params: {m: '1'}")})
    assert control.refused() == set()


def test_git_7_a_project_that_comes_changes_what_its_tasks_run_and_only_theirs(control: Tasks) -> None:
    files = {"p.yaml": pipeline("p", "n"), "t.yaml": task("t", more="params: {n: '1'}"), "u.yaml": task("u")}
    control.now(files)
    assert control.refused() == set(), "a pipeline nobody has is waited for"
    control.now({**files, "project.yaml": document("Project", "x", "{defaults: {pipeline: p}}")})
    assert control.refused() == set()
    facts = control.now({**files, "project.yaml": document("Project", "x", "{defaults: {pipeline: q}}"),
                         "q.yaml": pipeline("q")})  # fmt: skip
    assert {fact.key for fact in facts if isinstance(fact, events.ObjectRejected)} == {"Task/default/t"}


def test_git_7_a_circle_an_earlier_release_let_in_is_told_at_all_of_it(control: Tasks) -> None:
    ring = {"a": "b", "b": "a"}
    admitted = [builders.task(name, prompt="x", dependsOn=[{"task": other}]) for name, other in ring.items()]
    control.machine.step(admitted, events.Now(at=1.0, t=0.5))
    control.now({f"{name}.yaml": task(name, other) for name, other in ring.items()})
    assert control.refused() == {"a", "b"}
    control.says_nothing_more()


def test_git_7_what_another_release_admitted_is_read_with_its_defaults_or_not_at_all(control: Tasks) -> None:
    control.machine.step([builders.task("a", prompt="x"), builders.task("b", cut=3)], events.Now(at=1.0, t=0.5))
    control.now({"a.yaml": BROKEN, "b.yaml": BROKEN, "c.yaml": task("c", "a", "b")})
    assert control.refused() == {"a", "b"}


def test_git_7_names_that_nothing_has_are_no_refusal(control: Tasks) -> None:
    facts = control.now({"t.yaml": task("t", "nobody", more="pipeline: none, project: none, agents: [none]")})
    assert kinds_of(facts) == ["ObjectAdmitted"]
    assert kinds_of(control.now({"t.yaml": task("t", "nobody"), "n.yaml": task("nobody", "t")})) != []
    assert control.refused() == {"nobody"}, "and one that comes may close a circle all the same"


def test_git_2_of_two_thousand_one_changed_leaf_is_read_and_decided_alone(control: Tasks) -> None:
    files = {f"t{n}.yaml": task(f"t{n}", *([f"t{n - 1}"] if n % 40 else [])) for n in range(2_000)}
    control.now(files)
    control.source.reads = 0
    assert kinds_of(control.now({**files, "t7.yaml": task("t7", "t3")})) == ["ObjectAdmitted"]
    assert control.source.reads == 1


NAMES = "abcd"
GRAPHS = strategies.dictionaries(
    strategies.sampled_from(NAMES), strategies.sets(strategies.sampled_from(NAMES), max_size=2), max_size=4
)


def in_a_ring(waits: Mapping[str, set[str]]) -> bool:
    """By what depends on nothing left, taken away again and again."""
    left = dict(waits)
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return bool(left)


@hypothesis.settings(deadline=None, max_examples=150, database=None)
@hypothesis.given(graphs=strategies.lists(GRAPHS, min_size=1, max_size=5), restarts=strategies.integers(0, 31))
def test_git_7_whatever_is_edited_no_circle_is_ever_in_force(
    tmp_path_factory: pytest.TempPathFactory, graphs: list[dict[str, set[str]]], restarts: int
) -> None:
    control = Tasks(tmp_path_factory.mktemp("rings"))
    for number, graph in enumerate(graphs):
        if restarts >> number & 1:
            control.restart()
        text = {f"{name}.yaml": task(name, *sorted(others)) for name, others in graph.items()}
        control.now({**text, "keep.yaml": task("keep"), "more.yaml": task("more")})
        held = {name: in_force(control, name) for name in NAMES}
        assert not in_a_ring({name: others for name, others in held.items() if others is not None})
        assert bool(control.refused()) == in_a_ring(graph)
        for name, others in graph.items():
            assert name in control.refused() or held[name] == others
        control.says_nothing_more()


def in_force(control: Tasks, name: str) -> set[str] | None:
    obj = control.machine.state.objects.get(Key(f"Task/default/{name}"))
    if obj is None or obj.desired is None:
        return None
    restored = manifests.restored(obj.key, obj.desired.spec, "x.yaml", 1)
    assert restored is not None
    return {each.name for each in restored.references if each.kind == "Task"}


def test_git_7_the_order_in_one_file_does_not_matter(tmp_path: Path) -> None:
    texts = [task("a", "b"), task("b", "c"), task("c", "a"), task("d", "a")]
    for number, order in enumerate(itertools.permutations(texts)):
        control = Tasks(tmp_path / f"{number}.git")
        control.now({"all.yaml": both(*order)})
        assert control.refused() == {"a", "b", "c"}
