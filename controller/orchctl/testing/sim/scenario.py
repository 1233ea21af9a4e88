"""What a seed is about: the manifests at the start, the repositories, and what people will do and when.

All of it is a function of the seed and of what is left out, so the same seed is the same story everywhere. Parts are
named (`task:t3`, `act:5`, `fault:late`); `without` names those to leave out.
"""

from __future__ import annotations

import dataclasses

from orchctl.testing.sim import manifests
from orchctl.testing.sim.agenda import Agenda
from orchctl.testing.sim.chance import Chance
from orchctl.testing.sim.faults import FAULTS, Swarm
from orchctl.testing.sim.objects import Objects
from orchctl.testing.sim.world import Repository, World

STORY_S = 1_500.0  # of the first phase, in which things go wrong
ACTS_MAX = 10
TASKS = (2, 7)

ACTS = (
    ("redraft", 3),
    ("delete", 3),
    ("restore", 4),
    ("rename", 2),
    ("break", 2),
    ("duplicate", 1),
    ("recheck", 2),
    ("push", 3),
    ("dirty", 3),
    ("clean", 2),
    ("rewrite", 2),
    ("wipe", 1),
    ("confirm", 2),
    ("unconfigure", 1),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Act:
    """One thing a person does, at some time."""

    number: int
    at: float
    what: str


@dataclasses.dataclass(frozen=True, slots=True)
class Story:
    seed: int
    without: frozenset[str] = frozenset()
    calm: bool = False  # nothing goes wrong and nobody does anything
    hostile: bool = False  # there are objects besides that are invalid, or fail in every way

    def chance(self) -> Chance:
        return Chance(self.seed)

    def acts(self) -> list[Act]:
        if self.calm:
            return []
        chance = self.chance()
        count = chance.whole(0, ACTS_MAX, "acts")
        found = [
            Act(number, chance.between(0.0, STORY_S, "act at", number), chance.weighted(ACTS, "act", number))
            for number in range(count)
        ]
        return [act for act in found if f"act:{act.number}" not in self.without]

    def tasks(self) -> list[str]:
        chance = self.chance()
        names = [f"t{number}" for number in range(chance.whole(*TASKS, "tasks"))]
        return [name for name in names if f"task:{name}" not in self.without]

    def parts(self) -> list[str]:
        """All that could be left out."""
        swarm = Swarm(self.chance(), self.without_faults())
        faults = [] if self.calm else [f"fault:{name}" for name in swarm.rates]
        return [
            *faults,
            *(f"act:{act.number}" for act in self.acts()),
            *(f"task:{name}" for name in self.tasks()),
        ]

    def without_faults(self) -> frozenset[str]:
        return frozenset(name for name in FAULTS if f"fault:{name}" in self.without)


def world_of(story: Story) -> World:
    chance = story.chance()
    objects = Objects()
    control = Repository("control", "main", objects.commit(_control_files(story), (), "control"))
    world = World(
        seed=story.seed,
        chance=chance,
        agenda=Agenda(chance),
        swarm=Swarm(chance, story.without_faults(), calm=story.calm),
        objects=objects,
        control=control,
        projects={".": control},
        runs_max=manifests.RUNS_MAX,
        protected=manifests.PROTECTED,
    )
    for name in projects_of(chance):
        note_project(world, name, manifests.CHECKS[_checks_of(chance, name)])
        if name != "site":
            first = objects.commit({"README": name, "shared.txt": "shared", "src/main.py": "main"}, (), name)
            world.projects[f"/repos/{name}"] = Repository(name, "main", first)
    return world


def projects_of(chance: Chance) -> list[str]:
    return [["shop"], ["shop"], ["shop", "site"], ["shop", "bank"], ["site"]][chance.whole(0, 4, "projects")]


def limit_of(chance: Chance, name: str) -> int:
    return chance.whole(1, 3, "limit", name)


def _checks_of(chance: Chance, name: str) -> int:
    return chance.whole(0, len(manifests.CHECKS) - 1, "checks", name)


def project_text(chance: Chance, name: str, checks: tuple[str, ...]) -> str:
    keep = chance.one_of(("OnFailure", "Always", "Never"), "keep", name)
    return manifests.project(name, checks, limit=limit_of(chance, name), keep=keep)


def note_project(world: World, name: str, checks: tuple[str, ...]) -> None:
    """For the oracles: what a manifest of this project has said at some time."""
    world.limits[f"default/{name}"] = limit_of(world.chance, name)
    world.checks.setdefault(f"default/{name}", {})[checks] = None


def _control_files(story: Story) -> dict[str, str]:
    chance = story.chance()
    names = projects_of(chance)
    files = {"README": "control", "manifests/agents/worker.yaml": manifests.agent("worker")}
    for name in manifests.PIPELINES:
        files[f"manifests/pipelines/{name}.yaml"] = manifests.pipeline(name)
    for name in names:
        checks = manifests.CHECKS[_checks_of(chance, name)]
        files[f"manifests/projects/{name}.yaml"] = project_text(chance, name, checks)
    for name in story.tasks():
        files[f"manifests/{name}.yaml"] = task_text(chance, name, 0)
    return files | (_hostile_files() if story.hostile else {})


def _hostile_files() -> dict[str, str]:
    """Manifests nobody can read, and tasks that cannot go well, in a project that is not there."""
    files = {
        f"manifests/hostile/{number}.yaml": text.format(name=f"hostile{number}")
        for number, text in enumerate(manifests.BROKEN)
    }
    files["manifests/hostile/project.yaml"] = manifests.project("hostile", ("make test",), limit=2, keep="Always")
    for pipeline in ("quick", "missing"):
        files[f"manifests/hostile/{pipeline}.yaml"] = manifests.task(f"hostile-{pipeline}", "hostile", pipeline)
    return files


def task_text(chance: Chance, name: str, draft: int) -> str:
    project = chance.one_of(projects_of(chance), "project of", name)
    pipeline = chance.weighted((("quick", 5), ("chain", 3), ("report", 1), ("strict", 2)), "pipeline of", name)
    return manifests.task(name, project, pipeline, draft=draft)
