"""The Workspace port over the world's values: what real git promises, and nothing more helpful than that.

A ref moves only from the value that was named, a merge conflicts by path, a landing spares what is dirty, and whatever
is done again finds what was done. Each call passes the faults on its way in and out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchctl.core import ports
from orchctl.core.ids import Oid
from orchctl.testing.sim import oracles
from orchctl.testing.sim.objects import differing
from orchctl.testing.sim.world import Clone, Hub, Landed, Repository, World


class Workspace:
    """Of one run of a controller. The world outlives it."""

    def __init__(self, world: World, alive: Callable[[], None]) -> None:
        self._world = world
        self._alive = alive

    @contextmanager
    def _call(self, what: str, subject: str, *, remote: str = "") -> Iterator[None]:
        self._alive()
        swarm = self._world.swarm
        swarm.enter(what, subject)
        swarm.trouble("busy-git", "broken-git", what, subject)
        if remote and self._world.offline(remote):
            raise ports.TransientError(f"{remote} cannot be reached")
        yield
        swarm.leave(what, subject)

    def _repository(self, repo: str) -> Repository:
        found = self._world.projects.get(repo)
        if found is None:
            raise ports.PermanentError(f"there is no repository at {repo}")
        return found

    def _hub(self, project: str) -> Hub:
        hub = self._world.hubs.get(project)
        if hub is None:
            raise ports.PermanentError(f"the project {project} has no hub yet; it has to be synced first")
        return hub

    def _clone(self, path: str) -> Clone:
        clone = self._world.clones.get(path)
        if clone is None:
            raise ports.PermanentError(f"the worktree {path} is gone")
        return clone

    # --- the port -----------------------------------------------------------------------------------------------

    def sync(self, project: str, repo: str, branch: str) -> ports.Synced:
        with self._call("sync", project, remote=repo):
            source = self._repository(repo)
            if branch != source.branch:
                raise ports.PermanentError(f"{repo} has no branch {branch}")
            hub = self._world.hubs.setdefault(project, Hub())
            hub.refs[f"refs/remotes/origin/{branch}"] = source.head
            return ports.Synced(source.head, self._world.objects.commits[source.head].tree)

    def create_tree(self, project: str, name: str, branch: str, commit: Oid) -> str:
        path = tree_path(project, name)
        with self._call("create_tree", path):
            self._hub(project)
            if path not in self._world.clones:
                files = dict(self._world.objects.files_of(commit))
                self._world.clones[path] = Clone(path, project, branch, commit, files)
            return path

    def tree_path(self, project: str, name: str) -> str | None:
        path = tree_path(project, name)
        return path if path in self._world.clones else None

    def import_work(self, project: str, name: str, ref: str, base: Oid) -> ports.Imported:
        path = tree_path(project, name)
        with self._call("import_work", path):
            clone, objects = self._clone(path), self._world.objects
            self._world.complain(oracles.i1_nothing_is_taken_while_it_is_written(self._world, path))
            self._hub(project).refs[ref] = clone.head
            known = dict.fromkeys(objects.history(base))
            commits = sum(1 for one in objects.history(clone.head) if one not in known)
            tree = objects.commits[clone.head].tree
            return ports.Imported(clone.head, tree, objects.changed(base, clone.head), commits)

    def move_branch(self, project: str, branch: str, new: Oid) -> None:
        with self._call("move_branch", f"{project} {branch}"):
            self._hub(project).refs[f"refs/heads/{branch}"] = new

    def drop_branch(self, project: str, branch: str) -> None:
        with self._call("drop_branch", f"{project} {branch}"):
            self._hub(project).refs.pop(f"refs/heads/{branch}", None)

    def create_room(self, project: str, name: str, commit: Oid) -> str:
        path = room_path(project, name)
        with self._call("create_room", path):
            self._world.complain(oracles.i1_nothing_is_removed_while_it_is_used(self._world, path))
            files = dict(self._world.objects.files_of(commit))
            self._world.clones[path] = Clone(path, project, "", commit, files)
            return path

    def merge(
        self, project: str, target: Oid, head: Oid, message: str, by: ports.Identity
    ) -> ports.Merged | ports.Conflicted:
        with self._call("merge", project):
            objects = self._world.objects
            merged = objects.merged(target, head)
            if isinstance(merged, tuple):
                return ports.Conflicted(merged)
            commit = objects.commit(merged, (target,), f"{message}\n@{by.at}")
            return ports.Merged(commit, objects.commits[commit].tree, objects.changed(target, commit))

    def land(self, project: str, repo: str, branch: str, new: Oid, old: Oid) -> ports.Landing:
        with self._call("land", project, remote=repo):
            target = self._repository(repo)
            if self._world.objects.contains(target.head, new):
                return ports.Landing(ports.LandResult.LANDED)
            if not self.still_at(target, old):
                return ports.Landing(ports.LandResult.MOVED)
            dirty = self._dirty(target, new)
            if dirty:
                return ports.Landing(ports.LandResult.DIRTY, dirty)
            before, target.head = target.head, new
            self._landed(project, before, new)
            return ports.Landing(ports.LandResult.LANDED)

    def still_at(self, target: Repository, old: Oid) -> bool:
        """The comparison of the compare-and-swap."""
        return target.head == old

    def _landed(self, project: str, before: Oid, after: Oid) -> None:
        world = self._world
        said = dict(line.split(": ", 1) for line in world.objects.commits[after].message.splitlines() if ": " in line)
        landed = Landed(project, before, after, said.get("Task", ""), Oid(said.get("Work", "")), world.agenda.now)
        world.complain(*(judge(world, landed) for judge in oracles.AT_A_LANDING))
        world.landings.append(landed)

    def blocked_by(self, project: str, repo: str, branch: str, new: Oid, old: Oid) -> tuple[str, ...]:
        with self._call("blocked_by", project, remote=repo):
            target = self._repository(repo)
            return self._dirty(target, new) if target.head == old else ()

    def _dirty(self, target: Repository, new: Oid) -> tuple[str, ...]:
        return tuple(path for path in self._world.objects.changed(target.head, new) if path in target.dirty)

    def salvage(self, project: str, name: str, ref_prefix: str) -> tuple[str, ...]:
        path = tree_path(project, name)
        with self._call("salvage", path):
            clone = self._clone(path)
            self._world.complain(oracles.i1_nothing_is_taken_while_it_is_written(self._world, path))
            kept = (f"{ref_prefix}/HEAD", f"{ref_prefix}/heads/{clone.branch}")
            self._hub(project).refs.update(dict.fromkeys(kept, clone.head))
            return kept

    def remove_tree(self, project: str, name: str) -> None:
        for path in (tree_path(project, name), room_path(project, name)):
            with self._call("remove_tree", path):
                self._world.complain(
                    oracles.i1_nothing_is_removed_while_it_is_used(self._world, path),
                    oracles.i10_nothing_is_lost_by_removing(self._world, path),
                )
                self._world.clones.pop(path, None)


def tree_path(project: str, name: str) -> str:
    return f"/trees/{project}/{name}"


def room_path(project: str, name: str) -> str:
    return f"/rooms/{project}/{name}"


def is_dirty(world: World, clone: Clone) -> tuple[str, ...]:
    """The paths of a clone that are in no commit."""
    return differing(world.objects.files_of(clone.head), clone.files)
