"""The `script` backend: the deterministic agent that does what a script in its prompt says, without any model."""

from __future__ import annotations

import json
import os.path
import sys

import orchctl
from orchctl.adapters.backends import plans

NO_SCRIPT = 64  # the scripted agent's exit codes: 64 none given, 65 a bad one, 75 asked a person


def launch(request: plans.LaunchRequest) -> plans.LaunchPlan:
    """The command, if any, names a script file; else the script is in the prompt, which comes on stdin."""
    agent = os.path.join(next(iter(orchctl.__path__)), "shim", "scripted_agent.py")
    argv = (sys.executable, "-I", "-S", agent, *request.command)
    return plans.LaunchPlan(argv, plans.attempt_env(request), request.prompt)


def classify(exit_code: int | None, signal: int | None, tail: bytes) -> plans.Outcome:
    match exit_code:
        case 75:
            return plans.Outcome(False, plans.Reason.ASKED_HUMAN, question(tail))
        case 64 | 65:
            return plans.Outcome(False, plans.Reason.SCRIPT_ERROR, script_problem(exit_code, tail))
        case _:
            return plans.classify_exit(exit_code, signal, tail)


def script_problem(exit_code: int, tail: bytes) -> str:
    if exit_code == NO_SCRIPT:
        return "no script: put a ```script block into the prompt, or name a script file or a real agent"
    return plans.last_line(tail)


def question(tail: bytes) -> str:
    for line in reversed(tail[-plans.TAIL_BYTES :].decode("utf-8", "replace").splitlines()):
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("orchctl") == "question":
            return str(said.get("text", ""))[: plans.MESSAGE_CHARS_MAX]
    return plans.last_line(tail)
