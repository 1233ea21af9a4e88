"""Which fields are marked as having no behaviour, and that the table of kinds says the same as the models."""

import pytest

from orchctl.adapters import manifests
from orchctl.api import kinds, registry, support


def unsupported(kind, spec):
    text = f"apiVersion: orchctl.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: default}}\nspec: {spec}\n"
    loaded = manifests.parse(text.encode(), "a.yaml")
    assert not loaded.problems, loaded.problems
    (document,) = loaded.documents
    return document.unsupported, document.harmless


@pytest.mark.parametrize(
    ("kind", "spec", "fields"),
    [
        ("Task", "{prompt: x, agents: [a], priority: 3, timeout: 1h, title: t, project: p}", ()),
        ("Task", "{prompt: x, suspend: false, dependsOn: [], params: {}}", ()),
        ("Task", "{prompt: x, suspend: true, shutdown: Now}", ()),
        ("Task", "{prompt: x, sparse: [a], budget: {usd: 1}}", ("spec.budget", "spec.sparse")),
        ("Task", "{prompt: x, dependsOn: [{task: y}]}", ()),
        ("Agent", "{backend: script}", ()),
        ("Agent", "{backend: codex}", ("spec.backend",)),
        ("Role", "{access: ReadOnly, system: x, agents: [a]}", ("spec.access",)),
        ("Role", "{access: ReadWrite, system: x, agents: [a]}", ()),
        ("Role", "{budget: {turns: 3}}", ("spec.budget",)),
        ("Pipeline", "{stages: [{name: a, role: r, gates: [{checks: {}}]}, {name: m, merge: {}}]}", ()),
        (
            "Pipeline",
            "{stages: [{name: a, gates: [{checks: {}}, {approval: {}}, {secretScan: {}}]}]}",
            ("spec.stages[0].gates[2].secretScan",),
        ),
        (
            "Pipeline",
            "{stages: [{name: a, role: r, onFailure: {goto: a, then: Ask}}]}",
            (),
        ),
        ("Pipeline", "{stages: [{name: m, merge: {strategy: Rebase}}]}", ("spec.stages[0].merge.strategy",)),
        ("Pipeline", "{stages: [{name: a, role: r}], finally: [{name: f, role: r}]}", ("spec.finally",)),
        ("Project", "{checks: [{name: a, run: x, when: 'true'}]}", ("spec.checks[0].when",)),
        ("Project", "{worktrees: {mode: Isolated, keep: Always}}", ()),
        (
            "Project",
            "{worktrees: {mode: Linked}, repo: {submodules: Checkout}}",
            ("spec.repo.submodules", "spec.worktrees.mode"),
        ),
        ("Budget", "{max: {usd: 1}}", ("kind",)),
        ("Session", "{prompt: x}", ("kind",)),
        ("Settings", "{source: {paths: [config], verify: Head}}", ()),
        ("Settings", "{notify: [{events: [Failed], file: news.txt}]}", ("spec.notify",)),
        ("Settings", "{limits: {sessions: 3}, minFreeMemory: 2Gi}", ()),
    ],
)
def test_fields_without_behaviour_are_named_when_they_are_set(kind, spec, fields):
    assert tuple(sorted(unsupported(kind, spec)[0])) == fields


def test_what_work_can_go_on_without_is_marked_apart():
    assert unsupported("Settings", "{notify: [{events: [Failed], file: /tmp/x}]}") == (
        ("spec.notify",),
        ("spec.notify",),
    )
    assert unsupported("Project", "{repo: {submodules: Checkout}}") == (("spec.repo.submodules",), ())


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_table_says_what_the_models_say(kind):
    row = kinds.KINDS[kind]
    marks = support.has_marks(registry.MODELS[kind])
    assert row.supported in ("yes", "partly", "no")
    assert row.supported == "no" or (row.supported == "partly") == (marks or row.made_by_controller)
