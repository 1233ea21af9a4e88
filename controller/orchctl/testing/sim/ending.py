"""What must be true once nothing moves any more: every task has come to its end or says by name what it waits for, and
nothing is left over or lost. Here the controller's answers are compared with the world's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchctl.adapters import manifests as loader
from orchctl.core.ids import Key, kind_of, name_of
from orchctl.core.state import Object, State
from orchctl.testing.sim.world import World

if TYPE_CHECKING:
    from orchctl.testing.sim.simulation import Simulation

WAITS = ("Dependency", "Question", "NotImplemented", "AgentNotReady")  # for a person, once nothing goes wrong


def outcomes(state: State) -> tuple[tuple[str, str], ...]:
    tasks = [obj for obj in state.objects.values() if kind_of(obj.key) == "Task"]
    return tuple(sorted((name_of(obj.key), _outcome(obj)) for obj in tasks))


def _outcome(obj: Object) -> str:
    if obj.task is not None and obj.task.ended is not None:
        return f"{obj.task.ended.outcome}/{obj.task.ended.reason}"
    return f"waits/{obj.because.waiting}" if obj.because is not None else "waits"


def unsettled(simulation: Simulation) -> str:
    controller = simulation.controller
    if controller is None:
        return "no controller runs"
    state = controller.machine.state
    moving = [f"{state.objects[key].open}" for key in state.open.values()]
    running = [one.attempt for one in controller.turns.running()]
    said = [f"{obj.key}: {obj.because.text}" for obj in state.objects.values() if obj.because is not None and obj.task]
    return f"open {moving[:2]}, running {running[:3]}, {said[:6]}"


def l1_every_task_ends_or_says_what_it_waits_for(world: World, state: State) -> str | None:
    for obj in state.objects.values():
        if kind_of(obj.key) != "Task" or obj.desired is None or (obj.task is not None and obj.task.ended is not None):
            continue
        waiting = obj.because.waiting if obj.because is not None else ""
        if waiting not in WAITS:
            return f"L1: {obj.key} neither ends nor waits for a person: {obj.because}"
    return None


def l2_what_git_says_is_taken_up(world: World, state: State) -> str | None:
    if state.revision is None or state.revision.commit != world.control.head:
        return f"L2: {world.control.head[:8]} of the control repo was never observed"
    said = _said(world)
    for key, spec in said.items():
        obj = state.objects.get(key)
        if obj is None or obj.desired is None or obj.desired.spec != spec or obj.withdrawn:
            return f"L2: {key} in git is not what is in force"
    for obj in state.objects.values():
        from_git = obj.desired is not None and not obj.desired.path.startswith("builtin:")
        if from_git and obj.key not in said and state.blocked is None:
            return f"L2: {obj.key} is not in git any more, and still here"
    return None


def _said(world: World) -> dict[Key, str]:
    """What the production loader makes of each manifest of the control repo's head."""
    found: dict[Key, str] = {}
    for path, text in world.objects.files_of(world.control.head).items():
        if path.startswith("manifests/"):
            for document in loader.parse(text.encode(), path).documents:
                found[document.key] = document.spec_json
    return found


def l4_no_task_waits_for_a_free_slot(world: World, state: State) -> str | None:
    held = [obj.key for obj in state.objects.values() if obj.because is not None and obj.because.waiting == "Capacity"]
    return f"L4: {held[0]} waits for capacity that nobody uses" if held else None


def i10_nothing_is_left_over(world: World, state: State) -> str | None:
    """Worktrees and rooms on disk are those the controller knows of, and rooms end with their tasks."""
    known = {
        obj.worktree.path for obj in state.objects.values() if obj.worktree is not None and not obj.worktree.removed
    }
    for path, clone in world.clones.items():
        if clone.is_room:
            return f"I10: the room {path} is left over"
        if path not in known:
            return f"I10: the worktree {path} is left over"
    missing = sorted(path for path in known if path and path not in world.clones)
    return f"I10: the worktree {missing[0]} is gone" if missing else None


def i10_merged_work_is_cleaned_up(world: World, state: State) -> str | None:
    for obj in state.objects.values():
        task = obj.task
        if task is None or task.ended is None or task.ended.outcome != "Merged" or task.plan.keep == "Always":
            continue
        left = [path for path, clone in world.clones.items() if clone.branch == task.plan.task_branch]
        if left:
            return f"I10: {obj.key} is merged, and its worktree {left[0]} is still there"
    return None


def i10_no_commit_is_lost(world: World, state: State) -> str | None:
    """What an agent committed is reached by a hub, a project or the worktree it was made in."""
    heads = [head for hub in world.hubs.values() for head in hub.refs.values()]
    heads += [project.head for project in world.projects.values()]
    heads += [clone.head for clone in world.clones.values()]
    kept = dict.fromkeys(world.objects.history(*heads))
    lost = [oid for oid in world.made_in if oid not in kept]
    return f"I10: {lost[0][:8]}, made in {world.made_in[lost[0]]}, is reached by nothing" if lost else None


def i14_nothing_runs_on(world: World, state: State) -> str | None:
    living = world.living()
    return f"I14: {living[0].attempt} still runs in {living[0].cwd}" if living else None


def i4_merged_tasks_have_landed(world: World, state: State) -> str | None:
    """What is said to be merged is on the target, and nothing else landed."""
    for obj in state.objects.values():
        task = obj.task
        if task is None or task.landed is None:
            continue
        if not any(landed.after == task.landed for landed in world.landings):
            return f"I4: {obj.key} is said to be merged as {task.landed[:8]}, which never landed"
    return None


def x1_nothing_is_stalled(state: State) -> str | None:
    stalled = [obj for obj in state.objects.values() if obj.stalled]
    return f"X1: {stalled[0].key} is stalled: {stalled[0].stalled}" if stalled else None


AT_THE_END: tuple[Callable[[World, State], str | None], ...] = (
    l1_every_task_ends_or_says_what_it_waits_for,
    l2_what_git_says_is_taken_up,
    l4_no_task_waits_for_a_free_slot,
    i10_nothing_is_left_over,
    i10_merged_work_is_cleaned_up,
    i10_no_commit_is_lost,
    i14_nothing_runs_on,
    i4_merged_tasks_have_landed,
)
