"""The question of a task: how it is named and asked, which answers it takes, and what its task then does (SES-3).

Task and Question decide from the same facts. An answer counts once and only while its task waits for it; no answer
makes a stage that has failed look as if it had passed.
"""

from __future__ import annotations

from orchctl.core import lifecycle, names, questions
from orchctl.core.because import Because
from orchctl.core.ids import Key, kind_of, name_of
from orchctl.core.kinds import ending, restarting
from orchctl.core.proposal import Proposal
from orchctl.core.questions import CONTINUE, FAIL, RETRY, QuestionState
from orchctl.core.state import Ending, Object, State, TaskState
from orchctl.core.view import View


def wait(view: View, obj: Object, task: TaskState, asked: Ending) -> Proposal:
    """Of a task whose stage has failed for good: ask, wait, and act on the answer."""
    key, found = _own(view, obj, task)
    if found is None:
        return _ask(key, obj, task, asked)
    if found.answer is None:
        name = name_of(obj.key)
        unblock = (
            f"{command(key, found)}; `orchctl retry {name} --from-stage STAGE`"
            f" goes further back; `orchctl cancel {name}` ends it"
        )
        return Proposal(Because("TASK-5", asked.message, evidence=(key,), unblock=unblock, waiting="Question"))
    return _act(obj, task, asked, key, found.answer)


def command(key: Key, question: QuestionState) -> str:
    return f"`orchctl answer {name_of(key)} {'|'.join(question.options)}`"


def _own(view: View, obj: Object, task: TaskState) -> tuple[Key, QuestionState | None]:
    """The question of the present wait, or the key to ask it under: none where another task's question is."""
    stage = task.plan.stages[task.stage].name
    free = []
    for key in names.question_keys(obj.key, stage, task.asks):
        other = view.get(key)
        found = other.question if other is not None else None
        if found is not None and (found.task, found.task_uid) == (obj.key, ending.uid_of(obj)):
            return key, found
        if found is None or not found.is_open:
            free.append(key)
    assert free, "the second name is of this task alone"
    return free[0], None


def _ask(key: Key, obj: Object, task: TaskState, asked: Ending) -> Proposal:
    stage = task.plan.stages[task.stage]
    question = questions.QuestionAsked(
        key,
        task=obj.key,
        task_uid=ending.uid_of(obj),
        stage=stage.name,
        reason=asked.reason,
        text=asked.message,
        options=(RETRY, FAIL) if stage.merge else (RETRY, CONTINUE, FAIL),
    )
    return Proposal(Because("TASK-5", asked.message, waiting="Question"), decisions=(question,))


def _act(obj: Object, task: TaskState, asked: Ending, key: Key, answer: questions.Answer) -> Proposal:
    said = f"{asked.message}; {answer.actor} answered {answer.option}"
    because = Because("TASK-5", said, evidence=(key,))
    if answer.option == RETRY:
        return Proposal(because, decisions=(questions.StageRetried(obj.key, question=key),))
    if answer.option == CONTINUE:
        name = task.plan.stages[task.stage].name
        went_on = lifecycle.StageContinued(obj.key, stage=task.stage, name=name, reason=asked.reason, message=said)
        return Proposal(because, decisions=(went_on,))
    return ending.ended(obj, "Failed", asked.reason, said, "TASK-5")


def refusal(state: State, obj: Object, request: questions.AnswerRequested) -> str:
    """Why this answer cannot be taken; empty when it can."""
    if kind_of(obj.key) != "Question":
        return f"it can be asked of a Question only, not of a {kind_of(obj.key)}"
    if obj.question is None:
        return "it was never asked: there is only its manifest"
    return unfit(state.objects.get(obj.question.task), obj.question, request.option)


def unfit(task_obj: Object | None, question: QuestionState, option: str) -> str:
    """Why this option does not answer the question as things stand; empty when it does."""
    if question.answer is not None:
        return f"it is over: {question.answer.actor} has answered {question.answer.option}"
    over = question.closed or no_longer(task_obj, question)
    if over:
        return f"it is over: {over}"
    if option not in question.options:
        return f"{option or 'a text alone'} is none of its options {', '.join(question.options)}"
    assert task_obj is not None
    return restarting.refusal(task_obj) if option == RETRY else ""


def no_longer(task_obj: Object | None, question: QuestionState) -> str:
    """Why its task does not wait for the answer; empty while it does."""
    if is_gone(task_obj, question):
        return f"task {name_of(question.task)} is gone"
    assert task_obj is not None
    task = task_obj.task
    if task is None or task.asked is None or task.stopping is not None or task_obj.withdrawn:
        return f"task {name_of(question.task)} does not wait for an answer any more"
    return ""


def is_gone(task_obj: Object | None, question: QuestionState) -> bool:
    return task_obj is None or task_obj.desired is None or task_obj.desired.uid != question.task_uid
