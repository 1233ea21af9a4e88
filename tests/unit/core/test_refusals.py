"""What a request is refused with, and which news counts for nothing: each reason, where it holds (TASK-4, LOG-8)."""

from __future__ import annotations

import dataclasses

import pytest

from orchctl.core import events, lifecycle, replay
from orchctl.core.accept import Stale, accept
from orchctl.core.folds import parts
from orchctl.core.ids import SOURCE, ActionKey, AttemptId, Key
from orchctl.core.judgements import PrincipalFound
from orchctl.core.ports import Phase
from orchctl.core.state import State
from orchctl.testing import worlds
from tests.unit.core import asking, builders, places

TASK = Key("Task/default/fix")
NOBODY = Key("Task/default/nobody")


def refused(bench: worlds.Bench, request: lifecycle.Request) -> str:
    reason = asking.refusal(bench, request)
    stale = accept(bench.machine.state, request)
    assert (stale == request) == (reason == ""), "what is refused is stale, and nothing else is"
    return reason


def test_task_4_a_request_for_what_is_no_task_or_is_not_there_says_so() -> None:
    bench = places.agent_running()
    assert refused(bench, asking.suspend(key=NOBODY)) == "there is no Task nobody"
    assert refused(bench, asking.cancel(key="Agent//script")) == "it can be asked of a Task only, not of a Agent"
    request = asking.suspend()
    bench.give(request)
    assert refused(bench, request) == "it was taken up already"


def test_task_4_a_task_without_a_valid_manifest_or_without_any_takes_no_requests() -> None:
    bad = events.ObjectRejected(NOBODY, path="p.yaml", problems=("p.yaml:1:1: error: x",))
    bench = builders.bench(builders.project(), bad)
    assert refused(bench, asking.suspend(key=NOBODY)) == "its manifest has never been valid"
    bench = places.agent_running()
    bench.world.exits = lambda effect: None
    bench.world.execute = lambda action: []  # type: ignore[method-assign]
    bench.give(events.ObjectWithdrawn(TASK))
    assert refused(bench, asking.suspend()) == "its manifest was removed from git, so it is ending"


def test_task_4_resuming_needs_a_suspension_by_a_person() -> None:
    bench = places.agent_running()
    assert refused(bench, asking.resume()) == "it is not suspended"
    bench.give(dataclasses.replace(builders.task(suspend=True), generation=2))
    wanted = "its manifest suspends it: set `spec.suspend: false` in manifests/fix.yaml:1"
    assert refused(bench, asking.resume()) == wanted
    bench.give(asking.suspend())
    assert refused(bench, asking.resume()) == ""


@pytest.mark.parametrize("request_of", [asking.suspend, asking.resume, asking.cancel])
@pytest.mark.parametrize(
    ("place", "outcome"), [("merged", "Merged"), ("failed", "Failed"), ("cancelled_unstarted", "Cancelled")]
)
def test_task_4_what_has_ended_can_be_neither_suspended_nor_cancelled(place: str, outcome: str, request_of) -> None:
    assert refused(places.PLACES[place](), request_of()) == f"it has ended ({outcome})"


def test_task_4_a_cancellation_is_refused_unless_it_is_for_a_sooner_end() -> None:
    bench = places.agent_running()
    assert refused(bench, asking.cancel("Soon")) == "mode Soon is none of AfterCurrent, AfterCleanup, Now"
    bench.give(asking.cancel("AfterCurrent", reason="wrong"))
    said = f"it is ending already (AfterCurrent): cancelled (AfterCurrent) by {asking.ACTOR}: wrong"
    assert refused(bench, asking.cancel("AfterCurrent")) == said
    assert refused(bench, asking.cancel("AfterCleanup")) == ""
    assert refused(bench, asking.cancel("Now")) == ""


def test_task_4_what_has_landed_cannot_be_cancelled() -> None:
    bench = places.landed()
    step = bench.machine.step(bench.late[:1], bench.now)
    landed = next(one.event for one in step.recorded if isinstance(one.event, events.LandTried))
    state = State()
    for recorded in [*bench.log, *step.recorded]:
        state = replay.fold(state, [recorded])
        if recorded.event == landed:
            break
    bench.machine.rewind(state)
    assert refused(bench, asking.cancel()) == f"its work has landed as {landed.commit[:8]}"


def test_task_4_a_retry_is_refused_with_what_to_do_instead() -> None:
    assert refused(places.agent_running(), asking.retry()) == "it has not ended: it goes on, or can be cancelled first"
    said = "it has ended well (Merged): `orchctl rerun` makes another task of it"
    assert refused(places.merged(), asking.retry()) == said
    bench = places.failed()
    assert refused(bench, asking.retry("review")) == "it has no stage review: its stages are implement, merge"
    assert refused(bench, asking.retry("merge")) == "stage merge comes after implement, which has not passed"
    assert refused(bench, asking.retry("implement")) == ""
    bench.give(dataclasses.replace(builders.task(attempts=3), generation=2))
    assert refused(bench, asking.retry()).startswith("it has made its 3 attempts: raise `spec.attempts` in manifests/")
    bench.give(dataclasses.replace(builders.task(attempts=4), generation=3))
    assert refused(bench, asking.retry()) == ""
    assert refused(places.conflicting(), asking.retry("merge")) == "", "the stage before it has passed"
    unstarted = places.cancelled_unstarted()
    assert refused(unstarted, asking.retry("implement")) == "it has never started: it has no stage to go on from"
    assert refused(unstarted, asking.retry()) == ""


def test_task_4_what_the_manifest_cancels_cannot_be_retried() -> None:
    bench = places.agent_running()
    bench.give(dataclasses.replace(builders.task(shutdown="Now"), generation=2))
    wanted = "its manifest cancels it: remove `spec.shutdown` from manifests/fix.yaml:1 first"
    assert refused(bench, asking.retry()) == wanted


# --- news -------------------------------------------------------------------------------------------------------

STALE: list[tuple[str, events.Event]] = [
    ("agent_running", events.CancelDone(TASK, ActionKey("no such"), AttemptId("a"))),
    ("agent_running", worlds.ended(TASK, AttemptId("no such"), Phase.FAILED, 1)),
    ("agent_running", worlds.ended(NOBODY, AttemptId("no such"), Phase.FAILED, 1)),
    ("agent_running", events.TargetCleaned(TASK)),
    ("unresolved", events.TargetCleaned(TASK)),
    ("agent_running", events.TargetCleaned(NOBODY)),
    ("agent_running", events.ObjectWithdrawn(NOBODY)),
    ("agent_running", PrincipalFound(NOBODY, None)),
    ("agent_running", events.DiskEased(SOURCE)),
    ("agent_running", events.AgentProbed(Key("Agent//ghost"), "x", "d", "", "", "", "")),
    ("agent_running", events.AgentProbed(Key("Agent//script"), "x", "another", "", "", "", "")),
    ("agent_running", events.PruneConfirmed(SOURCE, worlds.oid("x"), "t", "ann")),
]


@pytest.mark.parametrize(("place", "fact"), STALE, ids=[f"{type(f).__name__}-{n}" for n, (_, f) in enumerate(STALE)])
def test_log_8_news_that_means_nothing_here_is_counted_and_changes_nothing(place: str, fact: events.Event) -> None:
    bench = places.PLACES[place]()
    before, count = bench.machine.state, bench.machine.stale
    step = bench.machine.step([fact], bench.now)
    assert [type(one) for one in step.stale] == [Stale]
    assert (step.stale[0].key, bool(step.stale[0].reason)) == (fact.key, True)
    assert (step.recorded, bench.machine.state, bench.machine.stale) == ((), before, count + 1)


def test_log_8_an_outcome_told_of_another_object_than_its_own_is_stale() -> None:
    bench = places.agent_running()
    bench.world.execute = lambda action: []  # type: ignore[method-assign]
    bench.give(asking.cancel())
    action, key = next(iter(bench.machine.state.open.items()))
    assert isinstance(accept(bench.machine.state, events.CancelDone(TASK, action, AttemptId("a"))), Stale)
    fits = events.CancelDone(key, action, AttemptId("a"))
    assert accept(bench.machine.state, fits) is fits


def test_log_8_a_disk_is_full_once_and_eases_once() -> None:
    bench = places.agent_running()
    full = events.DiskPressed(SOURCE, "the disk is full")
    assert accept(bench.machine.state, full) is full
    bench.give(full)
    assert bench.machine.state.pressed == "the disk is full"
    assert isinstance(accept(bench.machine.state, full), Stale)
    bench.give(events.DiskEased(SOURCE))
    assert bench.machine.state.pressed == ""


def test_git_5_a_confirmation_counts_once_for_what_was_blocked_at_its_commit() -> None:
    commit = worlds.oid("c")
    bench = places.agent_running()

    def reason(fact: events.PruneConfirmed) -> str:
        found = accept(bench.machine.state, fact)
        return found.reason if isinstance(found, Stale) else ""

    confirmed = events.PruneConfirmed(SOURCE, commit, "t1", "ann")
    assert reason(confirmed) == "nothing is kept from being withdrawn"
    blocked = events.PruneBlocked(SOURCE, (TASK,), "too many", commit, "Disabled")
    bench.give(blocked)
    assert reason(confirmed) == "`source.prune.enabled` of the Settings is false"
    bench.give(dataclasses.replace(blocked, reason="Percent"))
    other = dataclasses.replace(confirmed, revision=worlds.oid("d"))
    assert reason(other) == f"what is blocked now was found gone in {commit[:12]}, not in {other.revision[:12]}"
    assert reason(confirmed) == ""
    bench.give(confirmed)
    assert bench.machine.state.blocked is not None
    assert bench.machine.state.blocked.confirmed
    assert reason(confirmed) == "it was taken up already"
    assert reason(dataclasses.replace(confirmed, token="t2")) == "it is confirmed already"
    bench.give(events.PruneLifted(SOURCE))
    assert bench.machine.state.blocked is None


# --- events of our own that do not fit --------------------------------------------------------------------------

ONE = worlds.oid("one")
UNFITTING: list[tuple[str, Key, events.Event]] = [
    ("merged", TASK, events.TaskStarted(TASK, None)),  # type: ignore[arg-type]
    ("merged", TASK, lifecycle.TaskNeverStarted(TASK, "Failed", "Late", "x")),
    ("agent_running", TASK, lifecycle.RetryRequested(TASK, "t", "ann")),
    ("unresolved", TASK, lifecycle.RetryRequested(TASK, "t", "ann")),
    ("unresolved", TASK, events.StagePassed(TASK, 0, "x", "y")),
    ("agent_running", TASK, events.SessionEnded(TASK, True, "x", "y")),
    ("agent_running", TASK, lifecycle.WorktreeReused(TASK)),
    ("agent_running", TASK, events.RoomCreated(TASK, ActionKey("none"), "/r", ONE)),
    ("merged", TASK, events.CancelDone(TASK, ActionKey("none"), AttemptId("a"))),
    ("agent_running", TASK, worlds.ended(TASK, AttemptId("none"), Phase.FAILED, 1)),
]


@pytest.mark.parametrize(("place", "key", "event"), UNFITTING, ids=[f"{type(e).__name__}-{p}" for p, _, e in UNFITTING])
def test_log_8_an_event_of_our_own_that_does_not_fit_is_told_apart(place: str, key: Key, event: events.Event) -> None:
    bench = places.PLACES[place]()
    state = bench.machine.state
    recorded = events.Recorded(seq=state.seq + 1, turn=state.turn + 1, now=bench.now, event=event)
    with pytest.raises(parts.IllegalEvent, match=key):
        replay.fold(state, [recorded])


def test_log_2_an_object_has_one_action_under_way_at_most() -> None:
    bench = places.agent_running()
    bench.world.execute = lambda action: []  # type: ignore[method-assign]
    bench.give(asking.cancel())
    state = bench.machine.state
    key = next(iter(state.open.values()))
    action = state.objects[key].open
    assert action is not None
    recorded = events.Recorded(state.seq + 1, state.turn + 1, bench.now, events.ActionStarted(key, action))
    with pytest.raises(parts.IllegalEvent, match="already has an open action CancelAttempt"):
        replay.fold(state, [recorded])


# --- replay -----------------------------------------------------------------------------------------------------


def test_log_3_a_record_that_ends_too_early_is_found_at_its_last_event() -> None:
    bench = places.merged()
    last = bench.log[-1]
    at = next(index for index, one in enumerate(bench.log) if one.turn == last.turn)
    (found,) = list(replay.verify(bench.log[:-1]))
    wanted = bench.log[-2].seq if len(bench.log) - at > 1 else None
    assert (found.turn, found.seq) == (last.turn, wanted)
    assert (found.recorded, found.decided) == (None, last.event)


def test_log_3_a_record_that_says_too_much_is_found_at_what_is_too_much() -> None:
    bench = places.merged()
    last = bench.log[-1]
    extra = dataclasses.replace(last, seq=last.seq + 1, event=lifecycle.StartTimeReached(TASK, "2027-01-01T00:00:00Z"))
    (found,) = list(replay.verify([*bench.log, extra]))
    assert (found.turn, found.seq, found.recorded, found.decided) == (last.turn, extra.seq, extra.event, None)
