"""What was begun is removed, also when making it is known to have failed: an earlier call may have gone through."""

from orchctl.core import actions, events
from orchctl.testing import worlds
from tests.unit.core import builders


def failing(kind: type[actions.Effect]) -> worlds.World:
    return worlds.World(fail=lambda effect: "permanent: broken" if isinstance(effect, kind) else "")


def removed(made: worlds.Bench) -> list[str]:
    return [do.name for do in made.world.done if isinstance(do, actions.RemoveTree)]


def test_wt3_a_room_that_may_be_there_goes_with_its_task():
    made = builders.bench(builders.project(), builders.task(), world=failing(actions.CreateRoom))
    task = made.object("Task/default/fix").task
    assert task is not None
    assert task.ended is not None
    assert task.ended.reason == "CreateRoomFailed"
    assert any(name.startswith("room-") for name in removed(made))


def test_wt3_a_worktree_that_may_be_there_goes_with_its_task():
    made = builders.bench(builders.project(), builders.task(), world=failing(actions.CreateTree))
    worktree = made.object("Worktree/default/fix").worktree
    assert worktree is not None
    assert worktree.removed is not None
    assert len(removed(made)) == 1


def test_wt3_a_worktree_nobody_began_to_make_needs_no_removing():
    made = builders.bench(builders.project(), builders.task(), world=failing(actions.SyncHub))
    assert removed(made) == []


def test_wt2_work_that_could_not_be_committed_is_tried_again_less_and_less_often():
    tries = 5

    def exits(effect: actions.Effect) -> int:
        unfinished = isinstance(effect, actions.CommitLeftovers) and len(commits(made.world)) < tries
        return 3 if unfinished else 1 if isinstance(effect, actions.RunAgent) else 0

    made = builders.bench()
    made.world.exits = exits
    made.give(builders.project(worktrees={"keep": "Never"}), builders.task(pipeline="once"), once())
    worktree = made.object("Worktree/default/fix")
    assert worktree.because is not None
    assert "could not be committed" in worktree.because.text
    assert made.machine.rests, "only a person can help, so nobody stays awake for it"
    before = len(commits(made.world))
    made.wait(599.0)
    assert len(commits(made.world)) == before
    for seconds in (2.0, 1_201.0, 2_401.0):
        made.wait(seconds)
    found = made.object("Worktree/default/fix").worktree
    assert found is not None
    assert found.removed is not None


def commits(world: worlds.World) -> list[actions.Effect]:
    return [do for do in world.done if isinstance(do, actions.CommitLeftovers)]


def once() -> events.Event:
    return builders.admitted("Pipeline", "once", {"stages": [{"name": "implement", "role": "coder"}]})
