"""References between documents and duplicate identities (GIT-4, GIT-7), and the built-in catalogue."""

import json

from orchctl.adapters import manifests
from orchctl.adapters.manifests import catalog
from orchctl.core.ids import key_of

HEAD = "apiVersion: orchctl.dev/v1alpha1\n"


def documents(text: str, path: str = "a.yaml") -> tuple[manifests.Document, ...]:
    loaded = manifests.parse(text.encode(), path)
    assert not loaded.problems
    return loaded.documents


def test_git_7_a_dangling_reference_is_named_with_what_was_meant():
    spec = "  prompt: x\n  pipeline: quikfix\n  agents: [claude/opus, codx]\n"
    text = f"{HEAD}kind: Task\nmetadata: {{name: a}}\nspec:\n{spec}"
    assert [str(each) for each in manifests.check_references(documents(text))] == [
        "a.yaml:6:13: error: spec.pipeline: must be the name of a Pipeline; there is no 'quikfix',"
        " did you mean 'quickfix'? [unknown_reference]",
        "a.yaml:7:25: error: spec.agents[1]: must be the name of an Agent; there is no 'codx', did you mean 'codex'?"
        " [unknown_reference]",
    ]


def test_git_7_built_ins_serve_every_namespace():
    spec = "{prompt: x, pipeline: change, agents: [claude]}"
    text = f"{HEAD}kind: Task\nmetadata: {{name: a, namespace: b}}\nspec: {spec}\n"
    assert manifests.check_references(documents(text)) == ()


def test_git_7_objects_of_the_same_namespace_are_found_and_others_are_not():
    project = f"{HEAD}kind: Project\nmetadata: {{name: shop, namespace: b}}\n"
    task = f"{HEAD}kind: Task\nmetadata: {{name: a, namespace: b}}\nspec: {{prompt: x, project: shop}}\n"
    assert manifests.check_references(documents(f"{project}---\n{task}")) == ()
    (problem,) = manifests.check_references(documents(f"{project}---\n{task.replace('namespace: b', 'namespace: c')}"))
    assert problem.field == "spec.project"


def test_git_4_two_files_with_one_identity_are_both_named():
    task = f"{HEAD}kind: Task\nmetadata: {{name: a}}\nspec: {{prompt: x}}\n"
    problems = manifests.check_references((*documents(task, "one.yaml"), *documents(task, "two.yaml")))
    assert [(each.path, each.code) for each in problems] == [
        ("one.yaml", "duplicate_identity"),
        ("two.yaml", "duplicate_identity"),
    ]
    assert "two.yaml:1" in problems[0].message
    assert "one.yaml:1" in problems[1].message


ROLES = ["orchestrator", "planner", "coder", "reviewer", "security-reviewer", "tester", "resolver", "scorer", "scribe"]
PIPELINES = ["change", "quickfix", "feature", "dev-review-fix", "chore", "research", "land"]
USABLE = {"change", "quickfix", "chore", "research"}  # the others ask for what is not done yet, and say so


def test_the_catalogue_holds_what_it_promises_and_refers_only_to_itself():
    built_in = catalog.documents()
    named = {(each.kind, each.name) for each in built_in}
    assert named >= {("Role", name) for name in ROLES}
    assert named >= {("Pipeline", name) for name in PIPELINES}
    assert named >= {("Policy", "solo"), ("Policy", "team"), ("Agent", "script")}
    assert manifests.check_references(built_in) == ()
    assert manifests.check_references(()) == ()


def test_a_built_in_pipeline_is_usable_or_says_what_is_not_done_yet():
    found = {each.key: each for each in catalog.documents()}
    for name in PIPELINES:
        pipeline = found[key_of("Pipeline", "default", name)]
        roles = [each.name for each in pipeline.references if each.kind == "Role"]
        asked = [field for key in roles for field in found[key_of("Role", "default", key)].unsupported]
        assert bool([*pipeline.unsupported, *asked]) == (name not in USABLE), name


def test_every_role_says_in_its_prompt_what_it_is_for():
    for document in catalog.documents():
        if document.kind == "Role":
            assert len(json.loads(document.spec_json)["system"]) > 200, document.name
