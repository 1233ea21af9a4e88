"""What people do meanwhile: to manifests, to the projects, to what waits for their word. Once the story is over they
mend what they broke, so that every task can come to an end.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from orchctl.core.ids import Oid
from orchctl.testing.sim import manifests, scenario
from orchctl.testing.sim.scenario import Act, Story
from orchctl.testing.sim.world import Repository, World

FOLDERS = ("manifests", "manifests/later", "manifests/a/b")


class People:
    def __init__(self, world: World, story: Story, confirm: Callable[[], None], moved: Callable[[], None]) -> None:
        self._world = world
        self._story = story
        self._say_so = confirm  # says that what is blocked is meant
        self._moved = moved  # somebody may want to know that the control repo moved
        self._first = dict(world.objects.files_of(world.control.head))

    def plan(self) -> None:
        for act in self._story.acts():
            self._world.agenda.at(act.at, f"person {act.number} {act.what}", functools.partial(self._do, act))

    def mend(self) -> None:
        """Everything of the story's start is there again and can be read; nothing is dirty."""
        files = dict(self._world.objects.files_of(self._world.control.head))
        first = {path.rpartition("/")[2]: text for path, text in self._first.items()}
        for path, text in self._first.items():
            if path.startswith("manifests/") and not self._named(files, path):
                files[path] = text
        for path in [path for path in files if path.startswith("manifests/dup") or path.endswith("-broken.yaml")]:
            del files[path]
        for path, text in list(files.items()):
            if path.startswith("manifests/") and _is_broken(text):
                files[path] = first[path.rsplit("/", 1)[1]]
        for repository in self._world.projects.values():
            repository.dirty.clear()
        for clone in self._world.clones.values():
            clone.unfinished = False
        self._commit(files, "mended")

    def _named(self, files: dict[str, str], path: str) -> str | None:
        """The path that holds this file now, wherever it was moved to."""
        name = path.rpartition("/")[2]
        return next((one for one in files if one.startswith("manifests/") and one.endswith(f"/{name}")), None)

    # --- acts ---------------------------------------------------------------------------------------------------

    def _do(self, act: Act) -> None:
        files = dict(self._world.objects.files_of(self._world.control.head))
        doing = getattr(self, f"_{act.what}")
        changed = doing(act, files)
        if changed is not None:
            self._commit(changed, f"{act.what} {act.number}")

    def _commit(self, files: dict[str, str], message: str) -> None:
        control = self._world.control
        if dict(self._world.objects.files_of(control.head)) != files:
            control.head = self._world.objects.commit(files, (control.head,), message)
            self._moved()

    def _task(self, act: Act) -> str | None:
        names = self._story.tasks()
        return self._world.chance.one_of(names, "whom", act.number) if names else None

    def _place(self, act: Act, files: dict[str, str]) -> tuple[str | None, str | None]:
        """A task and where it is."""
        name = self._task(act)
        return name, self._named(files, f"manifests/{name}.yaml") if name is not None else None

    def _redraft(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        name, path = self._place(act, files)
        if name is None or path is None:
            return None
        return files | {path: scenario.task_text(self._world.chance, name, 1 + act.number % 3)}

    def _delete(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        path = self._place(act, files)[1]
        return {one: text for one, text in files.items() if one != path}

    def _restore(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        back = {path: text for path, text in self._first.items() if not self._named(files, path) and "/" in path}
        return files | back

    def _rename(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        path = self._place(act, files)[1]
        if path is None:
            return None
        text = files.pop(path)
        return files | {f"{FOLDERS[act.number % len(FOLDERS)]}/{path.rsplit('/', 1)[1]}": text}

    def _break(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        name, path = self._place(act, files)
        broken = self._world.chance.one_of(manifests.BROKEN, "broken", act.number).format(name=name or "x")
        return files | {path or "manifests/x-broken.yaml": broken}

    def _duplicate(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        name, path = self._place(act, files)
        if name is None or path is None:
            return None
        return files | {f"manifests/dup-{name}.yaml": scenario.task_text(self._world.chance, name, 7)}

    def _recheck(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        chance = self._world.chance
        name = chance.one_of(scenario.projects_of(chance), "which project", act.number)
        checks = chance.one_of(manifests.CHECKS, "new checks", act.number)
        scenario.note_project(self._world, name, checks)
        return files | {f"manifests/projects/{name}.yaml": scenario.project_text(chance, name, checks)}

    def _unconfigure(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        """Takes something away that tasks refer to."""
        gone = self._world.chance.one_of(("pipelines/quick", "agents/worker", "projects/shop"), "gone", act.number)
        return {path: text for path, text in files.items() if path != f"manifests/{gone}.yaml"}

    def _push(self, act: Act, files: dict[str, str]) -> None:
        target, world = self._target(act), self._world
        path = world.chance.one_of(("shared.txt", "README", f"notes/{act.number}.txt"), "pushed", act.number)
        pushed = dict(world.objects.files_of(target.head)) | {path: f"a person, {act.number}"}
        target.head = world.objects.commit(pushed, (target.head,), f"by hand {act.number}")
        if target is world.control:
            self._moved()

    def _dirty(self, act: Act, files: dict[str, str]) -> None:
        path = self._world.chance.one_of(("shared.txt", "src/t0.py", "src/t1.py", "README"), "dirtied", act.number)
        self._target(act).dirty[path] = "half-done"

    def _clean(self, act: Act, files: dict[str, str]) -> None:
        self._target(act).dirty.clear()

    def _target(self, act: Act) -> Repository:
        targets = list(self._world.projects.values())
        return self._world.chance.one_of(targets, "which target", act.number)

    def _rewrite(self, act: Act, files: dict[str, str]) -> None:
        """The control branch is forced to an earlier state under a history of its own; what was there is collected."""
        world, control = self._world, self._world.control
        history = list(world.objects.history(control.head))
        earlier = world.chance.one_of(history, "earlier", act.number)
        if any(landed.after in history for landed in world.landings):
            earlier = control.head  # merged work is not thrown away with it
        files = dict(world.objects.files_of(earlier))
        control.head = world.objects.commit(files, (), f"rewritten {act.number}")
        if act.number % 2:
            control.gone.update(dict.fromkeys(Oid(one) for one in history))
        self._moved()

    def _wipe(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        share = self._world.chance.one_of((0.6, 0.8, 1.0), "share", act.number)
        listed = sorted(path for path in files if path.startswith("manifests/"))
        gone = dict.fromkeys(listed[: round(len(listed) * share)])
        return {path: text for path, text in files.items() if path not in gone}

    def _confirm(self, act: Act, files: dict[str, str]) -> dict[str, str] | None:
        self._say_so()
        return None


def _is_broken(text: str) -> bool:
    return not text.startswith("apiVersion") or "promt" in text or "prompt: 5" in text or "*a" in text
