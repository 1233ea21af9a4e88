"""What must never be seen in the world, whatever goes wrong: one small function for each, with the invariant's id.

They look at processes, repositories and worktrees as they are, never at what the controller believes. Each gives a
complaint or None. The invariants are those of docs/simulator.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchctl.core import actions, capacity, events
from orchctl.core.state import State
from orchctl.kit import backoff, globs
from orchctl.testing.sim.objects import differing
from orchctl.testing.sim.world import Landed, Process, World

# --- when a process starts ------------------------------------------------------------------------------------------


def i1_one_writer_in_a_place(world: World, process: Process) -> str | None:
    others = [one for one in world.living() if one.cwd == process.cwd]
    if others:
        return f"I1: {process.attempt} starts in {process.cwd} while {others[0].attempt} works there"
    return None


def i1_it_has_a_place(world: World, process: Process) -> str | None:
    if process.cwd not in world.clones:
        return f"I1: {process.attempt} starts in {process.cwd}, which is not there"
    return None


def i2_sessions_in_all(world: World, process: Process) -> str | None:
    count = len(world.living("agent")) + 1
    if process.purpose == "agent" and count > capacity.SESSIONS_MAX:
        return f"I2: {count} agents run, {capacity.SESSIONS_MAX} may"
    return None


def i2_sessions_of_a_project(world: World, process: Process) -> str | None:
    if process.purpose != "agent":
        return None
    project = project_of(process.cwd)
    count = sum(1 for one in world.living("agent") if project_of(one.cwd) == project) + 1
    limit = world.limits.get(project, capacity.PROJECT_SESSIONS_MAX)
    return f"I2: {count} agents of {project} run, {limit} may" if count > limit else None


def i3_one_process_for_a_run(world: World, process: Process) -> str | None:
    """Of a task's stage in a cycle. One that was reported as never started, and so was ended, does not count."""
    if process.purpose != "agent":
        return None
    before = [one for one in world.processes.values() if _run_of(one) == _run_of(process) and not one.disowned]
    if before:
        return f"I3: {process.attempt} is a second run of what {before[0].attempt} did"
    return None


def i14_no_more_runs_than_allowed(world: World, process: Process) -> str | None:
    """The stages are run again for as often as a task may try in all."""
    number = int(process.env.get("ORCH_ATTEMPT_NUMBER", "1")) if process.purpose == "agent" else 1
    if number > world.runs_max:
        return f"I14: {process.attempt} is run {number} of its task, {world.runs_max} are allowed"
    return None


def _run_of(process: Process) -> tuple[str, str | None, str | None]:
    stage = process.env.get("ORCH_STAGE") if process.purpose == "agent" else process.attempt
    return (process.cwd, stage, process.env.get("ORCH_ATTEMPT_NUMBER"))


def project_of(path: str) -> str:
    """`/trees/<namespace>/<project>/<name>`."""
    return path.split("/", 2)[2].rpartition("/")[0]


AT_A_START: tuple[Callable[[World, Process], str | None], ...] = (
    i1_one_writer_in_a_place,
    i1_it_has_a_place,
    i2_sessions_in_all,
    i2_sessions_of_a_project,
    i3_one_process_for_a_run,
    i14_no_more_runs_than_allowed,
)

# --- when places are read or removed --------------------------------------------------------------------------------


def i1_nothing_is_taken_while_it_is_written(world: World, path: str) -> str | None:
    writers = [one for one in world.living() if one.cwd == path]
    return f"I1: {path} is read while {writers[0].attempt} writes there" if writers else None


def i1_nothing_is_removed_while_it_is_used(world: World, path: str) -> str | None:
    users = [one for one in world.living() if one.cwd == path]
    return f"I1: {path} is removed under {users[0].attempt}" if users else None


def i10_nothing_is_lost_by_removing(world: World, path: str) -> str | None:
    """Neither a commit that only this worktree reaches nor a file that is in no commit (WT-2)."""
    clone = world.clones.get(path)
    if clone is None or clone.is_room:
        return None
    dirty = differing(world.objects.files_of(clone.head), clone.files)
    if dirty:
        return f"I10: {path} is removed with uncommitted changes in {', '.join(dirty)}"
    if not _is_kept(world, clone.head):
        return f"I10: {path} is removed with {clone.head[:8]}, which nothing else reaches"
    return None


def _is_kept(world: World, commit: str) -> bool:
    heads = [head for hub in world.hubs.values() for head in hub.refs.values()]
    heads += [project.head for project in world.projects.values()]
    return any(one == commit for one in world.objects.history(*heads))


# --- when the target moves ------------------------------------------------------------------------------------------


def i4_the_target_moves_by_one_merge(world: World, landed: Landed) -> str | None:
    parents = world.objects.commits[landed.after].parents
    if parents != (landed.before,):
        return f"I4: {landed.project} moved from {landed.before[:8]} to {landed.after[:8]}, which is not on top of it"
    return None


def i4_a_task_lands_once(world: World, landed: Landed) -> str | None:
    """By the worktree its work was made in, which is one a task."""
    place = world.made_in.get(landed.work)
    again = [one for one in world.landings if world.made_in.get(one.work) == place]
    return f"I4: {landed.task} landed twice, as {again[0].after[:8]} and {landed.after[:8]}" if again else None


def i5_it_was_verified(world: World, landed: Landed) -> str | None:
    """All checks the project ever said at one time passed on exactly the tree that lands."""
    tree = world.objects.commits[landed.after].tree
    said = world.checks.get(landed.project, {})
    if any(all(True in world.verdicts.get((run, tree), {}) for run in runs) for runs in said if runs):
        return None
    return f"I5: {landed.task} landed {landed.after[:8]}, whose tree {tree[:8]} no check has passed on"


def app7_nothing_protected_is_changed(world: World, landed: Landed) -> str | None:
    changed = world.objects.changed(landed.before, landed.after)
    hit = [path for path in changed for glob in world.protected if globs.matches(path, glob)]
    return f"APP-7: {landed.task} landed a change of {hit[0]}" if hit else None


def mrg5_dirty_files_are_spared(world: World, landed: Landed) -> str | None:
    target = next(one for one in world.projects.values() if one.head == landed.after)
    hit = [path for path in world.objects.changed(landed.before, landed.after) if path in target.dirty]
    return f"MRG-5: {landed.task} landed over uncommitted changes in {hit[0]}" if hit else None


AT_A_LANDING: tuple[Callable[[World, Landed], str | None], ...] = (
    i4_the_target_moves_by_one_merge,
    i4_a_task_lands_once,
    i5_it_was_verified,
    app7_nothing_protected_is_changed,
    mrg5_dirty_files_are_spared,
)

# --- when objects leave ---------------------------------------------------------------------------------------------


def git5_not_too_many_leave_at_once(before: State, batch: Sequence[events.Recorded]) -> str | None:
    """Unless a person has said of just these that they may. Where others come at once, it is not emptied."""
    here = [obj for obj in before.objects.values() if obj.desired is not None and not obj.withdrawn]
    present = dict.fromkeys(obj.key for obj in here if obj.desired and not obj.desired.path.startswith("builtin:"))
    leaving = [one.event.key for one in batch if isinstance(one.event, events.ObjectWithdrawn)]
    count = sum(1 for key in leaving if key in present)
    admitted = [one.event for one in batch if isinstance(one.event, events.ObjectAdmitted)]
    arriving = [one for one in admitted if one.key not in before.objects and not one.path.startswith("builtin:")]
    emptied = count > 0 and count == len(present) and not arriving
    too_many = emptied or (len(present) > 10 and count * 2 > len(present))
    if not too_many or (before.blocked is not None and before.blocked.confirmed):
        return None
    return f"GIT-5: {count} of {len(present)} objects left at once, and nobody said that they may"


# --- when something is tried again ----------------------------------------------------------------------------------


class CallLog:
    """Which effects failed last, and when; forgotten when a controller starts, as it tries what is open at once."""

    def __init__(self) -> None:
        self._failed: dict[tuple[str, str], float] = {}

    def note(self, action: actions.Action, at: float, *, failed: bool) -> None:
        if failed:
            self._failed[action.object, action.do.verb] = at
        else:
            self._failed.pop((action.object, action.do.verb), None)

    def i14_waits_after_a_failure(self, action: actions.Action, at: float) -> str | None:
        before = self._failed.get((action.object, action.do.verb))
        if before is not None and at - before < backoff.FIRST_S and not isinstance(action.do, actions.CancelAttempt):
            return f"I14: {action.do.verb} of {action.object} is tried again {at - before:.3f}s after it failed"
        return None
