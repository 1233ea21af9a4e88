"""Requests as tests make them, each with a token of its own, and the end of an agent that was left running."""

from __future__ import annotations

import itertools

from orchctl.core import lifecycle, questions, requests
from orchctl.core.folds.parts import attempts_of
from orchctl.core.ids import Key, kind_of
from orchctl.core.ports import Phase
from orchctl.testing import worlds

TASK = "Task/default/fix"
ACTOR = "claimed:1000"
_numbers = itertools.count(1)


def token() -> str:
    return f"01JD{next(_numbers):022d}"


def suspend(reason: str = "", until: float | None = None, key: str = TASK) -> lifecycle.SuspendRequested:
    return lifecycle.SuspendRequested(Key(key), token=token(), actor=ACTOR, reason=reason, until=until)


def resume(key: str = TASK) -> lifecycle.ResumeRequested:
    return lifecycle.ResumeRequested(Key(key), token=token(), actor=ACTOR)


def cancel(mode: str = "AfterCleanup", reason: str = "", key: str = TASK) -> lifecycle.CancelRequested:
    return lifecycle.CancelRequested(Key(key), token=token(), actor=ACTOR, mode=mode, reason=reason)


def retry(from_stage: str = "", key: str = TASK) -> lifecycle.RetryRequested:
    return lifecycle.RetryRequested(Key(key), token=token(), actor=ACTOR, from_stage=from_stage)


def answer(option: str, key: str, text: str = "") -> questions.AnswerRequested:
    return questions.AnswerRequested(Key(key), token=token(), actor=ACTOR, option=option, text=text)


def refusal(bench: worlds.Bench, request: lifecycle.Request) -> str:
    return requests.refusal(bench.machine.state, request)


def refused(request: lifecycle.Request, reason: str) -> lifecycle.RequestRefused:
    verb = type(request).__name__.removesuffix("Requested")
    return lifecycle.RequestRefused(request.key, token=request.token, actor=ACTOR, verb=verb, reason=reason)


def end_agent(bench: worlds.Bench, code: int = 0) -> None:
    """Let every agent that runs come to its end."""
    for obj in list(bench.machine.state.objects.values()):
        for attempt in attempts_of(obj):
            if kind_of(obj.key) == "Session" and attempt.ended is None:
                phase = Phase.SUCCEEDED if code == 0 else Phase.FAILED
                bench.give(worlds.ended(obj.key, attempt.id, phase, code))
