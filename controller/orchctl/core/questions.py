"""Questions to people: what is asked, what was answered, and the events that say so (SES-3).

The controller makes a Question for each wait that a person can end by choosing. Its task acts on the answer; the
Question itself only keeps it. All events here are listed in `events.EVENTS`.
"""

from __future__ import annotations

import dataclasses

from orchctl.core.happenings import Decision, Event, Now
from orchctl.core.ids import Key
from orchctl.core.lifecycle import Request

RETRY, CONTINUE, FAIL = "retry", "continue", "fail"


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    option: str
    text: str
    actor: str
    at: Now


@dataclasses.dataclass(frozen=True, slots=True)
class QuestionState:
    task: Key
    task_uid: str
    stage: str
    reason: str  # why the stage failed
    text: str
    options: tuple[str, ...]
    since: Now
    answer: Answer | None = None
    closed: str = ""  # why nobody waits for an answer any more, when none was given

    @property
    def is_open(self) -> bool:
        return self.answer is None and not self.closed


@dataclasses.dataclass(frozen=True, slots=True)
class AnswerRequested(Request):
    """A person has chosen, by `orchctl answer`."""

    option: str
    text: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class QuestionAsked(Decision):
    task: Key
    task_uid: str
    stage: str
    reason: str
    text: str
    options: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class QuestionAnswered(Decision):
    """The manifest of the question says what to do, by whoever committed it."""

    option: str
    text: str
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class QuestionClosed(Decision):
    """Nobody waits for its answer any more."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class StageRetried(Decision):
    """The answer is to try the stage again."""

    question: Key


QUESTIONS: tuple[type[Event], ...] = (AnswerRequested, QuestionAsked, QuestionAnswered, QuestionClosed, StageRetried)
