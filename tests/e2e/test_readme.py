"""The README is true: its commands are run as they stand, and the output it shows is what they print.

A block marked `sh tour` is part of one shell session, in order; the `text` block after it shows lines of its output,
in order, some left out. Ids, ages and widths of columns differ from run to run and are not compared.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.e2e import sandbox
from tests.tidy.sources import ROOT

BLOCK = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
NEXT = "@@ next block"
TOUR_S = 120
PASSING = ((r"\b[0-9a-f]{7,40}\b", "ID"), (r"\b\d+(\.\d+)?[smh]\b", "AGE"), (r"\s+", " "))
CLAUDE = '#!/bin/sh\ngrep -q French && echo "echo bonjour" >> greet.sh\n'


def blocks(mark: str) -> list[tuple[str, str]]:
    """Commands of every block with this mark, each with the output shown after it, if any."""
    found = [(f"{language} {more}".strip(), body) for language, more, body in BLOCK.findall(readme())]
    following = [*found[1:], ("", "")]
    return [
        (body, shown if language == "text" else "")
        for (name, body), (language, shown) in zip(found, following, strict=True)
        if name == f"sh {mark}"
    ]


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def comparable(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        for pattern, stands_for in PASSING:
            line = re.sub(pattern, stands_for, line)
        lines.append(line.strip())
    return lines


def missing_lines(shown: str, printed: str) -> list[str]:
    """Lines that are shown and were not printed, at least not after those shown before them."""
    rest = iter(comparable(printed))
    return [line for line in comparable(shown) if line not in rest]


def run(box: sandbox.Sandbox, scripts: Sequence[str], programs: pathlib.Path | None = None) -> list[str]:
    """What each script printed, all run in one shell that stops at the first command that fails."""
    checkout = box.root / "orchctl"
    (checkout / ".venv").mkdir(parents=True)
    (checkout / ".venv/bin").symlink_to(pathlib.Path(sys.executable).parent)
    path = [str(programs)] if programs else []
    done = subprocess.run(
        ["sh", "-e", "-c", f"\necho '{NEXT}'\n".join(scripts)],
        cwd=checkout,
        env=box.env | {"PATH": os.pathsep.join([*path, box.env["PATH"]])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TOUR_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.split(f"{NEXT}\n")


def test_the_tour_goes_as_the_readme_says(box: sandbox.Sandbox) -> None:
    tour = blocks("tour")
    assert len(tour) >= 4
    printed = run(box, [commands for commands, _ in tour])
    for (_, shown), got in zip(tour, printed, strict=True):
        assert shown
        assert missing_lines(shown, got) == [], got
    verbs = {line.split()[1] for commands, _ in tour for line in commands.splitlines() if line.startswith("orchctl ")}
    assert {"init", "lint", "controller", "get", "describe", "why", "logs", "run"} <= verbs


def test_an_agent_on_the_path_is_named_and_works(box: sandbox.Sandbox) -> None:
    """A stand-in called `claude`, as the command line of the built-in Agent finds it."""
    programs = box.root / "programs"
    programs.mkdir()
    (programs / "claude").write_text(CLAUDE)
    (programs / "claude").chmod(0o755)
    before = blocks("tour")[0][0]
    (asked,) = (commands for commands, _ in blocks("agent"))
    green = "sed -i s/goodbye/hello/ greet.sh; git commit -q -a -m 'Say hello'\n"
    *_, printed = run(box, [before, green + asked + "sh greet.sh"], programs)
    assert "Merged as" in printed
    assert printed.endswith("hello\nbonjour\n")


def test_the_first_commands_are_targets_of_the_makefile() -> None:
    made = (ROOT / "Makefile").read_text()
    first = BLOCK.findall(readme())[0][2].splitlines()
    assert [line.split("#")[0].split() for line in first] == [["make", "quickstart"], ["make", "test"]]
    assert all(f"\n{line.split()[1]}:" in made for line in first)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "examples/README.md",
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "controller").rglob("*.md")),
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    targets = LINK.findall((ROOT / page).read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not ((ROOT / page).parent / target).exists()] == []


def test_a_line_that_was_not_printed_is_found() -> None:
    printed = "NAME     AGE\nfix      3s\nmerged as f1a40a7a\n"
    assert missing_lines("NAME AGE\nfix 12s\nmerged as 0123abcd\n", printed) == []
    assert missing_lines("NAME AGE\nbroken 3s\n", printed) == ["broken AGE"]
