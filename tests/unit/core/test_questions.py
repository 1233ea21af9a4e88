"""Questions of tasks whose stage has failed for good: asked once, answered once, and acted on (SES-3, TASK-5)."""

from __future__ import annotations

from typing import Any

import pytest

from orchctl.core import actions, events, lifecycle, questions
from orchctl.core.folds.parts import ending_of
from orchctl.core.ids import Key
from orchctl.testing import worlds
from tests.unit.core import asking, builders, places

FIRST = "Question/default/fix-implement-q1"


def status(bench: worlds.Bench, key: str = FIRST) -> dict[str, Any]:
    found: dict[str, Any] = builders.body(bench, key)["status"]
    return found


def conditions(bench: worlds.Bench, key: str = FIRST) -> dict[str, tuple[str, str]]:
    return {one.type: (one.status, one.reason) for one in bench.object(key).conditions}


def asked_at_merge() -> worlds.Bench:
    stages = [builders.STAGES[0], {"name": "merge", "merge": {}, "onFailure": {"goto": "merge", "then": "Ask"}}]
    pipeline = builders.admitted("Pipeline", "own", {"stages": stages})
    facts = (pipeline, builders.project(), builders.task(pipeline="own"))
    return builders.bench(*facts, world=worlds.World(conflicts=("src/a.py",)))


def written(option: str) -> events.ObjectAdmitted:
    spec = {"subject": {"kind": "Task", "name": "fix"}, "answer": {"option": option}}
    return builders.admitted("Question", "fix-implement-q1", spec)


def exists(bench: worlds.Bench, key: str = FIRST) -> bool:
    return Key(key) in bench.machine.state.objects


def test_ses_3_a_wait_for_a_person_is_a_question_with_its_options() -> None:
    bench = places.asking_person()
    said = status(bench)
    assert said["summary"] == "Open"
    assert said["options"] == ["retry", "continue", "fail"]
    assert said["text"] == places.task(bench).task.asked.message  # type: ignore[union-attr]
    assert builders.body(bench, FIRST)["spec"] == {"subject": {"kind": "Task", "name": "fix"}}
    assert conditions(bench)["Answered"] == ("False", "Open")
    assert conditions(bench)["Ready"][0] == "Unknown"
    assert conditions(bench)["Waiting"] == ("True", "Question")
    assert conditions(bench)["Accepted"] == ("True", "MadeByController")
    for key in (asking.TASK, FIRST):
        because = bench.object(key).because
        assert because is not None
        assert "orchctl answer fix-implement-q1 retry|continue|fail" in because.unblock
    bench.wait(30 * 24 * 3600.0)
    assert len(bench.recorded(questions.QuestionAsked)) == 1


def test_ses_3_a_retry_goes_on_and_asks_anew_when_it_fails_again() -> None:
    bench = places.asking_person()
    bench.give(asking.answer("retry", FIRST, "try once more"))
    answered = status(bench)["answered"]
    assert (answered["option"], answered["text"], answered["by"]) == ("retry", "try once more", asking.ACTOR)
    assert conditions(bench)["Answered"] == ("True", "Answered")
    second = FIRST.replace("q1", "q2")
    assert status(bench, second)["summary"] == "Open"
    bench.world.exits = lambda effect: 0
    bench.give(asking.answer("retry", second))
    assert builders.body(bench, asking.TASK)["status"]["summary"] == "Merged"


def test_ses_3_fail_ends_it_for_the_reason_its_stage_failed_for() -> None:
    bench = places.asking_person()
    reason = places.task(bench).task.asked.reason  # type: ignore[union-attr]
    bench.give(asking.answer("fail", FIRST))
    ended = ending_of(places.task(bench))
    assert ended is not None
    assert (ended.outcome, ended.reason) == ("Failed", reason)
    assert "answered fail" in ended.message


def test_ses_3_continue_goes_on_with_a_stage_that_failed_and_nothing_red_lands() -> None:
    bench = places.asking_person()
    bench.give(asking.answer("continue", FIRST))
    assert bench.recorded(lifecycle.StageContinued)
    task = places.task(bench)
    assert task.task is not None
    assert task.task.stages[0].state == "Failed"
    assert not exists(bench, "Question/default/fix-merge-q1"), "the merge goes its own way: here back to the work"
    assert [one.stage for one in bench.recorded(events.StageFailed)] == [1]  # type: ignore[attr-defined]
    assert "LandWork" not in [one.verb for one in bench.world.done]
    assert {one.type: one.status for one in task.conditions}["Verified"] == "False"
    assert {one.type: one.status for one in task.conditions}["Merged"] == "False"


def test_ses_3_a_merge_is_never_continued_without() -> None:
    bench = asked_at_merge()
    key = "Question/default/fix-merge-q1"
    assert status(bench, key)["options"] == ["retry", "fail"]
    assert asking.refusal(bench, asking.answer("continue", key)) == "continue is none of its options retry, fail"


def test_ses_3_an_answer_counts_once() -> None:
    bench = places.asking_person()
    bench.give(asking.answer("fail", FIRST))
    assert asking.refusal(bench, asking.answer("retry", FIRST)) == f"it is over: {asking.ACTOR} has answered fail"


def test_ses_3_an_answer_of_another_object_and_one_that_cannot_be_done_are_refused() -> None:
    bench = places.asking_person()
    assert "of a Question only" in asking.refusal(bench, asking.answer("retry", asking.TASK))
    assert "there is no Question" in asking.refusal(bench, asking.answer("retry", "Question/default/none"))
    assert "of a Task only" in asking.refusal(bench, asking.cancel(key=FIRST))
    bench.give(places.edited(bench, attempts=1))
    assert "raise `spec.attempts`" in asking.refusal(bench, asking.answer("retry", FIRST))
    assert asking.refusal(bench, asking.answer("fail", FIRST)) == ""


@pytest.mark.parametrize("request_", [asking.retry(), asking.cancel("Now")])
def test_ses_3_a_question_closes_when_its_task_no_longer_waits(request_: lifecycle.Request) -> None:
    bench = places.asking_person()
    bench.world.exits = lambda effect: 0
    bench.give(request_)
    assert status(bench)["summary"] == "Closed"
    assert "Waiting" not in conditions(bench)
    assert "it is over" in asking.refusal(bench, asking.answer("fail", FIRST))


def test_ses_3_the_question_goes_with_its_task() -> None:
    bench = places.asking_person()
    bench.give(events.ObjectWithdrawn(Key(asking.TASK)))
    assert not exists(bench, asking.TASK)
    assert not exists(bench)


def test_ses_3_a_manifest_answers_as_a_command_does() -> None:
    bench = places.asking_person()
    bench.give(written("fail"))
    assert status(bench)["answered"]["option"] == "fail"
    assert "Stale" not in conditions(bench)
    ended = ending_of(places.task(bench))
    assert ended is not None
    assert ended.outcome == "Failed"


def test_ses_3_what_a_manifest_said_before_the_question_was_asked_is_no_answer() -> None:
    bench = places.agent_running()
    bench.give(written("fail"))
    assert conditions(bench)["Stale"] == ("True", "NotAsked")
    assert bench.recorded(questions.QuestionAnswered) == []
    other = places.asking_person()
    other.give(written("fail"))
    other.give(events.ObjectWithdrawn(Key(asking.TASK)))
    assert exists(other), "its manifest is still there"
    assert status(other)["summary"] == "Answered"
    other.give(events.ObjectWithdrawn(Key(FIRST)))
    assert not exists(other)


def test_ses_3_a_question_asked_over_an_early_manifest_waits_all_the_same() -> None:
    bench = places.asking_person()
    bench.give(events.ObjectWithdrawn(Key(asking.TASK)))
    bench.give(written("continue"))
    bench.wait(60.0)
    bench.give(builders.task(pipeline="own"))
    assert status(bench)["summary"] == "Open"
    assert conditions(bench)["Stale"] == ("True", "NotAsked")
    bench.give(written("fail"))
    assert status(bench)["answered"]["option"] == "fail"


def test_ses_3_an_answer_in_git_that_comes_too_late_is_stale() -> None:
    bench = places.asking_person()
    bench.give(asking.answer("fail", FIRST))
    bench.give(written("retry"))
    assert conditions(bench)["Stale"] == ("True", "Over")
    assert conditions(bench)["Answered"] == ("True", "Answered")
    ended = ending_of(places.task(bench))
    assert ended is not None


def test_ses_3_an_answer_in_git_that_is_no_option_is_not_taken_and_says_why() -> None:
    bench = places.asking_person()
    bench.give(written("perhaps"))
    because = bench.object(FIRST).because
    assert because is not None
    assert "perhaps is none of its options retry, continue, fail" in because.text
    assert status(bench)["summary"] == "Open"


def test_ses_3_two_tasks_of_one_question_name_have_two_questions() -> None:
    edge = {"goto": "implement", "limit": 0, "then": "Ask"}
    first = [{**builders.STAGES[0], "onFailure": edge}, builders.STAGES[1]]
    other = [{**builders.STAGES[0], "name": "b-implement", "onFailure": {**edge, "goto": "b-implement"}}]
    world = worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    pipelines = [builders.admitted("Pipeline", n, {"stages": s}) for n, s in (("one", first), ("two", other))]
    tasks = [builders.task("a-b", pipeline="one"), builders.task("a", pipeline="two")]
    bench = builders.bench(*pipelines, builders.project(), *tasks, world=world)
    asked = {one.key: one.question.task for one in bench.machine.state.objects.values() if one.question is not None}
    assert len(asked) == 2
    assert set(asked.values()) == {"Task/default/a-b", "Task/default/a"}
