"""What comes of a template, and what is said when nothing does."""

import signal
import sys

import pytest

from orchctl.adapters.templates import rendering, spilling, worker
from orchctl.core import ports

ROOTS = {
    "task": {
        "name": "fix",
        "title": "Fix <it> & 'é' 🎉",
        "prompt": "Say ${{ task.name }}",
        "labels": {"b/c": "d"},
        "items": [1, "two"],
        "none": None,
        "open": True,
    },
    "feedback": "",
}


@pytest.fixture
def render(tmp_path):
    renderer = rendering.Renderer(sys.executable)

    def one(text: str, roots=ROOTS) -> str:
        return renderer.render({"prompt of stage a": text}, roots, tmp_path / "values").texts["prompt of stage a"]

    return one


def refusal(render, text: str) -> str:
    with pytest.raises(ports.PermanentError) as caught:
        render(text)
    return str(caught.value)


def test_values_come_as_they_are_and_all_else_as_json(render):
    text = (
        "{{ x }} {% y %}\n${{ task.title }}|${{ task.labels }}|${{ task.labels['b/c'] }}|${{ task.items[1] }}|"
        "${{ task.none }}|${{ task.open }}|${{ 'a' if feedback else 'b' }}|${{ task|length }}|${{ task.items.0 }}\n"
    )
    assert render(text) == '{{ x }} {% y %}\nFix <it> & \'é\' 🎉|{"b/c": "d"}|d|two|null|true|b|7|1\n'


def test_filters_and_tests(render):
    text = (
        "${{ task.name|upper }} ${{ task.name|first }}${{ task.items|last }} ${{ feedback|default('none yet', true) }} "
        "${{ task.items|join('-') }} ${{ task.prompt|truncate(6) }} ${{ ' a '|trim }} "
        "${{ task.name|replace('f', 'm') }} ${{ task.labels|tojson }} ${{ diff is defined }} "
        "${{ diff|default('no diff') }} ${{ 'a\\nb'|indent(2) }}"
    )
    assert render(text) == ('FIX ftwo none yet 1-two Say... a mix {"b/c": "d"} false no diff a\n  b')


def test_t8_what_is_inserted_is_not_read_as_a_template(render):
    assert render("${{ task.prompt }} ${{ '${{ feedback }}' }}") == "Say ${{ task.name }} ${{ feedback }}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${{ task.nmae }}", "there is no `nmae` here; there is: items, labels, name, none, open, prompt, title"),
        ("${{ diff.files }}", "there is no `diff` here; there is: feedback, task"),
        ("${{ task.items[7] }}", "there is no `7` here; the list has 2 items"),
        ("${{ task.items.append }}", "there is no `append` here; the list has 2 items"),
        ("${{ task.name.upper }}", "there is no `upper` here; it is a text"),
        ("${{ feedback.x ~ 'a' }}", "there is no `x` here; it is a text"),
        ("${{ 3 < task.name }}", "TypeError: '<' not supported between instances of 'int' and 'str'"),
    ],
)
def test_what_is_missing_is_named_with_what_there_is(render, text, message):
    expression = text.removeprefix("${{ ").removesuffix(" }}")
    assert refusal(render, "Do it. " + text) == f"prompt of stage a: {message} in `{expression}`"


def test_a_flaw_the_admission_did_not_see_stops_it_here_too(render):
    assert refusal(render, "${{ task.clear() }}") == "prompt of stage a: must not use a call in an expression"


def test_the_texts_together_have_a_longest_length(render):
    long = {"feedback": "x" * 16_000}
    assert len(render("${{ feedback }}" * 16, long)) == 256_000
    with pytest.raises(ports.PermanentError, match="the text becomes longer than 256 KiB in `feedback`"):
        render("${{ feedback }}" * 17, long)


def test_long_values_are_handed_over_as_files(render, tmp_path):
    long = "é" * 9_000
    told = render("${{ params.a[0] }}|${{ feedback }}", {"params": {"a": [long]}, "feedback": "short"})
    path, rest = told.split("|")
    (file,) = (tmp_path / "values").iterdir()
    assert (path, rest) == (str(file), "short")
    assert file.read_text() == long
    assert render("${{ params.a[0] }}", {"params": {"a": [long]}}) == path, "the same value, the same file"


def test_a_value_of_just_the_limit_stays_in_the_text(tmp_path):
    at_limit = "x" * spilling.VALUE_BYTES_MAX
    assert spilling.spilled({"a": at_limit}, tmp_path) == {"a": at_limit}
    assert spilling.spilled(at_limit + "x", tmp_path).startswith(str(tmp_path))


def test_the_digest_is_of_names_and_texts(tmp_path):
    renderer = rendering.Renderer(sys.executable)
    made = renderer.render({"a": "${{ task.name }}", "b": "x"}, ROOTS, tmp_path)
    assert made.texts == {"a": "fix", "b": "x"}
    assert made.digest == rendering.digest_of({"b": "x", "a": "fix"}) != rendering.digest_of({"a": "fix", "c": "x"})


# A python whose worker does something else: the renderer must cope with whatever it does.
def answered(tmp_path, script: str) -> str:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    with pytest.raises(ports.WorldError) as caught:
        rendering.Renderer(str(python)).render({"prompt": "x"}, {}, tmp_path)
    return f"{type(caught.value).__name__}: {caught.value}"


def test_t8_a_worker_that_dies_hangs_or_babbles_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "DEADLINE_S", 0.3)
    assert answered(tmp_path, "kill -9 $$") == "PermanentError: prompt: the render worker was ended by SIGKILL"
    died = answered(tmp_path, "echo trace >&2; echo no jinja >&2; exit 3")
    assert died == "PermanentError: prompt: the render worker ended with 3: no jinja"
    late = "TransientError: prompt: rendering it was not done in time"
    assert answered(tmp_path, "exec sleep 60") == late
    greedy = "PermanentError: prompt: rendering it takes longer than a template may"
    assert answered(tmp_path, f"kill -{signal.SIGXCPU.value} $$") == greedy
    assert answered(tmp_path, "echo hello") == "PermanentError: prompt: the render worker's answer cannot be read"
    for odd in ("[]", "{}", '{"texts": {"other": "x"}}', '{"texts": {"prompt": 3}}', '{"texts": []}'):
        message = answered(tmp_path, f"echo '{odd}'")
        assert message == "PermanentError: prompt: the render worker gave an answer of another form"


def test_a_worker_that_cannot_be_started_may_be_tried_again(tmp_path):
    with pytest.raises(ports.TransientError, match="cannot be started"):
        rendering.Renderer(str(tmp_path / "none")).render({"prompt": "x"}, {}, tmp_path)


def test_the_worker_finds_jinja_where_the_controller_has_it(tmp_path):
    """An installation with `pip --user` or by PYTHONPATH is one that an isolated interpreter does not see."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    assert rendering.Renderer(str(bare)).render({"a": "${{ task.name }}"}, ROOTS, tmp_path).texts == {"a": "fix"}


def test_the_worker_gets_no_environment_and_opens_nothing(tmp_path):
    out = tmp_path / "environment"
    answered(tmp_path, f"/usr/bin/env >{out}")
    assert {line.split("=")[0] for line in out.read_text().split()} <= {"PWD", "SHLVL", "_", "OLDPWD"}
    assert rendering.ANSWER_BYTES_MAX > worker.RECORD_BYTES_MAX
