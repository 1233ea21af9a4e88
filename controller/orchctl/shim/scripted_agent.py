"""The `script` agent: plays an agent from a script, the same way every time.

Started as an attempt by the `script` backend, for first steps, demonstrations and tests without a model. It reads a
prompt, takes the script from a file or from the prompt, checks all of it, then does it line by line. It must never
guess: what it does not understand ends it with the line's number.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable

USAGE, BAD_SCRIPT, ASKED_HUMAN, FAILED = 64, 65, 75, 1  # the first three are sysexits.h numbers
FENCED = re.compile(r"^```script[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
HEREDOC = re.compile(r"<<([A-Za-z_]+)$")
ATTEMPT = re.compile(r"attempt\s+(\d+)\s*:\s*(.*)$", re.DOTALL)
WAIT_S_MAX = 24 * 3600.0
WAIT_FOR_S_DEFAULT = 60.0
POLL_S = 0.05
FLOOD_LINE = b"flood " + b"0123456789" * 9 + b"abc\n"
HOW_TO = """no script given. This agent does only what a script says: put a block
```script
write hello.txt "hello"
commit "Add hello"
```
into the prompt, or name a script file as the command, or name a real agent in the pool (for example `command`)."""


class ScriptError(Exception):
    """A line that cannot be understood."""


class StepError(Exception):
    """A line that could not be done."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclasses.dataclass(frozen=True)
class Step:
    line: int
    verb: str
    words: tuple[str, ...]
    on_attempt: int | None = None


def say(text: str) -> None:
    print(text, flush=True)


def content(text: str) -> str:
    return text if text.endswith("\n") or not text else text + "\n"


def write(path: str, text: str, mode: str = "w") -> None:
    parent = os.path.dirname(path)
    if parent:
        os.makedirs(parent, exist_ok=True)
    with open(path, mode, encoding="utf-8") as file:
        file.write(content(text))
    say(f"{'wrote' if mode == 'w' else 'appended to'} {path}")


def append(path: str, text: str) -> None:
    write(path, text, "a")


def replace(path: str, old: str, new: str) -> None:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if old not in text:
        raise StepError(f"{path} does not contain {old!r}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    say(f"replaced in {path}")


def delete(path: str) -> None:
    os.unlink(path)
    say(f"deleted {path}")


def run(*argv: str) -> None:
    say(f"$ {shlex.join(argv)}")
    code = subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode
    if code != 0:
        raise StepError(f"{argv[0]} ended with {code}")


def try_run(*argv: str) -> None:
    try:
        run(*argv)
    except (StepError, OSError) as error:
        say(f"goes on although {error}")


def git(*arguments: str) -> int:
    return subprocess.run(["git", *arguments], stdin=subprocess.DEVNULL, check=False).returncode


def commit(message: str) -> None:
    named = subprocess.run(["git", "config", "user.email"], stdout=subprocess.DEVNULL, check=False).returncode == 0
    if not named:
        for role in ("AUTHOR", "COMMITTER"):
            os.environ.setdefault(f"GIT_{role}_NAME", "Scripted Agent")
            os.environ.setdefault(f"GIT_{role}_EMAIL", "script@orchctl.invalid")
    if git("add", "-A") != 0:
        raise StepError("git add failed")
    if git("diff", "--cached", "--quiet") == 0:
        say("nothing to commit")
        return
    if git("commit", "--quiet", "-m", message) != 0:
        raise StepError("git commit failed")
    say(f"committed: {message}")


def ask(question: str) -> None:
    say(json.dumps({"orchctl": "question", "text": question}))
    answer = sys.stdin.readline()
    if not answer:
        raise StepError("asked a person; nobody can answer here", ASKED_HUMAN)
    say(f"answer: {answer.strip()}")


def wait(seconds: str) -> None:
    time.sleep(min(float(seconds), WAIT_S_MAX))


def wait_for(path: str, seconds: str = str(WAIT_FOR_S_DEFAULT)) -> None:
    deadline = time.monotonic() + min(float(seconds), WAIT_S_MAX)
    while not os.path.exists(path):
        if time.monotonic() >= deadline:
            raise StepError(f"{path} did not appear within {seconds} s")
        time.sleep(POLL_S)
    say(f"found {path}")


def fail(code: str, message: str) -> None:
    raise StepError(message, int(code))


def flood(size: str) -> None:
    left = int(size)
    chunk = FLOOD_LINE * 1000
    sys.stdout.flush()
    while left > 0:
        left -= os.write(1, chunk[:left])


def hang() -> None:
    say("hangs")
    while True:
        signal.pause()


def daemonize() -> None:
    """Leave a process behind in a session of its own, holding our output open."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        say("left a daemon")
        return
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        time.sleep(WAIT_S_MAX)
    os._exit(0)


def is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None


@dataclasses.dataclass(frozen=True)
class Verb:
    act: Callable[..., None]
    words_min: int
    words_max: int
    usage: str
    number_at: int | None = None  # which word has to be a number


MANY = 1000
VERBS = {
    "say": Verb(say, 1, 1, "say TEXT"),
    "write": Verb(write, 2, 2, "write PATH TEXT, or write PATH <<END"),
    "append": Verb(append, 2, 2, "append PATH TEXT, or append PATH <<END"),
    "replace": Verb(replace, 3, 3, "replace PATH OLD NEW"),
    "delete": Verb(delete, 1, 1, "delete PATH"),
    "run": Verb(run, 1, MANY, "run COMMAND..."),
    "try run": Verb(try_run, 1, MANY, "try run COMMAND..."),
    "commit": Verb(commit, 1, 1, "commit MESSAGE"),
    "ask": Verb(ask, 1, 1, "ask QUESTION"),
    "wait": Verb(wait, 1, 1, "wait SECONDS", number_at=0),
    "wait-for": Verb(wait_for, 1, 2, "wait-for PATH [SECONDS]", number_at=1),
    "fail": Verb(fail, 2, 2, "fail CODE MESSAGE", number_at=0),
    "flood": Verb(flood, 1, 1, "flood BYTES", number_at=0),
    "hang": Verb(hang, 0, 0, "hang"),
    "daemonize": Verb(daemonize, 0, 0, "daemonize"),
}
ONE_TEXT = ("say", "commit", "ask")  # unquoted words are taken as one text


def parse(script: str) -> list[Step]:
    lines = script.splitlines()
    steps: list[Step] = []
    at = 0
    while at < len(lines):
        number, text = at + 1, lines[at].strip()
        at += 1
        if not text or text.startswith("#"):
            continue
        body = None
        if opened := HEREDOC.search(text):
            text, end = text[: opened.start()], opened.group(1)
            start = at
            while at < len(lines) and lines[at].strip() != end:
                at += 1
            if at == len(lines):
                raise ScriptError(f"script:{number}: error: no line {end} ends the text")
            body = "".join(f"{line}\n" for line in lines[start:at])
            at += 1
        try:
            steps.append(parse_line(number, text, body))
        except ValueError as error:
            raise ScriptError(f"script:{number}: error: {error}") from error
    return steps


def parse_line(number: int, text: str, body: str | None) -> Step:
    on_attempt = None
    if conditional := ATTEMPT.match(text):
        on_attempt, text = int(conditional.group(1)), conditional.group(2)
    words = shlex.split(text)
    if not words:
        raise ValueError("a command has to follow")
    verb = words.pop(0)
    if verb == "try" and words:
        verb = f"try {words.pop(0)}"
    known = VERBS.get(verb)
    if known is None:
        raise ValueError(f"there is no command {verb!r}; commands are {', '.join(VERBS)}, attempt N: COMMAND")
    if body is not None:
        words.append(body)
    if verb in ONE_TEXT and words:
        words = [" ".join(words)]
    elif verb == "fail" and len(words) > 2:
        words = [words[0], " ".join(words[1:])]
    if not known.words_min <= len(words) <= known.words_max:
        raise ValueError(f"write it as: {known.usage}")
    at = known.number_at
    if at is not None and at < len(words) and not is_number(words[at]):
        raise ValueError(f"{words[at]!r} is not a number; write it as: {known.usage}")
    if verb in ("fail", "flood") and not words[0].isdigit():
        raise ValueError(f"{words[0]!r} is not a whole number; write it as: {known.usage}")
    if verb == "fail" and not 1 <= int(words[0]) <= 255:
        raise ValueError("the code of fail is from 1 to 255")
    return Step(number, verb, tuple(words), on_attempt)


def play(steps: list[Step], attempt: int) -> int:
    for step in steps:
        if step.on_attempt not in (None, attempt):
            continue
        try:
            VERBS[step.verb].act(*step.words)
        except StepError as error:
            say(f"script:{step.line}: {step.verb}: {error}")
            return error.code
        except OSError as error:
            say(f"script:{step.line}: {step.verb}: {error.strerror}: {error.filename}")
            return FAILED
    return 0


def read_prompt(has_script: bool) -> str:
    """The prompt. A pipe or terminal is left alone when the script came otherwise: answers come there."""
    path = os.environ.get("ORCH_PROMPT_FILE")
    if path:
        with open(path, encoding="utf-8") as file:
            return file.read()
    if has_script and not stat.S_ISREG(os.fstat(0).st_mode):
        return ""
    return sys.stdin.read()


def main(arguments: list[str]) -> int:
    try:
        prompt = read_prompt(bool(arguments))
        if arguments:
            with open(arguments[0], encoding="utf-8") as file:
                script = file.read()
        else:
            found = FENCED.search(prompt.replace("\r\n", "\n"))
            if found is None:
                say(HOW_TO)
                return USAGE
            script = found.group(1)
        steps = parse(script)
    except OSError as error:
        say(f"cannot read the script: {error.strerror}: {error.filename}")
        return USAGE
    except (ScriptError, UnicodeDecodeError) as error:
        say(str(error))
        return BAD_SCRIPT
    number = os.environ.get("ORCH_ATTEMPT_NUMBER", "1")
    return play(steps, int(number) if number.isdigit() else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
