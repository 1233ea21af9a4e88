"""The loader: what a good file gives, and how each kind of mistake is said and where (GIT-3, GIT-4, GIT-8)."""

import json

import pytest

from orchctl.adapters import manifests
from orchctl.api import kinds

HEAD = "apiVersion: orchctl.dev/v1alpha1\n"


def load(text: str, path: str = "a.yaml") -> manifests.Loaded:
    return manifests.parse(text.encode(), path)


def said(text: str) -> list[str]:
    return [str(problem) for problem in load(text).problems]


def test_a_task_needs_only_its_prompt_and_gets_the_rest():
    (task,) = load(
        f"{HEAD}kind: Task\nmetadata: {{name: fix, labels: {{b: '2', a: '1'}}}}\nspec: {{prompt: no}}\n"
    ).documents
    assert (task.key, task.path, task.index, task.line) == ("Task/default/fix", "a.yaml", 0, 1)
    assert task.labels == (("a", "1"), ("b", "2"))
    assert task.spec_json == (
        '{"agents":[],"attempts":10,"dependsOn":[],"params":{},"priority":0,"prompt":"no","reads":[],"sparse":[],"suspend":false,'
        '"touches":[]}'
    )


def test_the_same_spec_written_otherwise_is_the_same():
    block = f"{HEAD}kind: Task\nmetadata:\n  name: fix\nspec:\n  # why\n  priority: 017\n  prompt: hi\n"
    flow = f"{HEAD}kind: Task\nspec: {{prompt: 'hi', priority: 17}}\nmetadata: {{name: fix}}\n"
    assert load(block).documents[0].spec_json == load(flow).documents[0].spec_json


def test_a_cluster_scoped_kind_has_no_namespace():
    agent = f"{HEAD}kind: Agent\nmetadata: {{name: a}}\nspec: {{backend: script}}\n"
    assert load(agent).documents[0].key == "Agent//a"
    assert said(agent.replace("name: a", "name: a, namespace: b")) == [
        "a.yaml:3:32: error: metadata.namespace: must not be set: Agent objects belong to no namespace [not_allowed]"
    ]


def test_git_3_a_syntax_error_costs_only_its_own_document():
    good = f"{HEAD}kind: Task\nmetadata: {{name: NAME}}\nspec: {{prompt: x}}\n"
    broken = f"{HEAD}kind: Task\nmetadata: {{name: broken}}\nspec: {{prompt: 'x}}\n"
    loaded = load(f"{good.replace('NAME', 'one')}---\n{broken}---\n{good.replace('NAME', 'three')}")
    assert [(each.name, each.index, each.line) for each in loaded.documents] == [("one", 0, 1), ("three", 2, 11)]
    (problem,) = loaded.problems
    assert (problem.key, problem.line, problem.code) == ("Task/default/broken", 10, "yaml_syntax")


def test_all_problems_of_all_documents_are_reported_in_order_of_position():
    text = (
        f"{HEAD}kind: Pipeline\nmetadata: {{name: x, uid: 4}}\nspec:\n  stages:\n"
        "  - name: a\n    rol: coder\n    gates: [{}]\n    onFailure: {goto: 5}\n  - nam: b\n"
        f"---\n{HEAD}kind: Taks\nmetadata: {{name: y}}\n"
    )
    assert said(text) == [
        "a.yaml:3:21: error: metadata.uid: must not be in a manifest: the controller sets it; remove the line"
        " [unknown_field]",
        'a.yaml:7:5: error: spec.stages[0].rol: unknown field "rol", did you mean "role"? [unknown_field]',
        "a.yaml:9:23: error: spec.stages[0].onFailure.goto: must be a string; put it in quotes [wrong_type]",
        'a.yaml:10:5: error: spec.stages[1].nam: unknown field "nam", did you mean "name"? [unknown_field]',
        "a.yaml:10:5: error: spec.stages[1].name: must be given [missing]",
        f"a.yaml:13:7: error: kind: must be one of {', '.join(kinds.KINDS)}, did you mean 'Task'? [unknown_kind]",
    ]


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("{}", "4:1: error: spec.prompt: must be given [missing]"),
        ("{prompt: 5}", "4:16: error: spec.prompt: must be a string; put it in quotes [wrong_type]"),
        ("{prompt: }", "4:16: error: spec.prompt: must be a string and not empty [wrong_type]"),
        ("{prompt: ''}", "4:16: error: spec.prompt: must not be empty [too_short]"),
        ("{prompt: x, priority: 1.5}", "4:29: error: spec.priority: must be a whole number [wrong_type]"),
        ("{prompt: x, priority: 9999999}", "4:29: error: spec.priority: must be at most 1000000 [out_of_range]"),
        ("{prompt: x, agents: codex}", "4:27: error: spec.agents: must be a list [wrong_type]"),
        ("{prompt: x, prompt: y}", '4:19: error: spec: must not have the key "prompt" twice; the first is in line 4'),
        ("{<<: {prompt: x}, prompt: x}", "4:8: error: spec: must not use a merge key `<<`; write the fields out"),
        ("{prompt: !!str x}", "4:16: error: spec.prompt: must not have a tag; remove 'tag:yaml.org,2002:str' [tag]"),
        ("{prompt: x, 5: y}", "4:19: error: spec: must have a string as key; put 5 in quotes [bad_key]"),
        ('{prompt: x, title: "a\\u202eb"}', "4:26: error: spec.title: must be one line without control or direction"),
        ('{prompt: "a\\0b"}', "4:16: error: spec.prompt: must not contain control characters [control_character]"),
        ("{prompt: x, timeout: 1h30m}", "4:28: error: spec.timeout: must be a duration: a whole number and one of"),
    ],
)
def test_git_8_each_mistake_in_a_task_is_located_and_says_what_must_be(spec, line):
    loaded = load(f"{HEAD}kind: Task\nmetadata: {{name: a}}\nspec: {spec}\n")
    assert not loaded.documents
    assert str(loaded.problems[0]).startswith(f"a.yaml:{line}")
    assert {problem.key for problem in loaded.problems} == {"Task/default/a"}


@pytest.mark.parametrize(
    ("stages", "line"),
    [
        ("[]", "4:16: error: spec.stages: must have at least 1 entry [too_few]"),
        ("[{name: a}]", "4:17: error: spec.stages[0]: must have a `role`, a `panel`, `tasks`, a `merge`, a"),
        (
            "[{name: a, gates: [{}]}]",
            "4:35: error: spec.stages[0].gates[0]: must have exactly one of `checks`, `command`",
        ),
        ("[{name: a, role: r, merge: {}}]", "4:17: error: spec.stages[0]: must have at most one of `role`, `panel`"),
        ("[{name: a, merge: {}}, {name: b, role: r}]", "4:34: error: spec.stages[0].merge: must be in the last stage"),
        ("[{name: a, role: r}, {name: a, role: r}]", "4:44: error: spec.stages[1].name: must be unique in the list"),
        ("[{name: a, role: r, onFailure: {goto: z}}]", "4:54: error: spec.stages[0].onFailure.goto: must be this"),
        ("[{name: a, gates: [{checks: {}}, {checks: {}}]}]", "4:49: error: spec.stages[0].gates[1]: must be unique"),
    ],
)
def test_rules_between_the_fields_of_a_pipeline(stages, line):
    (first, *_) = said(f"{HEAD}kind: Pipeline\nmetadata: {{name: a}}\nspec: {{stages: {stages}}}\n")
    assert first.startswith(f"a.yaml:{line}")


def test_what_is_not_ours_is_skipped_and_what_does_not_say_is_told():
    assert load("apiVersion: apps/v1\nkind: Deployment\n") == manifests.Loaded((), ())
    assert load("") == load("---\n") == load("# nothing\n") == manifests.Loaded((), ())
    assert said("kind: Task\n") == [
        "a.yaml:1:1: error: apiVersion: must be given: add the line `apiVersion: orchctl.dev/v1alpha1` [missing]"
    ]
    assert said("apiVersion: orchctl.dev/v2\nkind: Task\n") == [
        "a.yaml:1:13: error: apiVersion: must be 'orchctl.dev/v1alpha1' [unsupported_version]"
    ]
    assert said("- a\n")[0].startswith("a.yaml:1:1: error: must be a mapping")


def test_a_status_in_a_manifest_is_refused_with_what_to_do():
    text = f"{HEAD}kind: Task\nmetadata: {{name: a}}\nspec: {{prompt: x}}\nstatus: {{stage: a}}\n"
    assert said(text) == [
        "a.yaml:5:1: error: status: must not be in a manifest: the controller writes it; remove it [status_in_manifest]"
    ]


def test_strings_of_yaml_1_2_stay_strings():
    env = "      A: no\n      B: on\n      C: 1:30\n      D: 2026-01-01\n"
    text = f"{HEAD}kind: Project\nmetadata: {{name: a}}\nspec:\n  worktrees:\n    env:\n{env}"
    (project,) = load(text).documents
    assert json.loads(project.spec_json)["worktrees"]["env"] == {"A": "no", "B": "on", "C": "1:30", "D": "2026-01-01"}


def test_an_alias_stands_for_what_it_names():
    text = f"{HEAD}kind: Project\nmetadata: {{name: a}}\nspec: {{checks: [{{name: &x unit, run: *x}}]}}\n"
    assert json.loads(load(text).documents[0].spec_json)["checks"] == [
        {"name": "unit", "run": "unit", "scopes": [], "timeout": "10m"}
    ]


def test_a_url_in_braces_is_told_to_be_quoted():
    text = f"{HEAD}kind: Project\nmetadata: {{name: a}}\nspec: {{repo: {{url: https://x.example/y}}}}\n"
    assert all("put the value in quotes" in each for each in said(text))
    assert load(text.replace("https://x.example/y", "'https://x.example/y'")).documents


def test_a_30_line_task_is_read_in_a_fraction_of_a_millisecond():
    import time

    lines = "    do this and that\n" * 20
    text = f"{HEAD}kind: Task\nmetadata:\n  name: a\nspec:\n  agents: [claude, codex]\n  prompt: |\n{lines}".encode()
    best_s = 1.0
    for _ in range(50):
        started = time.perf_counter()
        assert manifests.parse(text, "a.yaml").documents
        best_s = min(best_s, time.perf_counter() - started)
    assert best_s < 0.002  # measured 0.12 ms; the margin is for a busy machine
