"""Requests on their way from a file to a fact: applied once, whenever the controller is killed (LOG-2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchctl.adapters.host import inbox as inboxes
from orchctl.app import requests
from orchctl.core import events
from tests.unit.app.control import Control, kinds_of, role


class Scene:
    """A control repo with a blocked prune, and an inbox."""

    def __init__(self, folder: Path) -> None:
        self.control = Control(folder / "control.git")
        self.inbox = inboxes.Inbox(folder)
        self.said: list[str] = []
        files = {f"r{n}.yaml": role(f"r{n}") for n in range(12)}
        self.control.now(files)
        self.control.now({"r0.yaml": files["r0.yaml"]})
        assert self.control.machine.state.blocked is not None
        self.revision = self.control.machine.state.blocked.revision

    def facts(self) -> list[events.Event]:
        """What the loop would get; a new intake each time, as after a restart."""
        intake = requests.Intake(self.inbox, self.control.admission, self.said.append)
        return intake.facts(self.control.machine.state)

    def turn(self) -> list[str]:
        facts = self.facts()
        self.control.turns += 1
        now = events.Now(at=1_800_000_000.0 + self.control.turns, t=float(self.control.turns))
        step = self.control.machine.step(facts, now)
        return kinds_of(one.event for one in step.recorded)

    def ask(self, revision: str | None = None) -> str:
        return self.inbox.submit({"verb": requests.CONFIRM_PRUNE, "revision": revision or self.revision})

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.inbox.folder.iterdir())


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_kill_before_the_record_leaves_the_request_and_one_after_it_applies_it_once(scene: Scene) -> None:
    token = scene.ask()
    assert kinds_of(scene.facts()) == ["PruneConfirmed"]
    assert scene.files == [f"{token}.json"], "not recorded yet"
    scene.control.restart()
    assert scene.turn() == ["PruneConfirmed"]
    assert scene.files == [f"{token}.json"], "recorded, and killed before it is unlinked"
    scene.control.restart()
    withdrawn = scene.turn()
    assert withdrawn.count("PruneLifted") == 1
    assert withdrawn.count("ObjectWithdrawn") == 11
    assert "PruneConfirmed" not in withdrawn
    assert (scene.files, scene.said) == ([], [])
    assert scene.turn() == []
    assert scene.control.names() == {"r0"}


def test_two_requests_for_one_commit_are_one_confirmation(scene: Scene) -> None:
    first, second = scene.ask(), scene.ask()
    assert first != second
    assert scene.turn() == ["PruneConfirmed"]
    assert scene.turn().count("ObjectWithdrawn") == 11
    assert scene.files == []
    [said] = scene.said
    assert second in said or first in said


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("not json"),
        lambda path: path.write_text("[1]"),
        lambda path: path.write_text("[" * 10_000),
        lambda path: path.write_text(json.dumps({"verb": "ConfirmPrune", "revision": 7})),
        lambda path: path.write_text(json.dumps({"verb": "ConfirmPrune", "revision": "0" * 40})),
        lambda path: path.write_text(" " * (inboxes.FILE_BYTES_MAX + 1)),
        lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
    ],
)
def test_what_is_no_good_request_is_said_taken_out_and_changes_nothing(
    scene: Scene, spoil: Callable[[Path], object]
) -> None:
    token = scene.ask()
    spoil(scene.inbox.folder / f"{token}.json")
    (scene.inbox.folder / ".half.tmp").write_text("{")
    assert scene.turn() == []
    assert scene.files == [".half.tmp"], "a file that is being written is nobody's business"
    [said] = scene.said
    assert said.startswith(f"warning: request {token} changes nothing: ")


def test_what_is_blocked_anew_needs_a_confirmation_of_its_own(scene: Scene) -> None:
    scene.ask()
    assert scene.turn() == ["PruneConfirmed"]
    assert kinds_of(scene.control.now({"r1.yaml": role("r1", "Other.")})) == ["ObjectAdmitted", "PruneBlocked"]
    blocked = scene.control.machine.state.blocked
    assert blocked is not None
    assert not blocked.confirmed
    assert blocked.revision != scene.revision
    assert scene.turn() == []
