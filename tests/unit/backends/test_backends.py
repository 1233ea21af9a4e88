"""How agents are launched and what their ends mean: values in, values out."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import pathlib

import pytest

from orchctl.adapters.backends import command, plans, registry, script

REQUEST = plans.LaunchRequest("coder", ("tool", "--go"), "Do it.", "/rooms/prompt.md", (("PATH", "/bin"),), 2, "/tree")


def test_command_gets_the_prompt_on_stdin():
    plan = command.launch(REQUEST)
    assert (plan.argv, plan.stdin) == (("tool", "--go"), "Do it.")
    assert plan.env == (("ORCH_ATTEMPT_NUMBER", "2"), ("PATH", "/bin"))


def test_command_with_the_placeholder_gets_the_file_and_no_stdin():
    plan = command.launch(dataclasses.replace(REQUEST, command=("tool", "--file={prompt_file}")))
    assert (plan.argv, plan.stdin) == (("tool", "--file=/rooms/prompt.md"), "")


@pytest.mark.parametrize(
    ("model", "argv"),
    [
        ("", ("tool", "-")),
        ("opus", ("tool", "--model=opus", "-")),
        ("{prompt_file}", ("tool", "--model={prompt_file}", "-")),
    ],
)
def test_a_model_takes_the_place_of_its_word_and_is_in_the_environment(model, argv):
    plan = command.launch(dataclasses.replace(REQUEST, command=("tool", "--model={model}", "-"), model=model))
    assert plan.argv == argv
    assert dict(plan.env).get("ORCH_MODEL", "") == model
    assert dict(script.launch(dataclasses.replace(REQUEST, model=model)).env).get("ORCH_MODEL", "") == model


def test_a_command_that_is_nothing_without_a_model_says_so():
    with pytest.raises(plans.LaunchError, match="without a model"):
        command.launch(dataclasses.replace(REQUEST, command=("{model}",)))


@pytest.mark.parametrize("change", [{"command": ()}, {"command": ("x", "{prompt_file}"), "prompt_file": ""}])
def test_command_that_cannot_be_launched_says_what_to_change(change):
    with pytest.raises(plans.LaunchError, match="coder"):
        command.launch(dataclasses.replace(REQUEST, **change))


def test_script_runs_the_scripted_agent_by_path():
    plan = script.launch(dataclasses.replace(REQUEST, command=()))
    assert plan.argv[1:3] == ("-I", "-S")
    assert pathlib.Path(plan.argv[3]).is_file()
    assert plan.stdin == "Do it."


@pytest.mark.parametrize(
    ("exit_code", "signal", "tail", "expected"),
    [
        (0, None, b"fine\n", (True, "Completed", "completed")),
        (2, None, b"a\nerror: \x1b[31mbad\n\n", (False, "ExitedNonZero", "exited with 2: error: [31mbad")),
        (None, 9, b"", (False, "Signalled", "ended by signal 9")),
        (127, None, b"", (False, "NotFound", "the program was not found")),
        (126, None, b"", (False, "NotExecutable", "the program could not be executed")),
        (None, None, b"", (False, "Unknown", "how it ended is not known")),
    ],
)
def test_an_end_has_one_meaning_for_every_program(exit_code, signal, tail, expected):
    for backend in (command, script):
        assert dataclasses.astuple(backend.classify(exit_code, signal, tail)) == expected


def test_script_knows_its_own_exit_codes():
    asked = script.classify(75, None, b'{"orchctl": "question", "text": "Which?"}\nscript:1: ask: nobody\n')
    assert (asked.reason, asked.message) == ("AskedHuman", "Which?")
    assert script.classify(65, None, b"script:3: error: no\n").message == "script:3: error: no"
    assert script.classify(64, None, b"...").reason == "ScriptError"
    assert command.classify(75, None, b"").reason == "ExitedNonZero"


def test_the_environment_is_an_allow_list():
    """SES-10"""
    ours = {
        "LANG": "C.UTF-8",
        "LC_ALL": "C",
        "TZ": "UTC",
        "TERM": "xterm",
        "AWS_SECRET": "x",
        "HOME": "/h",
        "PATH": "/p",
    }
    env = plans.base_env("/home/me", "/usr/bin", (("GIVEN", "1"),), ours)
    assert dict(env) == {
        "LANG": "C.UTF-8",
        "LC_ALL": "C",
        "TZ": "UTC",
        "TERM": "xterm",
        "HOME": "/home/me",
        "PATH": "/usr/bin",
        "GIVEN": "1",
    }


def test_registry_finds_ours_and_names_them_for_an_unknown_one():
    assert registry.find("script") is script
    with pytest.raises(plans.LaunchError, match="there is no backend 'nope'; there are command, script"):
        registry.find("nope")


def test_registry_loads_installed_backends_only_when_asked(monkeypatch):
    good = importlib.metadata.EntryPoint("mine", "orchctl.adapters.backends.command", registry.GROUP)
    bad = importlib.metadata.EntryPoint("broken", "json", registry.GROUP)
    monkeypatch.setattr(registry, "_installed", lambda: {"mine": good, "broken": bad})
    assert registry.names() == ("broken", "command", "mine", "script")
    assert registry.find("mine") is command
    with pytest.raises(plans.LaunchError, match=r"has no launch\(\)"):
        registry.find("broken")
