"""The `command` backend: any program that takes a prompt on stdin, or a file of it in place of `{prompt_file}`.

A model is told to every program as ORCH_MODEL, and to one that wants an option in place of `{model}`.
"""

from __future__ import annotations

from orchctl.adapters.backends import plans

PROMPT_FILE = "{prompt_file}"
MODEL = "{model}"  # a word that has it is left out when no model is asked for: `--model={model}`


def launch(request: plans.LaunchRequest) -> plans.LaunchPlan:
    if not request.command:
        raise plans.LaunchError(f"agent {request.agent} has no command; give the program and its arguments")
    by_file = any(PROMPT_FILE in word for word in request.command)
    if by_file and not request.prompt_file:
        raise plans.LaunchError(f"the command of {request.agent} wants {PROMPT_FILE}, but no prompt file was written")
    words = [word for word in request.command if request.model or MODEL not in word]
    if not words:
        raise plans.LaunchError(
            f"agent {request.agent} has no command without a model; name one, as {request.agent}/..."
        )
    argv = tuple(word.replace(PROMPT_FILE, request.prompt_file).replace(MODEL, request.model) for word in words)
    return plans.LaunchPlan(argv, plans.attempt_env(request), "" if by_file else request.prompt)


def classify(exit_code: int | None, signal: int | None, tail: bytes) -> plans.Outcome:
    return plans.classify_exit(exit_code, signal, tail)
