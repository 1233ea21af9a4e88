"""Which agent works: the first of a list that can be used here, why others were passed over, and its model (SES-14)."""

from __future__ import annotations

import dataclasses

import pytest

from orchctl.core import actions, events, evolve
from orchctl.core.ids import Key
from orchctl.core.state import State
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = "Task/default/fix"
GONE = "there is no `{}` on PATH"


def agent(name: str, **spec: object) -> events.ObjectAdmitted:
    return builders.admitted("Agent", name, {"backend": "command", "command": [name], **spec})


def there(name: str, **spec: object) -> list[events.Event]:
    fact = agent(name, **spec)
    return [fact, worlds.probed(fact)]


def gone(name: str) -> list[events.Event]:
    fact = agent(name)
    return [fact, worlds.probed(fact, problem=GONE.format(name))]


def native(name: str) -> events.ObjectAdmitted:
    return builders.admitted("Agent", name, {"backend": name})


def unsupported(name: str) -> events.ObjectAdmitted:
    return dataclasses.replace(native(name), unsupported=("spec.backend",))


def runs(bench: worlds.Bench) -> list[actions.RunAgent]:
    return [effect for effect in bench.world.done if isinstance(effect, actions.RunAgent)]


def chosen(bench: worlds.Bench) -> dict[str, object]:
    resolved = builders.body(bench, TASK)["status"]["resolved"]
    found: dict[str, object] = next(one for one in resolved if one["field"] == "stages.implement.agent")
    return found


def condition(bench: worlds.Bench, key: str, type_: str) -> tuple[str, str, str]:
    found = next(one for one in bench.object(key).conditions if one.type == type_)
    return found.status, found.reason, found.message


def test_ses_14_the_first_agent_that_is_there_is_taken_and_the_reasons_of_the_others_are_kept() -> None:
    facts = [*gone("a"), unsupported("crush"), *there("b"), *there("c")]
    bench = builders.bench(*facts, builders.project(), builders.task(agents=["ghost", "a", "crush", "b", "c"]))
    assert [run.agent for run in runs(bench)] == ["b"]
    said = chosen(bench)
    assert (said["name"], said["source"]) == ("b", "Task")
    over = said["passedOver"]
    assert isinstance(over, list)
    assert [word in text for word, text in zip(("ghost", "no `a`", "spec.backend"), over, strict=True)] == [True] * 3


def test_ses_14_a_list_of_which_none_can_be_used_waits_with_the_reason_of_each_and_no_attempt_is_made() -> None:
    bench = builders.bench(*gone("a"), builders.project(), builders.task(agents=["ghost", "a"]))
    because = bench.object(TASK).because
    assert because is not None
    assert (because.rule, because.waiting) == ("SES-14", "AgentNotReady")
    assert len(because.evidence) == 2
    assert "ghost" in because.evidence[0]
    assert GONE.format("a") in because.evidence[1]
    assert bench.world.done == []
    bench.give(worlds.probed(agent("a")))
    assert [run.agent for run in runs(bench)] == ["a"]


def test_ses_14_an_agent_nobody_has_looked_for_is_waited_for_though_the_next_of_the_list_is_there() -> None:
    bench = builders.bench(agent("a"), *there("b"), builders.project(), builders.task(agents=["a", "b"]))
    because = bench.object(TASK).because
    assert because is not None
    assert (because.waiting, bench.world.done) == ("AgentNotReady", [])
    bench.give(worlds.probed(agent("a"), problem="it is not there"))
    assert [run.agent for run in runs(bench)] == ["b"]


def test_ses_14_a_program_that_goes_away_holds_the_next_run_and_fails_nothing() -> None:
    world = builders.Meddled(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    world.meddle(actions.ImportWork, worlds.probed(agent("a"), problem=GONE.format("a")))
    bench = builders.bench(*there("a"), builders.project(), builders.task(agents=["a"]), world=world)
    assert len(runs(bench)) == 1
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(AgentNotReady)"
    bench.wait(30 * 24 * 3600.0)
    assert bench.object(TASK).task.ended is None, "waiting for a program uses up no time of the task"  # type: ignore[union-attr]
    world.exits = lambda effect: 0
    bench.give(worlds.probed(agent("a")))
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"
    assert [run.number for run in runs(bench)] == [1, 2]


def test_ses_14_without_a_name_a_command_is_passed_over_with_the_reason_and_script_works() -> None:
    bench = builders.bench(*there("claude"), *gone("codex"), unsupported("crush"), builders.project())
    bench.give(builders.task())
    assert builders.body(bench, TASK)["status"]["summary"] == "Waiting(AgentNotReady)"
    bench.give(worlds.probed(unsupported("crush")))
    said = chosen(bench)
    assert (said["name"], said["source"]) == ("script", "BuiltIn")
    over = said["passedOver"]
    assert isinstance(over, list)
    assert len(over) == 2, "what is not there was not passed over: nobody asked for it"
    assert "/usr/bin/claude" in over[0]
    assert "has to be named" in over[0]
    assert "spec.backend" in over[1]


@pytest.mark.parametrize("first_is_there", [True, False])
def test_ses_14_without_a_name_the_first_known_agent_with_a_backend_of_its_own_works(first_is_there: bool) -> None:
    problem = "" if first_is_there else "it is not there"
    codex, aider = native("codex"), native("aider")
    facts = [aider, worlds.probed(aider), codex, worlds.probed(codex, problem=problem)]
    bench = builders.bench(*facts, builders.project(), builders.task())
    assert [run.agent for run in runs(bench)] == ["codex" if first_is_there else "aider"]


def test_ses_14_conditions_and_status_of_an_agent_follow_its_program() -> None:
    fact = agent("claude")
    bench = builders.bench(fact)
    key = "Agent//claude"
    assert condition(bench, key, "Ready")[:2] == ("Unknown", "Progressing")
    bench.give(worlds.probed(fact, version="2.1.197"))
    assert condition(bench, key, "Ready")[0] == "True"
    status = builders.body(bench, key)["status"]
    assert (status["path"], status["version"], status["summary"]) == ("/usr/bin/claude", "2.1.197", "Ready")
    assert status["since"].endswith("Z")
    bench.give(worlds.probed(fact, problem=GONE.format("claude")))
    status, reason, message = condition(bench, key, "Ready")
    assert (status, reason) == ("False", "AgentNotReady")
    assert "install `claude`" in message
    assert builders.body(bench, key)["status"]["summary"] == "NotReady"
    bench.give(agent("claude", model="opus"))
    assert condition(bench, key, "Ready")[0] == "Unknown", "what was found was found for another spec"


def test_ses_14_the_script_agent_needs_no_program() -> None:
    bench = builders.bench()
    assert condition(bench, "Agent//script", "Ready")[0] == "True"


def test_log_8_news_of_another_spec_or_that_is_none_is_stale() -> None:
    fact = agent("a")
    bench = builders.bench(fact, worlds.probed(fact))
    before = bench.machine.state
    ghost = dataclasses.replace(worlds.probed(fact), key=Key("Agent//ghost"))
    other = worlds.probed(agent("a", model="opus"))
    for late in (worlds.probed(fact), other, ghost):
        step = bench.machine.step([late], bench.now)
        assert step.stale
    assert bench.machine.state == before


def test_log_3_what_was_found_is_folded_again_as_it_was() -> None:
    facts = [*there("b"), *gone("a")]
    bench = builders.bench(*facts, builders.project(), builders.task(agents=["a", "b/opus"]))
    state = State()
    for recorded in bench.log:
        state = evolve.evolve(state, recorded)
    assert state == bench.machine.state


@pytest.mark.parametrize(
    ("wanted", "own", "model"),
    [("a", {}, ""), ("a/opus", {}, "opus"), ("a", {"model": "m"}, "m"), ("a/opus", {"model": "m"}, "opus")],
)
def test_the_model_of_the_list_wins_over_that_of_the_agent(wanted: str, own: dict[str, str], model: str) -> None:
    bench = builders.bench(*there("a", **own), builders.project(), builders.task(agents=[wanted]))
    assert [run.model for run in runs(bench)] == [model]
    assert chosen(bench)["name"] == (f"a/{model}" if model else "a")


def test_a_project_that_leads_to_programs_of_its_own_is_believed() -> None:
    """The PATH its agents get is another one than the one that was looked at."""
    own = builders.project(worktrees={"env": {"PATH": "/opt/tools"}})
    bench = builders.bench(*gone("a"), own, builders.task(agents=["a"]))
    assert [run.agent for run in runs(bench)] == ["a"]


CHAIN = [
    ("Task", {"agents": ["a"]}, {"agents": ["b"]}, {"agents": ["b"]}, {"agents": ["b"]}),
    ("Stage", {}, {"agents": ["a"]}, {"agents": ["b"]}, {"agents": ["b"]}),
    ("Role", {}, {}, {"agents": ["a"]}, {"agents": ["b"]}),
    ("Project", {}, {}, {}, {"agents": ["a"]}),
]


@pytest.mark.parametrize(("source", "task", "stage", "role", "defaults"), CHAIN)
def test_agents_resolve_from_task_stage_role_and_project_in_this_order(source, task, stage, role, defaults) -> None:
    stages = [{**builders.STAGES[0], **stage}, builders.STAGES[1]]
    facts = [*there("a"), *there("b"), builders.admitted("Role", "coder", role)]
    pipeline = builders.admitted("Pipeline", "change", {"stages": stages})
    bench = builders.bench(*facts, pipeline, builders.project(defaults=defaults), builders.task(**task))
    assert (chosen(bench)["name"], chosen(bench)["source"]) == ("a", source)


@pytest.mark.parametrize(
    ("task", "defaults", "wanted"),
    [
        ({"timeout": "1h"}, {"timeout": "2h"}, ("1h", "Task")),
        ({}, {"timeout": "2h"}, ("2h", "Project")),
        ({}, {}, ("4h", "BuiltIn")),
    ],
)
def test_what_was_resolved_says_where_the_timeout_is_from(task, defaults, wanted) -> None:
    bench = builders.bench(builders.project(defaults=defaults), builders.task(**task))
    resolved = {one["field"]: one for one in builders.body(bench, TASK)["status"]["resolved"]}
    assert (resolved["timeout"]["name"], resolved["timeout"]["source"]) == wanted


def test_task_5_what_was_resolved_is_named_by_the_digest_of_its_spec() -> None:
    bench = builders.bench(builders.project(), builders.task())
    resolved = {one["field"]: one for one in builders.body(bench, TASK)["status"]["resolved"]}
    wanted = {
        "project": "Project/default/shop",
        "pipeline": "Pipeline/default/change",
        "stages.implement.role": "Role/default/coder",
        "stages.implement.agent": "Agent//script",
    }
    assert {field: resolved[field]["digest"] for field in wanted} == {
        field: bench.object(key).desired.spec_digest  # type: ignore[union-attr]
        for field, key in wanted.items()
    }
