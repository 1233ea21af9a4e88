"""Programs of agents, found and asked for their version, with real processes: bounded, alone, nothing left (SES-14)."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path

import pytest

from orchctl.adapters.probes import programs
from orchctl.core import agents, events
from orchctl.core.state import Program

NOW = events.Now(at=1_800_000_000.0, t=0.0)
CLAUDE = agents.Sought("claude", "digest", ())


class Machine:
    """A folder on PATH with programs in it, and who looks for them."""

    def __init__(self, root: Path) -> None:
        self.bin, self.home = root / "bin", root / "probes"
        self.bin.mkdir()
        self.environ = {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(root), "TOKEN": "do-not-tell"}
        self.programs = self.fresh()

    def fresh(self) -> programs.Programs:
        """As a controller that has just started."""
        return programs.Programs(self.environ, sys.executable, self.home)

    def program(self, name: str, *lines: str, mode: int = 0o755) -> Path:
        path = self.bin / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(mode)
        return path

    def version(self, sought: agents.Sought = CLAUDE) -> programs.Found:
        """What it is called once it is known to be there."""
        return self.programs.look(sought, as_program(sought, self.programs.look(sought, None)))


def as_program(sought: agents.Sought, found: programs.Found) -> Program:
    return Program(sought.program, sought.spec_digest, found.path, found.version, found.mark, found.problem, NOW)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_ses_14_a_program_is_found_at_once_and_says_its_version_when_it_is_known_to_be_there(machine: Machine) -> None:
    asked = machine.home.parent / "asked"
    path = machine.program("claude", f"echo x >> {asked}", "echo '2.1.197 (Claude Code)'")
    first = machine.programs.look(CLAUDE, None)
    assert (first.path, first.version, first.problem) == (str(path), "", "")
    assert not asked.exists(), "that it is there is news first"
    second = machine.programs.look(CLAUDE, as_program(CLAUDE, first))
    assert second == dataclasses.replace(first, version="2.1.197")
    machine.programs.look(CLAUDE, as_program(CLAUDE, first))
    machine.fresh().look(CLAUDE, as_program(CLAUDE, second))
    assert asked.read_text().split() == ["x"], "asked once, by this controller and the next"
    machine.program("claude", f"echo x >> {asked}", "echo 2.1.329 is out")
    assert machine.version().version == "2.1.329", "its file has changed"


def test_ses_10_it_is_asked_in_a_home_of_its_own_without_the_users_environment(machine: Machine) -> None:
    seen = machine.home.parent / "seen"
    machine.program("claude", f'env > {seen}; pwd >> {seen}; echo "1.2 $HOME"')
    assert machine.version(agents.Sought("claude", "d", (("MINE", "1"),))).version == "1.2"
    text = seen.read_text()
    assert f"HOME={machine.home}\n" in text
    assert text.splitlines()[-1] == str(machine.home)
    assert "MINE=1" in text
    assert "do-not-tell" not in text


def _alive(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        (["setsid sleep 612.{n} & nohup sleep 612.{n} & echo 1.5.0"], "1.5.0"),
        (["trap '' TERM INT HUP", "(setsid sleep 612.{n} &)", "sleep 612.{n}"], ""),
        (["sleep 612.{n} & yes 1.5.0"], ""),
        (["echo 1.5.0; exit 3"], ""),
        (["echo no number"], ""),
        (["exit 0"], ""),
        (["kill -9 $$"], ""),
    ],
    ids=["daemons", "hangs", "floods", "fails", "silent", "empty", "killed"],
)
def test_ses_14_whatever_it_does_an_answer_comes_and_nothing_of_it_runs_on(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, lines: list[str], version: str
) -> None:
    monkeypatch.setattr(programs, "ASK_S", 1.0)
    mark = f"612.{os.getpid()}"
    machine.program("claude", *(line.replace("612.{n}", mark) for line in lines))
    begun = time.monotonic()
    found = machine.version()
    assert (found.version, found.problem) == (version, "")
    assert time.monotonic() - begun < 10
    assert _alive(mark) == []


def test_ses_14_a_program_that_cannot_be_started_at_all_has_no_version(machine: Machine) -> None:
    (machine.bin / "claude").write_bytes(b"#!/no/such/interpreter\n")
    (machine.bin / "claude").chmod(0o755)
    assert machine.version().version == ""


def test_ses_14_programs_that_nobody_knows_are_not_run(machine: Machine) -> None:
    asked = machine.home.parent / "asked"
    path = machine.program("my-agent", f"echo x > {asked}; echo 1.0.0")
    found = machine.version(agents.Sought("my-agent", "digest", ()))
    assert (found.path, found.version) == (str(path), "")
    assert not asked.exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("claude", "there is no `claude` on PATH"),
        ("lame", "/bin/lame cannot be executed"),
        ("folder", "there is no `folder` on PATH"),
        ("/no/such/claude", "there is no program /no/such/claude"),
    ],
)
def test_ses_14_what_cannot_be_run_is_said_in_a_sentence(machine: Machine, program: str, said: str) -> None:
    machine.program("lame", mode=0o644)
    (machine.bin / "folder").mkdir()
    found = machine.programs.look(agents.Sought(program, "digest", ()), None)
    assert said in found.problem
    assert (found.path, found.version, found.mark) == ("", "", "")


def test_ses_14_it_is_looked_for_on_the_path_its_agent_gets(machine: Machine, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "claude").write_text("#!/bin/sh\n")
    (elsewhere / "claude").chmod(0o755)
    machine.program("claude")
    own = agents.Sought("claude", "digest", (("PATH", f".:{elsewhere}"),))
    assert machine.programs.look(own, None).path == str(elsewhere / "claude")


def test_a_relative_folder_on_path_is_no_place_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "claude").write_text("#!/bin/sh\n")
    (tmp_path / "claude").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert programs.locate("claude", ".::bin") == ("", "there is no `claude` on PATH")


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (b"codex-cli 0.169.0\n", "0.169.0"),
        (b"v1.18.33", "1.18.33"),
        (b"aider 0.86.2.dev1+g12\n", "0.86.2.dev1+g12"),
        (b"\x1b[1m2.1\x1b[0m (Claude Code)", "2.1"),
        (b"node:internal 404", ""),
        (b"\xff\xfe", ""),
        (b"1." + b"9" * 4000, "1." + "9" * 57 + "\u2026"),
    ],
)
def test_a_version_is_told_from_what_stands_around_it(answer: bytes, version: str) -> None:
    assert programs.version_in(answer) == version
