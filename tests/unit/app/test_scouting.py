"""When the programs of agents are looked for, and which of what is found is news (SES-14)."""

from __future__ import annotations

import dataclasses

from orchctl.adapters.probes import programs
from orchctl.app import scouting
from orchctl.core import accounts, agents, events
from orchctl.core.ids import Key
from orchctl.testing import worlds
from tests.unit.core import builders

CLAUDE = builders.admitted("Agent", "claude", {"backend": "command", "command": ["claude"]})
KEY = Key("Agent//claude")
SOUGHT = agents.Sought("claude", CLAUDE.spec_digest, ())
FOUND = programs.Found("/usr/bin/claude", "1.0.0", "1:2:3", "")


def bench(*facts: events.Event) -> worlds.Bench:
    made = worlds.Bench()
    made.give(*builders.catalogue(), *facts)
    return made


def looks(scout: scouting.Scout, made: worlds.Bench, now: float) -> list[Key]:
    return [look.key for look in scout.looks(made.machine.state, now)]


def test_ses_14_everything_is_looked_for_at_the_start_and_now_and_then() -> None:
    made, scout = bench(CLAUDE), scouting.Scout()
    (look,) = scout.looks(made.machine.state, 100.0)
    assert (look.key, look.sought, look.before) == (KEY, SOUGHT, None)
    scout.done(look)
    assert looks(scout, made, 100.0 + scouting.LOOK_S - 1) == []
    assert looks(scout, made, 100.0 + scouting.LOOK_S) == [KEY]


def test_ses_14_a_new_or_edited_agent_is_looked_for_at_once_but_by_one_at_a_time() -> None:
    made, scout = bench(), scouting.Scout()
    assert looks(scout, made, 0.0) == [], "script needs no program"
    made.give(CLAUDE)
    scout.touched([Key("Task/default/fix")])
    assert looks(scout, made, 1.0) == []
    scout.touched([KEY])
    assert looks(scout, made, 1.0) == [KEY]
    scout.touched([KEY])
    assert looks(scout, made, 2.0) == [], "somebody is looking"
    edited = builders.admitted("Agent", "claude", {"backend": "command", "command": ["claude", "-p"]}, 2)
    made.give(edited)
    scout.touched([KEY])
    (late,) = scout.looks(made.machine.state, 3.0)
    assert late.sought.spec_digest == edited.spec_digest, "the edit may have changed where to look"


def test_ses_14_agents_that_are_withdrawn_or_run_what_is_in_the_checkout_are_left_alone() -> None:
    inside = builders.admitted("Agent", "inside", {"backend": "command", "command": ["tools/agent"]})
    made = bench(CLAUDE, inside)
    withdrawn = {**made.machine.state.objects, KEY: dataclasses.replace(made.object(KEY), withdrawn=True)}
    state = dataclasses.replace(made.machine.state, objects=withdrawn)
    assert scouting.Scout().looks(state, 0.0) == []


def test_what_is_known_already_is_no_fact() -> None:
    made = bench(CLAUDE)
    (first,) = scouting.Scout().looks(made.machine.state, 0.0)
    (fact,) = scouting.news(first, SOUGHT, FOUND)
    assert fact == worlds.probed(CLAUDE)
    made.give(fact)
    (again,) = scouting.Scout().looks(made.machine.state, 0.0)
    assert scouting.news(again, SOUGHT, FOUND) == []
    gone = programs.Found("", "", "", "there is no `claude` on PATH")
    assert [type(one) for one in scouting.news(again, SOUGHT, gone)] == [events.AgentProbed]


def test_ses_14_the_secrets_of_an_account_are_looked_for_too() -> None:
    spec = {"secrets": [{"env": "API_KEY", "fromFile": "~/key"}]}
    made = bench(builders.admitted("Account", "team", spec), builders.admitted("Account", "free", {}))
    scout = scouting.Scout()
    (look,) = scout.looks(made.machine.state, 0.0)
    assert isinstance(look.sought, accounts.Files)
    assert (look.key, look.sought.secrets) == ("Account//team", (("API_KEY", "~/key"),))
    (fact,) = scouting.account_news(look, look.sought, "~/key cannot be read")
    made.give(fact)
    scout.done(look)
    scout.touched([look.key])
    (again,) = scout.looks(made.machine.state, 1.0)
    assert scouting.account_news(again, look.sought, "~/key cannot be read") == []
    assert [type(one) for one in scouting.account_news(again, look.sought, "")] == [events.AccountProbed]
