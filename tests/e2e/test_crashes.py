"""A controller killed with -9 around every effect and started again (F1, LOG-1, LOG-2): all has happened just once.

The points come from the effects themselves; an effect that no scenario passes fails `test_f1_every_effect...`.
"""

from __future__ import annotations

import pathlib
import signal
import sqlite3
from collections.abc import Callable

import pytest

from orchctl.adapters.ledger import store, verifying
from orchctl.core import actions, events, evolve, replay, views
from orchctl.core.state import State
from orchctl.testing import crashes
from tests.e2e import sandbox

# How often each effect occurs in the scenario it is killed in. Checked against a run that lists what it passes.
STRAIGHT = {
    "SyncHub": 2,
    "CreateTree": 1,
    "RunAgent": 1,
    "CommitLeftovers": 2,
    "ImportWork": 1,
    "CreateRoom": 1,
    "RunCheck": 1,
    "MergeWork": 1,
    "LandWork": 1,
    "RemoveTree": 2,
}
# Beside the effects above, whose points are not killed at again.
HANGING = {"CancelAttempt": 1}
TEMPLATED = {"RenderPrompt": 1}
GATED = {"FindWindow": 1}

PIPELINE = """\
---
apiVersion: orchctl.dev/v1alpha1
kind: Pipeline
metadata: {name: impatient}
spec:
  stages:
  - {name: implement, role: coder, timeout: 1s, gates: [{checks: {}}], onFailure: {goto: implement, limit: 1}}
  - {name: merge, merge: {}}
"""

GATES = """\
---
apiVersion: orchctl.dev/v1alpha1
kind: Pipeline
metadata: {name: gated}
spec:
  stages:
  - name: implement
    role: coder
    gates:
    - checks: {}
    - files: {allow: ['*.sh'], maxChanged: 1}
    - cel: {expression: 'diff.commits == 1 && evidence.checks.unit.passed'}
  - name: merge
    merge: {}
    gates:
    - delay: {for: 1s}
    - window: {cron: '* * * * *', duration: 1h}
"""

ROLE = """\
---
apiVersion: orchctl.dev/v1alpha1
kind: Role
metadata: {name: coder}
spec:
  system: You work on ${{ project.name }}, for ${{ task.name | upper }}.
"""


def points(counts: dict[str, int], moments: tuple[str, ...] = crashes.MOMENTS) -> list[str]:
    return [
        f"{name}:{number}:{moment}"
        for name, count in counts.items()
        for number in range(1, count + 1)
        for moment in moments
    ]


def straight(box: sandbox.Sandbox) -> pathlib.Path:
    """One agent run that edits a file, leaves a daemon behind, and is merged. Returns the file that counts runs."""
    runs = box.root / "runs"
    script = (f"append {runs} run", "daemonize", "replace greet.sh goodbye hello")
    box.write("manifests/task.yaml", sandbox.task(*script))
    box.commit("Ask for a greeting")
    return runs


def hanging(box: sandbox.Sandbox) -> pathlib.Path:
    """The first agent run hangs and is cancelled by its stage's timeout; the second does the work."""
    runs = box.root / "runs"
    script = (f"append {runs} run", "attempt 1: hang", "replace greet.sh goodbye hello")
    box.write("manifests/task.yaml", sandbox.task(*script, extra="  pipeline: impatient\n") + PIPELINE)
    box.commit("Ask for a greeting")
    return runs


def templated(box: sandbox.Sandbox) -> pathlib.Path:
    """As `straight`, with a role whose system text is a template and a task whose prompt looks like one."""
    runs = box.root / "runs"
    script = (f"append {runs} run", "replace greet.sh goodbye hello", "# ${{ task.name }}")
    box.write("manifests/task.yaml", sandbox.task(*script) + ROLE)
    box.commit("Ask for a greeting")
    return runs


def gated(box: sandbox.Sandbox) -> pathlib.Path:
    """As `straight`, with gates of every type that no person and no command decides."""
    runs = box.root / "runs"
    script = (f"append {runs} run", "replace greet.sh goodbye hello")
    box.write("manifests/task.yaml", sandbox.task(*script, extra="  pipeline: gated\n") + GATES)
    box.commit("Ask for a greeting")
    return runs


def crash(box: sandbox.Sandbox, *args: str) -> int:
    done = box.python("-m", "orchctl.testing.crashes", "--repo", str(box.repo), *args)
    return done.returncode


def verify(box: sandbox.Sandbox, runs: pathlib.Path, agent_runs: int) -> None:
    """The world, not the controller's beliefs: what was run, what was merged, what was left behind."""
    assert runs.read_text().split() == ["run"] * agent_runs
    assert box.git("rev-list", "--count", "main") == "2", "one commit of the user, one merge of ours"
    assert box.git("log", "-1", "--format=%an %P") == f"orchctl {box.git('rev-parse', 'main~1')}"
    assert box.git("status", "--porcelain") == ""
    assert (box.repo / "greet.sh").read_text() == "echo hello\n"
    (hub,) = (box.state / "hubs" / "default").iterdir()
    base = box.git("rev-parse", "main~1")
    imported = box.git("for-each-ref", "--format=%(objectname)", "refs/orch/attempts", cwd=hub).split()
    (work,) = set(imported) - {base}
    assert box.git("rev-list", "--count", f"{base}..{work}", cwd=hub) == "1", "one commit of the agent's work"
    assert box.git("for-each-ref", "refs/heads", cwd=hub) == "", "the task's branch is gone"
    assert sandbox.marked_processes(box.root) == []
    assert left_over(box) == []
    verify_ledger(box, fix="Merged")


def left_over(box: sandbox.Sandbox) -> list[str]:
    """Locks, temporary names, clones and rooms: after the end of all work there are none."""
    found = [str(path) for top in (box.repo / ".git", box.hub()) for path in top.rglob("*.lock")]
    for kind in ("worktrees", "rooms"):
        found += [str(path) for path in (box.state / kind).glob("*/*/*")]
    found += [
        str(path) for path in box.state.rglob("*") if ".new" in path.name or path.name.startswith((".tmp", "tmp"))
    ]
    found += [str(path) for path in (box.repo / ".git").rglob("orchctl*") if path.name != "orchctl-uid"]
    return found + box.git("for-each-ref", "refs/orch").splitlines()


def verify_ledger(box: sandbox.Sandbox, **ends: str) -> None:
    """LOG-2: each intent has exactly one outcome. LOG-3: the fold of the events is what the rows say."""
    assert {name: box.object("task", name)["status"]["summary"] for name in ends} == ends
    assert verifying.verify(box.state / "ledger.db").problems == []
    ledger = store.Ledger(box.state / "ledger.db")
    history = list(ledger.read())
    state, started, ended, attempts = State(), [], [], []
    for recorded in history:
        state = evolve.evolve(state, recorded)
        match recorded.event:
            case events.ActionStarted(action=action):
                started.append(action.key)
            case events.AttemptStarted(action=key, attempt=attempt):
                ended.append(key)
                attempts.append(attempt)
            case events.Outcome(action=key):
                ended.append(key)
    rows = {row.key: store.row_digest(row) for obj in state.objects.values() for row in [views.row(state, obj)]}
    stored, warm = ledger.rows(), ledger.state()
    ledger.close()
    assert sorted(started) == sorted(ended)
    assert len(attempts) == len(set(attempts))
    assert stored == rows
    assert dict(warm.objects) == dict(state.objects), "a warm start reads what a fold would give"
    assert (warm.seq, warm.turn, warm.revision, warm.open) == (state.seq, state.turn, state.revision, state.open)
    assert list(replay.verify(history)) == [], "each decision follows from the facts alone, across the restart too"


@pytest.mark.parametrize("point", points(STRAIGHT))
def test_f1_a_kill_at_this_point_loses_and_repeats_nothing(box: sandbox.Sandbox, point: str) -> None:
    runs = straight(box)
    assert crash(box, "--at", point) == -signal.SIGKILL, "the point was passed"
    box.until_idle()
    verify(box, runs, agent_runs=1)


@pytest.mark.parametrize("point", points(HANGING))
def test_f1_a_kill_around_a_cancellation_loses_and_repeats_nothing(box: sandbox.Sandbox, point: str) -> None:
    runs = hanging(box)
    assert crash(box, "--at", point) == -signal.SIGKILL, "the point was passed"
    box.until_idle()
    verify(box, runs, agent_runs=2)


@pytest.mark.parametrize("point", points(TEMPLATED))
def test_f1_a_kill_around_a_rendering_loses_and_repeats_nothing(box: sandbox.Sandbox, point: str) -> None:
    """T8: what the agent is told is the rendered text, once, and the task's own words as they are."""
    runs = templated(box)
    assert crash(box, "--at", point) == -signal.SIGKILL, "the point was passed"
    box.until_idle()
    verify(box, runs, agent_runs=1)
    prompt = box.object("session", "fix-implement-1")["spec"]["prompt"]
    assert prompt.startswith("You work on shop, for FIX.\n\nMake the greeting say hello.\n")
    assert prompt.count("FIX") == 1
    assert "# ${{ task.name }}" in prompt


@pytest.mark.parametrize("point", points(GATED))
def test_f1_a_kill_around_the_look_at_a_calendar_loses_and_repeats_nothing(box: sandbox.Sandbox, point: str) -> None:
    """GATE-5: what was found is recorded, and the gates say the same after the kill."""
    runs = gated(box)
    assert crash(box, "--at", point) == -signal.SIGKILL, "the point was passed"
    box.until_idle()
    verify(box, runs, agent_runs=1)
    verdicts = {one["name"]: one["state"] for one in box.object("task", "fix")["status"]["gates"]}
    assert verdicts == dict.fromkeys(("unit", "files", "cel", "delay", "window"), "Passed")


def test_f1_every_effect_is_killed_around_at_every_occurrence(box: sandbox.Sandbox, tmp_path: pathlib.Path) -> None:
    """A new effect, or a new occurrence of one, fails here until the tables above name it."""
    assert set(STRAIGHT) | set(HANGING) | set(TEMPLATED) | set(GATED) == set(actions.EFFECTS)
    listed = tmp_path / "points"
    runs = straight(box)
    assert crash(box, "--list", str(listed)) == 0
    verify(box, runs, agent_runs=1)
    of_effects = [point for point in listed.read_text().split() if point.endswith(crashes.MOMENTS)]
    assert sorted(of_effects) == sorted(points(STRAIGHT))


@pytest.mark.parametrize(("scenario", "counts"), [(hanging, HANGING), (templated, TEMPLATED), (gated, GATED)])
def test_f1_the_listings_of_the_other_scenarios_name_their_points(
    box: sandbox.Sandbox,
    tmp_path: pathlib.Path,
    scenario: Callable[[sandbox.Sandbox], pathlib.Path],
    counts: dict[str, int],
) -> None:
    listed = tmp_path / "points"
    scenario(box)
    assert crash(box, "--list", str(listed)) == 0
    assert set(points(counts)) <= set(listed.read_text().split())


def test_log_3_a_ledger_is_readable_while_a_controller_is_dead(box: sandbox.Sandbox) -> None:
    """UI-2: what a killed controller left is shown as it stood, from the file alone."""
    straight(box)
    assert crash(box, "--at", "RunCheck:1:after-intent") == -signal.SIGKILL
    assert box.object("task", "fix")["status"]["stage"] == "implement"
    with sqlite3.connect(f"file:{box.state / 'ledger.db'}?mode=ro", uri=True) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    box.until_idle()
