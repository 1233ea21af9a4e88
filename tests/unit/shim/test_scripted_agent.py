"""The script agent, run as a program in an empty directory."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from orchctl.adapters.executors import starter

AGENT = str(starter.program("scripted_agent.py"))


@pytest.fixture
def play(tmp_path: pathlib.Path):
    def run(prompt: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        stdin = tmp_path.parent / f"{tmp_path.name}.prompt"
        stdin.write_text(prompt)
        given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", **env}
        with stdin.open() as file:
            return subprocess.run(
                [sys.executable, "-I", "-S", AGENT, *arguments],
                cwd=tmp_path,
                stdin=file,
                capture_output=True,
                text=True,
                timeout=30,
                env=given,
                check=False,
            )

    return run


def fenced(script: str) -> str:
    return f"Please do this.\n\n```script\n{script}\n```\nThanks."


def test_a_script_in_the_prompt_edits_files_and_commits(play, tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    script = """
# a comment
say Hello there #1
write src/a.txt <<END
one
  two
END
append src/a.txt three
replace src/a.txt one 1
write gone.txt x
delete gone.txt
run sh -c "echo ran"
try run false
commit Add a file
commit nothing new"""
    done = play(fenced(script))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "src/a.txt").read_text() == "1\n  two\nthree\n"
    assert not (tmp_path / "gone.txt").exists()
    for line in ("Hello there #1", "ran", "goes on although false ended with 1", "committed: Add a file"):
        assert line in done.stdout.splitlines()
    log = subprocess.run(["git", "log", "--format=%s"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert log.stdout == "Add a file\n"


def test_without_a_script_it_says_how_to_give_one(play):
    done = play("Add a feature.")
    assert done.returncode == 64
    assert "```script" in done.stdout
    assert "real agent" in done.stdout


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("say a\ndance", "script:2: error: there is no command 'dance'"),
        ("write a", "script:1: error: write it as: write PATH TEXT"),
        ("\n\nwrite a <<END\ntext", "script:3: error: no line END ends the text"),
        ("wait soon", "script:1: error: 'soon' is not a number"),
        ("fail 1.5 x", "script:1: error: '1.5' is not a whole number"),
        ('say "open', "script:1: error: No closing quotation"),
        ("attempt 2:", "script:1: error: a command has to follow"),
        ("try", "script:1: error: there is no command 'try'"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_done(play, tmp_path, script, message):
    done = play(fenced(f"{script}\n"))
    assert done.returncode == 65
    assert done.stdout.startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_fails_ends_the_script_with_its_line(play):
    assert play(fenced("run sh -c 'exit 9'")).stdout.endswith("script:1: run: sh ended with 9\n")
    done = play(fenced("say a\nfail 42 broken on purpose\nsay b"))
    assert (done.returncode, done.stdout) == (42, "a\nscript:2: fail: broken on purpose\n")
    done = play(fenced("delete nothing"))
    assert (done.returncode, done.stdout) == (1, "script:1: delete: No such file or directory: nothing\n")


def test_a_line_for_another_attempt_is_left_out(play):
    script = fenced("attempt 1: fail 3 first\nattempt 2: say second")
    assert play(script).returncode == 3
    assert play(script, ORCH_ATTEMPT_NUMBER="2").stdout == "second\n"


def test_a_question_with_nobody_to_answer_ends_with_75(play):
    done = play(fenced("ask Which colour?\nsay not reached"))
    assert done.returncode == 75
    assert done.stdout.splitlines()[0] == '{"orchctl": "question", "text": "Which colour?"}'


def test_a_script_file_and_a_prompt_file_come_before_stdin(play, tmp_path):
    (tmp_path / "s").write_text("say from the file\n")
    assert play(fenced("say from the prompt"), "s").stdout == "from the file\n"
    (tmp_path / "p").write_text(fenced("say from the prompt file"))
    assert play("", ORCH_PROMPT_FILE="p").stdout == "from the prompt file\n"
    assert play("", "absent").returncode == 64


def test_flood_writes_exactly_the_bytes_asked_for(play):
    assert len(play(fenced("flood 300001")).stdout) == 300_001


def test_wait_for_gives_up_at_its_deadline(play):
    done = play(fenced("write there x\nwait-for there\nwait-for absent 0"))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        1,
        "script:3: wait-for: absent did not appear within 0 s",
    )
