"""What a start removes of earlier controllers: only what nothing that lives can still read (LOG-9)."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from orchctl.adapters.executors.local import LocalExecutor
from orchctl.app import sweeping
from orchctl.core import actions, ports
from orchctl.core.folds.parts import attempts_of
from orchctl.core.ids import ActionKey, AttemptId
from orchctl.core.state import State
from tests.unit.core import builders

NAMED, UNNAMED = f"{'a' * 32}.txt", f"{'b' * 32}.txt"


class Executor:
    """Knows which attempts run, and hands out a descriptor for each."""

    def __init__(self, running: tuple[str, ...] = (), error: ports.WorldError | None = None) -> None:
        self.running = running
        self.error = error

    def exit_fd(self, attempt: AttemptId) -> int | None:
        if self.error is not None:
            raise self.error
        return os.open(os.devnull, os.O_RDONLY) if attempt in self.running else None


def swept(state: State, folder: Path, executor: object) -> set[str]:
    sweeping.sweep(state, folder, executor)  # type: ignore[arg-type]
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def written(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")


def lived() -> tuple[State, AttemptId]:
    """A task whose agent has been at work, and the id of that attempt."""
    made = builders.bench(builders.project(), builders.task())
    [attempt, *_] = [each for obj in made.machine.state.objects.values() if obj.session for each in attempts_of(obj)]
    return made.machine.state, attempt.id


def with_attempt_running(state: State, attempt: AttemptId) -> State:
    objects = {}
    for key, obj in state.objects.items():
        if obj.session is not None and attempt in [each.id for each in obj.session.attempts]:
            attempts = tuple(dataclasses.replace(each, ended=None) for each in obj.session.attempts)
            obj = dataclasses.replace(obj, session=dataclasses.replace(obj.session, attempts=attempts))
        objects[key] = obj
    return dataclasses.replace(state, objects=objects)


def with_prompt(state: State, text: str) -> State:
    objects = {
        key: dataclasses.replace(obj, session=dataclasses.replace(obj.session, prompt=text)) if obj.session else obj
        for key, obj in state.objects.items()
    }
    return dataclasses.replace(state, objects=objects)


def test_log_9_texts_of_ended_and_unknown_attempts_go_and_records_stay(tmp_path: Path) -> None:
    state, attempt = lived()
    written(tmp_path, f"{attempt}.prompt", f"{attempt}.message", "old-1.prompt", f"{attempt}/raw.log", "other.txt")
    assert swept(state, tmp_path, Executor()) == {f"{attempt}/raw.log", "other.txt"}
    assert swept(state, tmp_path, Executor()) == {f"{attempt}/raw.log", "other.txt"}, "and again after a crash"


def test_log_9_what_a_live_attempt_reads_stays(tmp_path: Path) -> None:
    state, attempt = lived()
    written(tmp_path, f"{attempt}.prompt", "old-1.prompt")
    assert swept(with_attempt_running(state, attempt), tmp_path, Executor()) == {f"{attempt}.prompt"}


def test_log_9_what_an_open_action_may_yet_start_stays(tmp_path: Path) -> None:
    state, attempt = lived()
    key, obj = next((key, obj) for key, obj in state.objects.items() if obj.session is not None)
    do = actions.CancelAttempt(attempt=AttemptId("next-2"), grace_s=1.0, reason="")
    action = actions.Action(key=ActionKey("k"), object=key, do=do)
    opened = dataclasses.replace(state, objects={**state.objects, key: dataclasses.replace(obj, open=action)})
    written(tmp_path, f"{attempt}.prompt", "next-2.prompt")
    assert swept(opened, tmp_path, Executor()) == {"next-2.prompt"}


@pytest.mark.parametrize("executor", [Executor(("lost-1",)), Executor(error=ports.TransientError("busy"))])
def test_log_9_what_runs_without_being_in_the_state_keeps_its_text(tmp_path: Path, executor: Executor) -> None:
    written(tmp_path, "lost-1.message")
    assert swept(State(), tmp_path, executor) == {"lost-1.message"}


def test_log_9_long_values_stay_while_an_object_names_them(tmp_path: Path) -> None:
    state, _ = lived()
    state = with_prompt(state, f"Read {tmp_path}/.values/{NAMED} first.")
    folder = tmp_path / ".values"
    written(tmp_path, f".values/{NAMED}", f".values/{UNNAMED}", f".values/{'a' * 32}.123.part")
    assert swept(state, tmp_path, Executor()) == {f".values/{NAMED}"}
    assert swept(State(), tmp_path, Executor()) == set()
    assert folder.is_dir()


def test_a_start_is_not_stopped_by_what_cannot_be_removed(tmp_path: Path) -> None:
    (tmp_path / "old-1.prompt").mkdir()
    written(tmp_path, "old-2.prompt")
    assert swept(State(), tmp_path, Executor()) == set()
    shutil.rmtree(tmp_path)
    sweeping.sweep(State(), tmp_path, Executor())  # type: ignore[arg-type]


def test_names_no_attempt_can_have_are_left_alone(tmp_path: Path) -> None:
    executor = LocalExecutor(tmp_path / "sessions", tmp_path / "run")
    written(tmp_path / "sessions", ".hidden.prompt", "good-1.prompt")
    assert swept(State(), tmp_path / "sessions", executor) == {".hidden.prompt"}
    executor.close()
