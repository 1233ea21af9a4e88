"""What was begun is removed, also when making it is only known to have failed: an earlier call may have gone through."""

from orchctl.core import actions
from tests.unit.core import builders
from orchctl.testing import worlds


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
