"""What vanishes together with a file that cannot be read may stand in it: it stays, and says so (GIT-3, GIT-5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.app.control import BROKEN, Control, essence, kinds_of, role


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path / "control.git")


def many(count: int) -> dict[str, str]:
    return {f"r{n}.yaml": role(f"r{n}") for n in range(count)}


MOVED = {"k.yaml": role("k"), "l.yaml": role("l")}


@pytest.mark.parametrize("broken", [BROKEN, role("a")[:60], "#" * 2 * 1024 * 1024, "kind: Roll\n"])
def test_git_5_what_is_moved_and_broken_in_one_commit_stays_until_its_file_is_repaired(
    control: Control, broken: str
) -> None:
    control.now({**MOVED, "a.yaml": role("a")})
    before = essence(control.object("a"))
    assert set(kinds_of(control.now({**MOVED, "b.yaml": broken}))) == {"ObjectRejected"}
    assert essence(control.object("a")) == before
    [problem] = control.object("a").problems
    assert problem.startswith("manifests/b.yaml:1:1: error: cannot be read to its end, and Role/default/a may stand")
    for _ in range(2):  # said once, also by another controller
        assert control.take_in() == []
        control.restart()
    assert set(kinds_of(control.now({**MOVED, "c.yaml": broken}))) <= {"ObjectRejected", "ObjectWithdrawn"}
    assert essence(control.object("a")) == before, "moved once more, and still broken"
    control.now({**MOVED, "c.yaml": role("a")})
    assert control.object("a").problems == ()
    assert control.generation("a") == 1


@pytest.mark.parametrize("repaired", [{"b.yaml": role("b")}, {}])
def test_git_5_what_the_repaired_file_does_not_name_leaves_with_the_repair(
    control: Control, repaired: dict[str, str]
) -> None:
    control.now({**MOVED, "a.yaml": role("a")})
    control.now({**MOVED, "b.yaml": BROKEN})
    assert "a" in control.names()
    control.now({**MOVED, **repaired})
    assert control.names() == {"k", "l", *(["b"] if repaired else [])}


def test_git_3_a_file_broken_earlier_keeps_nothing_but_its_own(control: Control) -> None:
    control.now({**MOVED, "a.yaml": role("a"), "b.yaml": BROKEN})
    assert kinds_of(control.now({**MOVED, "b.yaml": BROKEN})) == ["ObjectWithdrawn"]
    control.now({**MOVED, "b.yaml": BROKEN, "a.yaml": role("a")})
    assert kinds_of(control.now({**MOVED, "b.yaml": BROKEN, "note.yaml": "# nothing\n"})) == ["ObjectWithdrawn"]


def test_git_5_a_blocked_prune_is_confirmed_past_a_file_that_broke_later(control: Control) -> None:
    control.now(many(12))
    control.now(many(5))
    blocked = control.machine.state.blocked
    assert blocked is not None
    control.now({**many(5), "b.yaml": BROKEN})
    assert control.machine.state.blocked == blocked


def test_git_5_why_it_stays_is_the_same_for_the_next_controller(control: Control) -> None:
    control.now({**MOVED, "a.yaml": role("a"), "0.yaml": BROKEN})
    control.now({**MOVED, "0.yaml": BROKEN, "b.yaml": BROKEN})
    assert control.object("a").problems[0].startswith("manifests/b.yaml:1:1: error: cannot be read")
    control.restart()
    assert control.take_in() == []
