"""How a Question goes on: it takes an answer from its manifest, and closes when nobody waits for it any more.

A manifest in git is laid over the question of the same name. What it said before the question was asked is no answer
to it.
"""

from __future__ import annotations

import json

from orchctl.core import events, questions
from orchctl.core.because import Because
from orchctl.core.kinds import answering
from orchctl.core.proposal import Proposal
from orchctl.core.questions import QuestionState
from orchctl.core.state import Object
from orchctl.core.view import View

RULE = "SES-3"


def propose(view: View, obj: Object) -> Proposal:
    question = obj.question
    written = obj.desired is not None and not obj.withdrawn
    task_obj = view.get(question.task) if question is not None else None
    if not written and (question is None or answering.is_gone(task_obj, question)):
        return Proposal(Because("GIT-5", "its task is gone"), decisions=(events.ObjectRemoved(obj.key),))
    if question is None:
        return Proposal(Because(RULE, "no question of this name has been asked", evidence=obj.problems))
    if question.answer is not None:
        return Proposal(Because(RULE, f"{question.answer.actor} answered {question.answer.option}"))
    over = question.closed or answering.no_longer(task_obj, question)
    if over and not question.closed:
        closed = questions.QuestionClosed(obj.key, reason=over)
        return Proposal(Because(RULE, over), decisions=(closed,))
    if over:
        return Proposal(Because(RULE, over))
    return (_manifest(obj, task_obj, question) if written else None) or _open(obj, question)


def _manifest(obj: Object, task_obj: Object | None, question: QuestionState) -> Proposal | None:
    """The answer its manifest gives, or why that is none."""
    said = answer_in(obj)
    if said is None or is_early(obj):
        return None
    option, text = said
    why = answering.unfit(task_obj, question, option)
    if why:
        return _open(obj, question, f"the answer of its manifest is not taken: {why}")
    actor = obj.principal.name if obj.principal is not None else "its manifest"
    answered = questions.QuestionAnswered(obj.key, option=option, text=text, actor=actor)
    return Proposal(Because(RULE, f"its manifest answers {option}"), decisions=(answered,))


def _open(obj: Object, question: QuestionState, more: str = "") -> Proposal:
    text = f"{question.text}; {more}" if more else question.text
    unblock = answering.command(obj.key, question)
    return Proposal(Because(RULE, text, unblock=unblock, waiting="Question"))


def answer_in(obj: Object) -> tuple[str, str] | None:
    """Option and text of the answer its manifest gives."""
    said = json.loads(obj.desired.spec).get("answer") if obj.desired is not None and not obj.withdrawn else None
    return (str(said.get("option") or ""), str(said.get("text") or "")) if isinstance(said, dict) else None


def is_early(obj: Object) -> bool:
    """What its manifest says was said before the question was asked."""
    return obj.question is None or obj.said is None or obj.said.t < obj.question.since.t
