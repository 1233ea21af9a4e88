"""What has no behaviour yet is named in the status, and no Task starts on a part of what is asked (GIT-3)."""

from __future__ import annotations

import dataclasses

import pytest

from orchctl.core import events, views
from tests.unit.core import builders


def marked(fact: events.ObjectAdmitted, *fields: str, harmless: tuple[str, ...] = ()) -> events.ObjectAdmitted:
    return dataclasses.replace(fact, unsupported=(*fields, *harmless), harmless=harmless)


def condition(made, key, type):
    return next((one for one in made.object(key).conditions if one.type == type), None)


OTHERS = {
    "Project": marked(builders.project(), "spec.isolation"),
    "Pipeline": marked(builders.admitted("Pipeline", "change", {"stages": builders.STAGES}), "spec.stages[0].panel"),
    "Role": marked(builders.admitted("Role", "coder", {}), "spec.budget"),
    "Agent": marked(builders.admitted("Agent", "script", {"backend": "script"}), "spec.account"),
}


def test_git_3_a_task_with_a_field_nobody_acts_on_waits_and_says_which():
    made = builders.bench(builders.project(), marked(builders.task(), "spec.dependsOn", "spec.suspend"))
    task = made.object("Task/default/fix")
    assert task.task is None
    because = task.because
    assert because is not None
    assert (because.rule, because.waiting) == ("GIT-3", "NotImplemented")
    assert "spec.dependsOn, spec.suspend" in because.text
    assert "manifests/fix.yaml:1" in because.unblock
    said = condition(made, "Task/default/fix", "Supported")
    assert (said.status, said.reason) == ("False", "NotImplemented")
    assert "spec.dependsOn" in said.message


@pytest.mark.parametrize("kind", OTHERS)
def test_git_3_a_task_waits_for_what_it_resolves_to_as_well(kind):
    made = builders.bench(builders.project(), OTHERS[kind], builders.task())
    task = made.object("Task/default/fix")
    assert task.task is None
    assert task.because is not None
    assert OTHERS[kind].unsupported[0] in task.because.text
    ready = condition(made, OTHERS[kind].key, "Ready")
    assert (ready.status, ready.reason) == ("False", "NotImplemented")
    assert condition(made, OTHERS[kind].key, "Stalled").status == "True"
    assert views.summary(made.object(OTHERS[kind].key)) == "NotImplemented"


def test_git_3_it_starts_once_the_field_is_gone():
    made = builders.bench(builders.project(), marked(builders.task(), "spec.budget"))
    made.give(builders.task(priority=1))
    assert made.object("Task/default/fix").task is not None
    assert condition(made, "Task/default/fix", "Supported") is None


def test_work_goes_on_without_what_changes_nothing_that_is_done():
    made = builders.bench(builders.project(), marked(builders.task(), harmless=("spec.touches",)))
    assert made.object("Task/default/fix").task is not None
    assert "without spec.touches" in condition(made, "Task/default/fix", "Supported").message


def test_a_pipeline_that_is_not_used_holds_nobody():
    other = marked(builders.admitted("Pipeline", "feature", {"stages": builders.STAGES}), "spec.stages[0].panel")
    made = builders.bench(builders.project(), other, builders.task())
    assert made.object("Task/default/fix").task is not None


@pytest.mark.parametrize("kind", ["Board", "Budget", "Session", "MergeQueue"])
def test_a_kind_without_behaviour_says_so_and_ends_every_wait_for_it(kind):
    made = builders.bench(marked(builders.admitted(kind, "a", {}), "kind"))
    key = f"{kind}/default/a"
    assert condition(made, key, "Accepted").status == "True"
    assert condition(made, key, "Supported").status == "False"
    assert condition(made, key, "Ready").status == "False"
    assert condition(made, key, "Stalled").reason == "NotImplemented"
