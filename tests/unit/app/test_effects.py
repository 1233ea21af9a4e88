"""Starting an attempt when the executor does not say clearly whether it has."""

from pathlib import Path

import pygit2
import pytest

from orchctl.app import effects
from orchctl.core import actions, events, ports
from orchctl.core.ids import ActionKey, AttemptId, Key
from orchctl.core.ports import Phase

ATTEMPT = AttemptId("aa.1")


class Unsure:
    """An executor that says it did not start anything. It sees `first`, and `left` after having ended it."""

    def __init__(self, first: Phase, left: Phase) -> None:
        self.first = first
        self.left = left

    def submit(self, spec: ports.AttemptSpec) -> ports.Observation:
        raise ports.TransientError("the shim did not start in time")

    def observe(self, attempt: AttemptId) -> ports.Observation:
        return ports.Observation(attempt, self.first, exit_code=0 if self.first is Phase.SUCCEEDED else None)

    def cancel(self, attempt: AttemptId, grace_s: float) -> ports.Observation:
        assert self.first is not Phase.RUNNING, "what works is left to work"
        return ports.Observation(attempt, self.left)

    def read(self, attempt: AttemptId, offset: int, limit: int) -> bytes:
        return b""


@pytest.fixture
def started(tmp_path):
    pygit2.init_repository(str(tmp_path))

    def start(first: Phase, left: Phase) -> list[events.Event]:
        made = effects.Effects(
            Unsure(first, left),  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            control_repo=tmp_path,
            sessions=tmp_path,
            environ={},
            python="python3",
        )
        do = actions.CommitLeftovers(attempt=ATTEMPT, cwd=str(Path("/nowhere")), message="m", env=())
        return made.execute(actions.Action(ActionKey("k"), Key("Session/default/s"), do))

    return start


@pytest.mark.parametrize("left", [Phase.ABSENT, Phase.CANCELLED])
def test_log2_a_start_that_certainly_came_to_nothing_is_a_failure(started, left):
    (failed,) = started(Phase.STARTING, left)
    assert isinstance(failed, events.ActionFailed)
    assert failed.transient


@pytest.mark.parametrize(
    ("first", "left"),
    [(Phase.STARTING, Phase.UNKNOWN), (Phase.UNKNOWN, Phase.UNKNOWN), (Phase.RUNNING, Phase.RUNNING)],
)
def test_log2_a_start_that_may_have_come_true_is_watched_and_never_made_again(started, first, left):
    (fact,) = started(first, left)
    assert isinstance(fact, events.AttemptStarted)
    assert fact.attempt == ATTEMPT


@pytest.mark.parametrize("end", [Phase.SUCCEEDED, Phase.LOST])
def test_log2_what_has_ended_while_its_start_was_doubted_is_not_run_again(started, end):
    begun, ended = started(end, end)
    assert isinstance(begun, events.AttemptStarted)
    assert isinstance(ended, events.AttemptEnded)
    assert ended.phase is end
