"""The `command` backend: any program that takes a prompt on stdin, or a file of it in place of `{prompt_file}`."""

from __future__ import annotations

from orchctl.adapters.backends import plans

PROMPT_FILE = "{prompt_file}"


def launch(request: plans.LaunchRequest) -> plans.LaunchPlan:
    if not request.command:
        raise plans.LaunchError(f"agent {request.agent} has no command; give the program and its arguments")
    by_file = any(PROMPT_FILE in word for word in request.command)
    if by_file and not request.prompt_file:
        raise plans.LaunchError(f"the command of {request.agent} wants {PROMPT_FILE}, but no prompt file was written")
    argv = tuple(word.replace(PROMPT_FILE, request.prompt_file) for word in request.command)
    env = plans.with_env(request.env, ORCH_ATTEMPT_NUMBER=str(request.attempt_number))
    return plans.LaunchPlan(argv, env, "" if by_file else request.prompt)


def classify(exit_code: int | None, signal: int | None, tail: bytes) -> plans.Outcome:
    return plans.classify_exit(exit_code, signal, tail)
