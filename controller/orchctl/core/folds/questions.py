"""What becomes of a question, and of the task whose question was answered with another try."""

from __future__ import annotations

import dataclasses

from orchctl.core import events, questions
from orchctl.core.folds import lifecycle, parts
from orchctl.core.questions import Answer, QuestionState
from orchctl.core.state import Object

replace = dataclasses.replace


def question_asked(obj: Object, event: questions.QuestionAsked, now: events.Now) -> Object:
    if obj.question is not None and obj.question.is_open:
        if obj.question.task == event.task:
            raise parts.IllegalEvent(f"{obj.key} is open already")
        return obj  # two tasks took the name in one turn: it is the first one's, and the other takes its second name
    asked = QuestionState(
        task=event.task,
        task_uid=event.task_uid,
        stage=event.stage,
        reason=event.reason,
        text=event.text,
        options=event.options,
        since=now,
    )
    return replace(obj, question=asked)


def answer_requested(obj: Object, event: questions.AnswerRequested, now: events.Now) -> Object:
    answered = _answered(obj, event, now)
    return lifecycle.handled(answered, event, "Answer", now)


def question_answered(obj: Object, event: questions.QuestionAnswered, now: events.Now) -> Object:
    return _answered(obj, event, now)


def _answered(obj: Object, event: questions.AnswerRequested | questions.QuestionAnswered, now: events.Now) -> Object:
    before = _open(obj)
    answer = Answer(option=event.option, text=event.text, actor=event.actor, at=now)
    return replace(obj, question=replace(before, answer=answer))


def question_closed(obj: Object, event: questions.QuestionClosed, now: events.Now) -> Object:
    return replace(obj, question=replace(_open(obj), closed=event.reason))


def _open(obj: Object) -> QuestionState:
    if obj.question is None or not obj.question.is_open:
        raise parts.IllegalEvent(f"{obj.key} is not open")
    return obj.question


def stage_retried(obj: Object, event: questions.StageRetried, now: events.Now) -> Object:
    asked = parts.task(obj).asked
    if asked is None:
        raise parts.IllegalEvent(f"{obj.key} waits for no answer")
    return lifecycle.to_go_on(obj, asked, "")
