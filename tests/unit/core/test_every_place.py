"""Every command in every place of a Task's life (TASK-4): none raises, hangs or loses work."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchctl.core import actions, lifecycle
from orchctl.core.folds.parts import ending_of
from orchctl.testing import worlds
from tests.unit.core import asking, places

COMMANDS: dict[str, Callable[[], lifecycle.Request]] = {
    "suspend": asking.suspend,
    "resume": asking.resume,
    "Now": lambda: asking.cancel("Now"),
    "AfterCleanup": lambda: asking.cancel("AfterCleanup"),
    "AfterCurrent": lambda: asking.cancel("AfterCurrent"),
    "retry": asking.retry,
}
MODES = ("Now", "AfterCleanup", "AfterCurrent")
ENDED = ("merged", "succeeded", "failed", "conflicting", "cancelled", "cancelled_unstarted")
RETRIABLE = ("failed", "conflicting", "cancelled", "cancelled_unstarted", "asking_person")


def ask(bench: worlds.Bench, request: lifecycle.Request) -> str:
    """As the intake does: what cannot be done is recorded as refused, with the reason."""
    reason = asking.refusal(bench, request)
    bench.give(asking.refused(request, reason) if reason else request)
    return reason


def how(bench: worlds.Bench) -> tuple[str, str] | None:
    ended = ending_of(places.task(bench))
    return (ended.outcome, ended.message) if ended is not None else None


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", places.PLACES)
def test_task_4_every_command_in_every_place(place: str, command: str) -> None:
    bench = places.PLACES[place]()
    reason = ask(bench, COMMANDS[command]())
    handled = places.task(bench).life.handled
    assert handled is not None
    assert handled.refused == reason, "whoever asked can read what came of it"
    places.go_on(bench)
    places.check_at_rest(bench)
    places.check_nothing_is_lost(bench)
    if command in MODES and place not in ENDED:
        ended = ending_of(places.task(bench))
        assert ended is not None
        assert ended.outcome == ("Merged" if place == "landed" else "Cancelled")
    if command == "retry":
        assert (reason == "") == (place in RETRIABLE)


@pytest.mark.parametrize("place", [one for one in places.PLACES if one not in ENDED])
@pytest.mark.parametrize("mode", MODES)
def test_task_4_what_was_cancelled_anywhere_goes_on_to_its_end_when_retried(place: str, mode: str) -> None:
    bench = places.PLACES[place]()
    ask(bench, asking.cancel(mode))
    places.go_on(bench)
    reason = ask(bench, asking.retry())
    places.go_on(bench)
    places.check_at_rest(bench)
    places.check_nothing_is_lost(bench)
    assert (reason == "") == (place != "landed")
    ended = ending_of(places.task(bench))
    assert (ended.outcome if ended is not None else "") == ("" if place in ("unresolved", "no_checks") else "Merged")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", [one for one in places.PLACES if one not in ENDED])
def test_task_4_a_suspended_task_is_cancelled_in_every_place(place: str, mode: str) -> None:
    bench = places.PLACES[place]()
    assert ask(bench, asking.suspend()) == ""
    places.check_nothing_is_lost(bench)
    assert ask(bench, asking.cancel(mode)) == ""
    places.go_on(bench)
    ended = ending_of(places.task(bench))
    assert ended is not None
    assert ended.outcome == ("Merged" if place == "landed" else "Cancelled")
    places.check_nothing_is_lost(bench)


@pytest.mark.parametrize("place", [one for one in places.PLACES if one not in ENDED])
def test_task_4_suspend_and_resume_change_nothing_of_what_comes_of_it(place: str) -> None:
    undisturbed, bench = places.PLACES[place](), places.PLACES[place]()
    places.go_on(undisturbed)
    assert ask(bench, asking.suspend()) == ""
    places.go_on(bench)
    assert ask(bench, asking.resume()) in ("", "it has ended (Merged)")
    places.go_on(bench)
    assert how(bench) == how(undisturbed)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", [one for one in places.PLACES if one not in ENDED])
def test_task_4_a_manifest_that_says_shutdown_cancels_in_every_place(place: str, mode: str) -> None:
    bench = places.PLACES[place]()
    bench.give(places.edited(bench, shutdown=mode))
    places.go_on(bench)
    places.check_at_rest(bench)
    ended = ending_of(places.task(bench))
    assert ended is not None
    assert ended.outcome == ("Merged" if place == "landed" else "Cancelled")
    places.check_nothing_is_lost(bench)


def test_task_4_now_leaves_the_worktree_as_it_is_and_asks_for_no_grace() -> None:
    bench = places.agent_running()
    ask(bench, asking.cancel("Now"))
    last = bench.world.done[-1]
    assert isinstance(last, actions.CancelAttempt)
    assert last.grace_s == 0.0
    assert bench.object("Worktree/default/fix").worktree.removed is None  # type: ignore[union-attr]


def test_task_4_after_current_lets_the_agent_end_and_starts_nothing_more() -> None:
    bench = places.agent_running()
    ask(bench, asking.cancel("AfterCurrent", reason="not needed"))
    assert bench.world.done[-1].verb == "RunAgent"
    asking.end_agent(bench)
    assert [one.verb for one in bench.world.done][-2:] == ["CommitLeftovers", "ImportWork"]
    ended = ending_of(places.task(bench))
    assert ended is not None
    assert ended.message == "cancelled (AfterCurrent) by claimed:1000: not needed"


def test_task_4_a_sooner_end_overrules_a_later_one_and_not_the_other_way_round() -> None:
    bench = places.agent_running()
    assert ask(bench, asking.cancel("AfterCurrent")) == ""
    assert "ending already" in ask(bench, asking.cancel("AfterCurrent"))
    assert ask(bench, asking.cancel("Now")) == ""
    assert ending_of(places.task(bench)) is not None
    assert [one.verb for one in bench.world.done][-1] == "CancelAttempt"


def test_task_2_an_agent_that_never_ends_is_bounded_by_the_timeout_also_after_current() -> None:
    bench = places.agent_running()
    ask(bench, asking.cancel("AfterCurrent"))
    bench.wait(3_600)
    assert [one.verb for one in bench.world.done].count("CancelAttempt") == 1
    ended = ending_of(places.task(bench))
    assert ended is not None
    assert ended.outcome == "Cancelled"
