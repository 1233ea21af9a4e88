"""What people read, as files under tests/golden that are reviewed like code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchctl.cli import verbs
from tests.unit.cli.conftest import Command

CASES = {
    "get-tasks": ["get", "tasks"],
    "get-tasks-all-namespaces-wide": ["get", "t", "-A", "-o", "wide"],
    "get-all": ["get", "all"],
    "get-tasks-json": ["get", "tasks", "-n", "team", "-o", "json"],
    "get-task-yaml": ["get", "task/add-login", "-o", "yaml"],
    "get-tasks-name": ["get", "tasks", "-o", "name"],
    "get-manifests": ["get", "manifests"],
    "describe-task-running": ["describe", "task/add-login"],
    "describe-task-failed": ["describe", "task", "fix-cache"],
    "describe-task-waiting": ["describe", "wait-here"],
    "describe-session": ["describe", "session/add-login-implement-1"],
    "why-running": ["why", "add-login"],
    "why-waiting": ["why", "task/wait-here"],
    "why-failed": ["why", "fix-cache"],
    "events": ["events", "-A"],
    "events-for": ["events", "--for", "add-login"],
    "help": ["--help"],
    "explain-task": ["explain", "task"],
    "explain-depends-on": ["explain", "tasks.spec.dependsOn"],
    "explain-gate": ["explain", "pl.spec.stages.gates"],
    "explain-budget-recursive": ["explain", "budget", "--recursive"],
    "api-resources": ["api-resources"],
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("ledger")
def test_output_is_as_reviewed(name: str, orchctl: Command, golden: Callable[[str, str], None]) -> None:
    result = orchctl(*CASES[name])
    assert result.code == 0, result.error
    golden(f"{name}.txt", result.output)


@pytest.mark.parametrize("verb", verbs.VERBS)
def test_help_of_each_verb_is_as_reviewed(
    verb: str, orchctl: Command, golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    result = orchctl(verb, "--help")
    assert result.code == 0
    golden(f"help-{verb}.txt", result.output or capsys.readouterr().out)
