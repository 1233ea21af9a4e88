"""An agent starts on an Account whose secrets are there; names and paths are all the core knows of them (SES-10)."""

from __future__ import annotations

import dataclasses

from orchctl.core import actions, events
from orchctl.testing import worlds
from tests.unit.core import builders
from tests.unit.core.test_choosing import TASK, chosen, condition, runs, there

KEY = {"env": "API_KEY", "fromFile": "~/key"}


def account(name: str = "team", *secrets: dict[str, str]) -> events.ObjectAdmitted:
    return builders.admitted("Account", name, {"secrets": list(secrets)})


def looked_at(fact: events.ObjectAdmitted, problem: str = "") -> events.AccountProbed:
    return events.AccountProbed(fact.key, spec_digest=fact.spec_digest, problem=problem)


def waits(bench: worlds.Bench) -> str:
    because = bench.object(TASK).because
    assert because is not None
    return because.waiting


def test_ses_14_a_missing_secret_holds_the_task_with_the_file_and_no_attempt_is_made() -> None:
    team = account("team", KEY)
    bench = builders.bench(*there("a", account="team"), team, builders.project(), builders.task(agents=["a"]))
    assert waits(bench) == "AgentNotReady"
    bench.give(looked_at(team, "~/key cannot be read: No such file or directory"))
    because = bench.object(TASK).because
    assert because is not None
    assert (because.rule, because.waiting) == ("SES-14", "AgentNotReady")
    assert "~/key cannot be read" in because.text
    assert condition(bench, team.key, "Ready")[:2] == ("False", "AgentNotReady")
    assert bench.world.done == []
    bench.give(looked_at(team))
    assert condition(bench, team.key, "Ready")[0] == "True"
    (run,) = runs(bench)
    assert run.secrets == (("API_KEY", "~/key"),)
    assert "API_KEY" not in dict(run.env)


def test_ses_14_the_next_agent_of_a_list_works_while_the_account_of_the_first_cannot_pay() -> None:
    team = account("team", KEY)
    facts = [*there("a", account="team"), *there("b", account="free"), team, account("free")]
    bench = builders.bench(
        *facts, looked_at(team, "~/key is not text"), builders.project(), builders.task(agents=["a", "b"])
    )
    assert [(run.agent, run.secrets) for run in runs(bench)] == [("b", ())]
    assert chosen(bench)["passedOver"] == ["account team: ~/key is not text"]


def test_git_7_an_account_that_does_not_exist_is_waited_for_by_name() -> None:
    bench = builders.bench(*there("a", account="team"), builders.project(), builders.task(agents=["a"]))
    assert waits(bench) == "Dependency"
    bench.give(account("team"))
    assert len(runs(bench)) == 1


def test_git_3_an_account_with_a_limit_nobody_watches_holds_its_tasks() -> None:
    limited = dataclasses.replace(account("team"), unsupported=("spec.limits",))
    bench = builders.bench(*there("a", account="team"), limited, builders.project(), builders.task(agents=["a"]))
    assert waits(bench) == "NotImplemented"


def test_ses_14_a_secret_that_goes_away_holds_the_next_run_and_an_edit_of_the_account_counts_for_it() -> None:
    team, other = account("team", KEY), account("team", {"env": "API_KEY", "fromFile": "~/other"})
    world = builders.Meddled(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    world.meddle(actions.ImportWork, looked_at(team, "~/key cannot be read"))
    facts = [*there("a", account="team"), team, looked_at(team), builders.project(), builders.task(agents=["a"])]
    bench = builders.bench(*facts, world=world)
    assert len(runs(bench)) == 1
    assert waits(bench) == "AgentNotReady"
    bench.give(other)
    assert waits(bench) == "AgentNotReady"
    bench.give(looked_at(other))
    assert runs(bench)[1].secrets == (("API_KEY", "~/other"),)


def test_log_8_news_of_another_spec_of_an_account_or_that_is_none_is_stale() -> None:
    team = account("team", KEY)
    bench = builders.bench(team, looked_at(team))
    for late in (looked_at(team), looked_at(account("team")), looked_at(account("ghost", KEY))):
        assert bench.machine.step([late], bench.now).stale
