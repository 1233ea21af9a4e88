"""What is asked of the world, in whole: every effect of an ordinary task, of a stop, and the waits between tries."""

from __future__ import annotations

import dataclasses

import pytest

from orchctl.core import actions, events
from orchctl.core.capacity import DISK, Capacity
from orchctl.core.ids import ActionKey, AttemptId, Key, Oid
from orchctl.core.kinds import retrying, watching
from orchctl.core.ports import Phase
from orchctl.core.state import Attempt, Failures, MemoryShort, Object
from orchctl.kit import backoff
from orchctl.testing import worlds
from tests.unit.core import asking, builders, places

TASK = Key("Task/default/fix")
NOW = events.Now(at=1_000.0, t=100.0)
BASE = worlds.oid("target")
PROTECTED = ("db/**", "manifests")


def author(name: str) -> tuple[tuple[str, str], ...]:
    return (
        ("GIT_AUTHOR_NAME", f"{name} (orchctl)"),
        ("GIT_AUTHOR_EMAIL", "agent@orchctl.invalid"),
        ("GIT_COMMITTER_NAME", f"{name} (orchctl)"),
        ("GIT_COMMITTER_EMAIL", "agent@orchctl.invalid"),
    )


def ordinary() -> worlds.Bench:
    project = builders.project(worktrees={"env": {"A": "1"}}, guardrails={"protectedPaths": ["db/**"]})
    return builders.bench(project, builders.task(touches=["src/**"]))


SYNC = actions.SyncHub(project="default/shop", repo=".", branch="main")


def test_log_2_everything_the_work_of_an_ordinary_task_asks_for_in_its_order_and_in_whole() -> None:
    bench = ordinary()
    session, worktree = bench.object("Session/default/fix-implement-1").session, bench.object("Worktree/default/fix")
    assert session is not None
    assert worktree.worktree is not None
    cwd = worktree.worktree.path
    tree = cwd.rpartition("/")[2]
    wanted = [
        SYNC,
        actions.CreateTree(project="default/shop", name=tree, branch="orch/fix", commit=BASE),
        actions.RunAgent(
            attempt=AttemptId(f"{session.uid}.1"),
            backend="script",
            agent="script",
            command=(),
            prompt="You write code.\n\nFix the login.\n\nWith a test.\n",
            cwd=cwd,
            env=(
                ("A", "1"),
                ("ORCH_TASK", "fix"),
                ("ORCH_STAGE", "implement"),
                ("ORCH_ATTEMPT_NUMBER", "1"),
                ("ORCH_BASE", BASE),
                *author("coder"),
            ),
            number=1,
        ),
        actions.CommitLeftovers(
            attempt=AttemptId(f"{session.uid}.2"),
            cwd=cwd,
            message="Fix the login.\n\nTask: fix\nSession: fix-implement-1\nAttempt: 1\n",
            env=author("coder"),
        ),
        actions.ImportWork(
            project="default/shop",
            name=tree,
            ref=f"refs/orch/attempts/{session.uid}/1",
            branch="orch/fix",
            base=BASE,
            protected=PROTECTED,
            touches=("src/**",),
            files=(),
        ),
    ]
    assert bench.world.done[: len(wanted)] == wanted


def test_log_2_everything_its_check_its_landing_and_its_end_ask_for_in_whole() -> None:
    bench = ordinary()
    task, worktree = bench.object(TASK).task, bench.object("Worktree/default/fix").worktree
    assert task is not None
    assert task.head is not None
    assert worktree is not None
    cwd, room = worktree.path, task.checks[0]
    tree = cwd.rpartition("/")[2]
    rooms = [one.name for one in bench.world.done if isinstance(one, actions.CreateRoom)]
    ours = (("ORCH_TASK", "fix"), ("ORCH_BASE", BASE))
    wanted = [
        actions.CreateRoom(project="default/shop", name=rooms[0], commit=task.head),
        actions.RunCheck(
            attempt=room.id,
            check="unit",
            run="make test",
            check_digest=room.check_digest,
            tree=Oid(room.tree),
            cwd=f"/rooms/{rooms[0]}",
            env=(("A", "1"), *ours),
        ),
        SYNC,
        actions.MergeWork(
            project="default/shop",
            target=BASE,
            head=task.head,
            message=f"Fix the login.\n\nTask: fix\nWork: {task.head}\n",
            at=1_800_000_000,
            protected=PROTECTED,
        ),
        actions.LandWork(
            project="default/shop", repo=".", branch="main", new=worlds.oid("merge", BASE, task.head), old=BASE
        ),
        actions.RemoveTree(project="default/shop", name=rooms[0], salvage=""),
        actions.CommitLeftovers(
            attempt=AttemptId(f"{worktree.uid}.2"),
            cwd=cwd,
            message="Left in the worktree: Fix the login.\n\nTask: fix\nWorktree: fix\n",
            env=author("agent"),
        ),
        actions.RemoveTree(
            project="default/shop",
            name=tree,
            salvage=f"refs/orch/salvage/{worktree.uid}/1",
            branch="orch/fix",
        ),
    ]
    assert bench.world.done[-len(wanted) :] == wanted
    assert len(bench.world.done) == 5 + len(wanted), "and nothing between the two"
    assert len(room.check_digest) == 16
    assert room.tree == task.head_tree


@pytest.mark.parametrize(("mode", "grace"), [("AfterCleanup", watching.CANCEL_GRACE_S), ("Now", 0.0)])
def test_task_4_a_stop_says_why_and_gives_what_runs_the_time_that_was_asked_for(mode: str, grace: float) -> None:
    bench = places.agent_running()
    bench.give(asking.cancel(mode, reason="wrong"))
    (stop,) = [one for one in bench.world.done if isinstance(one, actions.CancelAttempt)]
    assert (stop.grace_s, stop.reason) == (grace, f"cancelled ({mode}) by {asking.ACTOR}: wrong")
    kept = [one.verb for one in bench.world.done if isinstance(one, actions.CommitLeftovers | actions.ImportWork)]
    assert kept == ([] if mode == "Now" else ["CommitLeftovers", "ImportWork"])


# --- waits between tries ----------------------------------------------------------------------------------------


def failing(count: int = 1, *, transient: bool = True, verb: str = "RemoveTree") -> Object:
    return Object(TASK, NOW, failures=Failures(verb, count, NOW, transient, "locked"))


def later(seconds: float) -> events.Now:
    return events.Now(at=NOW.at + seconds, t=NOW.t + seconds)


@pytest.mark.parametrize(
    ("count", "text"), [(1, "RemoveTree failed: locked"), (3, "RemoveTree failed 3 times: locked")]
)
def test_task_2_a_failed_effect_waits_as_long_as_its_failures_say_and_names_them(count: int, text: str) -> None:
    obj, delay = failing(count), backoff.delay_s(count, TASK)
    held = retrying.hold(obj, NOW, "TASK-2")
    assert held is not None
    assert (held.because.rule, held.because.text, held.because.unblock) == (
        "TASK-2",
        text,
        "it is tried again by itself",
    )
    assert (held.wake_at, held.resting) == (NOW.t + delay, False)
    assert retrying.hold(obj, later(delay - 0.001), "TASK-2") is not None
    assert retrying.hold(obj, later(delay), "TASK-2") is None
    assert retrying.hold(Object(TASK, NOW), NOW, "TASK-2") is None


def test_wt_3_a_removal_that_cannot_be_done_is_looked_at_again_and_keeps_nobody_awake() -> None:
    assert retrying.hold_clean_up(Object(TASK, NOW), NOW, "WT-3", "RemoveTree") is None
    assert retrying.hold_clean_up(failing(verb="CreateTree"), NOW, "WT-3", "RemoveTree") is None
    transient = retrying.hold_clean_up(failing(), NOW, "WT-3", "RemoveTree")
    assert transient == retrying.hold(failing(), NOW, "WT-3")
    permanent = retrying.hold_clean_up(failing(transient=False), NOW, "WT-3", "RemoveTree")
    assert permanent is not None
    assert (permanent.wake_at, permanent.resting) == (NOW.t + 600.0, True)
    assert permanent.because.unblock == "nothing of it is removed meanwhile"
    assert retrying.hold_clean_up(failing(transient=False), later(599.9), "WT-3", "RemoveTree") is not None
    assert retrying.hold_clean_up(failing(transient=False), later(600.0), "WT-3", "RemoveTree") is None


def test_task_2_what_runs_is_let_be_until_its_time_is_up_and_stopped_once() -> None:
    attempt = Attempt(AttemptId("u.1"), "agent", "claude", NOW, phase=Phase.RUNNING)
    calm = watching.watch(attempt, 60, later(59.9), doing="works")
    assert (calm.do, calm.wake_at, calm.because.text) == (None, NOW.t + 60, "works")
    assert calm.because.evidence == ("attempt u.1",)
    late = watching.watch(attempt, 60, later(60), doing="works")
    assert late.do == actions.CancelAttempt(AttemptId("u.1"), 5.0, "agent claude ran longer than 60s")
    stopped = watching.watch(attempt, 60, NOW, doing="works", stop=watching.Stop("enough", 1.0))
    assert stopped.do == actions.CancelAttempt(AttemptId("u.1"), 1.0, "enough")
    ending = dataclasses.replace(attempt, cancelling=True)
    waiting = watching.watch(ending, 60, later(60), doing="works")
    assert (waiting.do, waiting.wake_at) == (None, None)


# --- what is limited --------------------------------------------------------------------------------------------


def test_task_7_what_the_machine_lacks_is_said_with_its_amounts_and_frees_all_at_once() -> None:
    capacity = Capacity()
    short = MemoryShort(free=3 << 29, wanted=2 << 30)
    assert capacity.observed(short, "").freed == ()
    assert capacity.lacking((), ()) == Key("Host//memory")
    said = capacity.refusal(Key("Host//memory"))
    assert said.text == "1.5 GiB of memory are free, and nothing is started with less than 2.0 GiB"
    assert (said.rule, said.waiting, said.evidence) == ("TASK-7", "Capacity", ("Host//memory",))
    assert not capacity.has_room(Key("Host//memory"))
    assert capacity.observed(short, "disk / is full").freed == ()
    assert capacity.lacking((), ()) == DISK, "the disk is said first: without it nothing can be recorded"
    full = capacity.refusal(DISK)
    assert (full.text, full.waiting) == ("nothing new is begun: disk / is full", "DiskPressure")
    assert full.unblock
    assert full.evidence == (DISK,)
    assert not capacity.has_room(DISK)
    assert capacity.observed(None, "disk / is full").freed == (Key("Host//memory"),)
    assert capacity.observed(None, "disk / is full").freed == ()
    assert capacity.observed(None, "").freed == (DISK,)
    assert capacity.lacking((), ()) is None
    assert capacity.has_room(DISK)
    assert capacity.has_room(Key("Host//memory"))


def test_task_7_a_full_disk_holds_the_start_until_there_is_room() -> None:
    bench = builders.bench(builders.project(), events.DiskPressed(Key("Source//control"), "disk / is full"))
    bench.give(builders.task())
    because = bench.object(TASK).because
    assert because is not None
    assert (because.waiting, bench.object(TASK).task) == ("DiskPressure", None)
    bench.give(events.DiskEased(Key("Source//control")))
    assert builders.body(bench, TASK)["status"]["summary"] == "Merged"


def test_task_7_who_waits_is_told_the_same_as_long_as_that_is_so() -> None:
    """A second limit that is reached meanwhile is no news: the first still holds it."""
    running = worlds.World(exits=lambda effect: None if isinstance(effect, actions.RunAgent) else 0)
    settings = builders.admitted("Settings", "default", {"limits": {"sessions": 2}})
    projects = [
        builders.admitted("Project", "one", {"checks": builders.CHECKS, "limits": {"sessions": 1}}),
        builders.admitted("Project", "two", {"checks": builders.CHECKS}),
    ]
    tasks = [builders.task("a", project="one"), builders.task("b", project="one")]
    bench = builders.bench(settings, *projects, *tasks, world=running)
    told = bench.object("Task/default/b").because
    assert told is not None
    assert "project" in told.text
    bench.give(builders.task("c", project="two"))
    bench.give(dataclasses.replace(builders.task("b", project="one", priority=2), generation=2))
    assert bench.object("Task/default/b").because == told


def test_log_2_a_failed_attempt_to_start_is_lost_and_a_failed_stop_may_be_tried_again() -> None:
    world = worlds.World(fail=lambda do: "transient: busy" if isinstance(do, actions.RunAgent) else "")
    bench = builders.bench(builders.project(), builders.task(), world=world)
    session = bench.object("Session/default/fix-implement-1")
    assert session.session is not None
    attempt = session.session.attempts[0]
    assert (attempt.phase, attempt.reason, attempt.message) == (Phase.LOST, "NotStarted", "busy")
    assert attempt.ended == bench.now
    assert session.failures is not None
    assert (session.failures.verb, session.failures.count, session.failures.transient) == ("RunAgent", 1, True)
    bench.wait(5)
    again = bench.object("Session/default/fix-implement-1")
    assert again.failures is not None
    assert again.failures.count == 2
    world.fail = lambda do: "permanent: no such program" if isinstance(do, actions.RunAgent) else ""
    bench.wait(30)
    last = bench.object("Session/default/fix-implement-1").session
    assert last is not None
    assert last.attempts[2].reason == "CannotStart"
    assert last.attempts[2].id != last.attempts[0].id
    assert ActionKey("") not in bench.machine.state.open
