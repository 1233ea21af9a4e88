"""Rules between documents: what a name must refer to, parameters, and circles, which are printed (GIT-7)."""

import pytest

from orchctl.adapters import manifests

HEAD = "apiVersion: orchctl.dev/v1alpha1\n"
ROLES = [
    ("Role", "reader", "{access: ReadOnly}"),
    ("Role", "writer", "{}"),
    ("Role", "thinker", "{output: {contract: plan}}"),
]
PIPELINES = [
    ("Pipeline", "merging", "{stages: [{name: a, role: writer}, {name: m, merge: {}}]}"),
    ("Pipeline", "looking", "{stages: [{name: a, role: writer}]}"),
    (
        "Pipeline",
        "asking",
        "{params: [{name: ticket, required: true}, {name: level, enum: [low, high]}],"
        " stages: [{name: a, role: writer}]}",
    ),
]


def said(*objects, shared=(*ROLES, *PIPELINES)):
    documents: list[manifests.Document] = []
    for kind, name, spec in (*shared, *objects):
        text = f"{HEAD}kind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        loaded = manifests.parse(text.encode(), f"{name}.yaml")
        assert not loaded.problems, loaded.problems
        documents += loaded.documents
    return [str(each) for each in manifests.check_references(documents)]


def test_panel_roles_only_read():
    panel = "{stages: [{name: r, panel: {members: [{name: one, role: ROLE}]}}]}"
    assert said(("Pipeline", "p", panel.replace("ROLE", "reader"))) == []
    assert said(("Pipeline", "p", panel.replace("ROLE", "writer"))) == [
        "p.yaml:4:63: error: spec.stages[0].panel.members[0].role: must be a role with access ReadOnly; 'writer' may"
        " write [not_read_only]"
    ]


def test_the_stage_that_lists_items_hands_back_a_plan():
    stages = "{stages: [{name: p, role: ROLE}, {name: t, tasks: {forEach: {stage: p}}}]}"
    assert said(("Pipeline", "p", stages.replace("ROLE", "thinker"))) == []
    assert said(("Pipeline", "p", stages.replace("ROLE", "thinker, output: {contract: dev}"))) != []
    (problem,) = said(("Pipeline", "p", stages.replace("ROLE", "writer")))
    assert "spec.stages[1].tasks.forEach.stage: must be a stage whose output has contract plan" in problem
    assert problem.startswith("p.yaml:4:")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{ticket: a}", None),
        ("{ticket: a, level: high}", None),
        (
            "{ticket: a, colour: red}",
            "spec.params.colour: must be a parameter of pipeline 'asking'; it has ticket, level",
        ),
        ("{ticket: a, level: middle}", "spec.params.level: must be one of low, high"),
        ("{}", "spec.params: must have 'ticket': pipeline 'asking' requires it"),
    ],
)
def test_only_declared_parameters_are_given_and_all_required_ones(params, message):
    for kind, spec in (
        ("Task", f"{{prompt: x, pipeline: asking, params: {params}}}"),
        ("Pipeline", f"{{stages: [{{name: u, use: {{pipeline: asking, params: {params}}}}}]}}"),
    ):
        found = said((kind, "a", spec))
        assert len(found) == (message is not None)
        assert not found or message.removeprefix("spec.") in found[0]


def test_nobody_waits_for_a_merge_that_never_comes():
    first = ("Task", "one", "{prompt: x, pipeline: looking}")
    (problem,) = said(first, ("Task", "two", "{prompt: x, pipeline: merging, dependsOn: [{task: one}]}"))
    assert "spec.dependsOn[0].task: must be of a pipeline that merges" in problem
    assert said(first, ("Task", "two", "{prompt: x, dependsOn: [{task: one, until: Verified}]}")) == []
    assert said(("Task", "one", "{prompt: x}"), ("Task", "two", "{prompt: x, dependsOn: [{task: one}]}")) == []


def test_the_default_pipeline_of_the_project_counts():
    project = ("Project", "p", "{defaults: {pipeline: looking}}")
    tasks = (("Task", "one", "{prompt: x}"), ("Task", "two", "{prompt: x, dependsOn: [{task: one}]}"))
    (problem,) = said(project, *tasks)
    assert "pipeline 'looking' has no merge stage" in problem


@pytest.mark.parametrize("edge", ["dependsOn: [{task: NEXT}]", "base: {task: NEXT}"])
def test_git_7_a_circle_of_tasks_is_printed_with_the_place_of_each_edge(edge):
    ring = {"a": "b", "b": "c", "c": "a"}
    tasks = [("Task", name, f"{{prompt: x, {edge.replace('NEXT', other)}}}") for name, other in ring.items()]
    column = f"spec: {tasks[0][2]}".index("b}") + 1
    field = "dependsOn[0].task" if "dependsOn" in edge else "base.task"
    assert said(*tasks)[1] == (
        f"b.yaml:4:{column}: error: spec.{field}: must not go round in a circle: Task b -> c -> a -> b depends on"
        f" itself; it is written at b.yaml:4:{column}, c.yaml:4:{column}, a.yaml:4:{column} [cycle]"
    )
    assert [each.split(":")[0] for each in said(*tasks)] == ["a.yaml", "b.yaml", "c.yaml"]


def test_git_7_of_a_long_circle_the_first_and_the_last_edges_are_printed():
    tasks = [("Task", f"t{n}", f"{{prompt: x, dependsOn: [{{task: t{(n + 1) % 500}}}]}}") for n in range(500)]
    first = said(*tasks)[0]
    assert "Task t0 -> t1 -> t2 -> t3 -> t4 -> t5 -> t6 -> t7 -> t8 -> t9 -> (490 more) -> t0 depends" in first
    assert len(first) < 1_000
    short = "this Task and 499 others depend on themselves; one way round is written out at Task t0 [cycle]"
    assert sum(each.endswith(short) for each in said(*tasks)) == 480


def test_git_7_a_long_chain_is_no_circle():
    tasks = [("Task", f"t{n}", f"{{prompt: x, dependsOn: [{{task: t{n + 1}}}]}}") for n in range(2_000)]
    assert said(*tasks, ("Task", "t2000", "{prompt: x}")) == []


@pytest.mark.parametrize(
    ("stage", "what"),
    [
        ("{name: u, use: {pipeline: NEXT}}", "uses itself"),
        ("{name: u, tasks: {forEach: {items: [x]}, template: {spec: {pipeline: NEXT}}}}", "makes tasks of itself"),
    ],
)
def test_git_7_a_circle_of_pipelines_is_printed(stage, what):
    found = said(
        ("Pipeline", "p", f"{{stages: [{stage.replace('NEXT', 'q')}]}}"),
        ("Pipeline", "q", f"{{stages: [{stage.replace('NEXT', 'p')}]}}"),
    )
    assert [each for each in found if "[cycle]" in each and f"Pipeline p -> q -> p {what}" in each]


def test_pipelines_are_used_three_levels_deep_and_no_deeper():
    chain = [("Pipeline", f"p{n}", f"{{stages: [{{name: u, use: {{pipeline: p{n + 1}}}}}]}}") for n in range(4)]
    end = ("Pipeline", "p4", "{stages: [{name: a, role: writer}]}")
    (problem,) = said(*chain, end)
    assert problem.startswith("p0.yaml:4:")
    assert "must be at most 3 levels deep" in problem


def test_git_7_a_name_in_another_namespace_is_found_there_only():
    other = f"{HEAD}kind: Task\nmetadata: {{name: a, namespace: far}}\nspec: {{prompt: x}}\n"
    here = f"{HEAD}kind: Task\nmetadata: {{name: b}}\nspec: {{prompt: x, dependsOn: [{{task: far/a}}]}}\n"
    documents = [each for text in (other, here) for each in manifests.parse(text.encode(), "x.yaml").documents]
    assert manifests.check_references(documents) == ()
    (problem,) = manifests.check_references(documents[1:])
    assert problem.code == "unknown_reference"
