"""Processes under shims, in virtual time: they start at most once for an id, outlive every controller, and are agents
of all sorts, checks, or commits of what an agent left.
"""

from __future__ import annotations

from collections.abc import Callable

from orchctl.core import ports
from orchctl.core.ids import AttemptId
from orchctl.core.ports import Phase
from orchctl.testing.sim import oracles
from orchctl.testing.sim.world import Clone, Process, World

# what an agent is like -> how often one is
SORTS = (
    ("ok", 8),
    ("committing", 3),
    ("failing", 2),
    ("hanging", 2),
    ("slow", 2),
    ("flooding", 1),
    ("lying", 1),
    ("conflicting", 3),
    ("protected", 1),
    ("breaking", 3),  # its work fails the checks
    ("unfinished", 1),  # leaves a merge it has not ended
    ("missing", 1),  # its program is not there
)
FLOOD_BYTES = 64 * 1024 * 1024


class Machine:
    """Starts and ends processes, and lets them do what they do."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, spec: ports.AttemptSpec) -> Process:
        world = self._world
        clone = world.clones.get(spec.cwd)
        process = Process(spec.attempt, purpose_of(spec), spec.cwd, spec.argv, dict(spec.env), world.agenda.now)
        if process.purpose == "check" and clone is not None:
            process.tree = world.objects.tree(clone.files)
        world.complain(*(judge(world, process) for judge in oracles.AT_A_START))
        world.processes[spec.attempt] = process
        whose = clone.branch if clone is not None and clone.branch else process.env.get("ORCH_TASK", "")
        process.subject = f"{process.purpose} of {whose} in {process.env.get('ORCH_STAGE')}"
        process.subject += f", {world.nth(process.subject)}"
        world.trace(f"process {spec.attempt} {process.purpose} in {spec.cwd}")
        lives_s = self._lives_s(process)
        agenda = world.agenda
        agenda.after(lives_s / 2, f"works {spec.attempt}", lambda: self._work(process))
        if world.swarm.strikes("lost", process.subject):
            agenda.after(lives_s * 0.7, f"lost {spec.attempt}", lambda: self.end(process, Phase.LOST, None))
        agenda.after(lives_s, f"exits {spec.attempt}", lambda: self._exit(process))
        return process

    def end(self, process: Process, phase: Phase, code: int | None) -> None:
        if process.lives:
            process.phase, process.exit_code, process.ended = phase, code, self._world.agenda.now
            self._world.trace(f"ended {process.attempt} {phase}")
            for tell in self._world.told:
                tell(process)

    def end_all(self) -> None:
        """The machine restarts."""
        for process in self._world.living():
            self.end(process, Phase.LOST, None)

    # --- what they do -------------------------------------------------------------------------------------------

    def sort_of(self, process: Process) -> str:
        """By who works, on what, the how manieth time: the same whatever else happens."""
        about = (process.env.get("ORCH_TASK"), process.env.get("ORCH_STAGE"), process.env.get("ORCH_ATTEMPT_NUMBER"))
        if process.argv[0] != "agent":
            return process.argv[0]
        return self._world.chance.weighted(SORTS, "agent", *about)

    def _lives_s(self, process: Process) -> float:
        chance, subject = self._world.chance, process.subject
        if process.purpose == "commit":
            return chance.between(0.2, 3.0, "commits", subject)
        if process.purpose == "check":
            hangs = process.argv[2].endswith("slowly") and chance.happens(0.3, "hangs", subject)
            return 10_000.0 if hangs else chance.between(1.0, 30.0, "checks", subject)
        sort = self.sort_of(process)
        if sort == "hanging":
            return 100_000.0
        if sort == "missing":
            return 0.1
        return chance.between(5.0, 250.0 if sort == "slow" else 60.0, "works", subject)

    def _work(self, process: Process) -> None:
        """Half-way, something is written that is in no commit yet."""
        clone = self._world.clones.get(process.cwd)
        if not process.lives or clone is None:
            return
        if process.purpose == "check":
            clone.files["build/report.txt"] = "of a check"  # no later one may judge this room
        if process.purpose != "agent":
            return
        sort, task = self.sort_of(process), process.env.get("ORCH_TASK", "")
        said = f"{task} {process.env.get('ORCH_STAGE')} {process.env.get('ORCH_ATTEMPT_NUMBER')}"
        if sort in ("lying", "missing"):
            return
        if sort == "conflicting":
            clone.files["shared.txt"] = said
        if sort == "protected":
            clone.files["ci/deploy.sh"] = said
        if sort == "flooding":
            process.output_bytes = FLOOD_BYTES
        clone.files[f"src/{task}.py"] = f"{said} bad" if sort == "breaking" else said
        clone.unfinished = sort == "unfinished" and self._world.swarm.raging

    def _exit(self, process: Process) -> None:
        clone = self._world.clones.get(process.cwd)
        if not process.lives:
            return
        if clone is None:
            code = 1
        elif process.purpose == "commit":
            code = self._commit(process, clone, "left over")
        elif process.purpose == "check":
            code = self._check(process)
        else:
            code = self._agent(process, clone)
        self.end(process, Phase.SUCCEEDED if code == 0 else Phase.FAILED, code)

    def _agent(self, process: Process, clone: Clone) -> int:
        sort = self.sort_of(process)
        if sort == "committing":
            self._commit(process, clone, f"by {process.attempt}")
        return {"failing": 1, "missing": 127}.get(sort, 0)

    def _commit(self, process: Process, clone: Clone, message: str) -> int:
        world = self._world
        if clone.unfinished:
            return 3
        if world.objects.tree(clone.files) != world.objects.commits[clone.head].tree:
            clone.head = world.objects.commit(clone.files, (clone.head,), f"{message}\nin {clone.path}")
            world.made_in.setdefault(clone.head, clone.path)
        return 0

    def _check(self, process: Process) -> int:
        """Its verdict is a function of what lies in the room, or of chance for one that is flaky."""
        assert process.tree is not None
        world, command = self._world, process.argv[2]
        passed = not any("bad" in text for text in world.objects.trees[process.tree].values())
        if command.endswith("sometimes") and world.chance.happens(0.2, "flaky", process.subject):
            passed = False
        world.verdicts.setdefault((command, process.tree), {})[passed] = None
        return 0 if passed else 1


class Executor:
    """The port, of one run of a controller."""

    def __init__(self, world: World, machine: Machine, alive: Callable[[], None]) -> None:
        self._world = world
        self._machine = machine
        self._alive = alive

    def submit(self, spec: ports.AttemptSpec) -> ports.Observation:
        self._alive()
        world, swarm = self._world, self._world.swarm
        swarm.enter("submit", spec.attempt)
        swarm.trouble("busy-machine", "", "submit", spec.attempt)
        if spec.attempt not in world.processes:
            process = self._machine.start(spec)
            if swarm.strikes("half-started", spec.attempt):
                process.disowned = True
                raise ports.TransientError(f"the shim of {spec.attempt} did not start")
        swarm.leave("submit", spec.attempt)
        return self.seen(spec.attempt)

    def observe(self, attempt: AttemptId) -> ports.Observation:
        self._alive()
        self._world.swarm.enter("observe", attempt)
        if self._world.swarm.strikes("unseen", attempt):
            return ports.Observation(attempt, Phase.UNKNOWN, detail="its records cannot be read now")
        return self.seen(attempt)

    def seen(self, attempt: AttemptId) -> ports.Observation:
        process = self._world.processes.get(attempt)
        if process is None:
            return ports.Observation(attempt, Phase.ABSENT)
        detail = "there is no such program" if process.exit_code == 127 else ""
        return ports.Observation(
            attempt, process.phase, process.exit_code, pid=1, output_bytes=process.output_bytes, detail=detail
        )

    def cancel(self, attempt: AttemptId, grace_s: float) -> ports.Observation:
        self._alive()
        world, swarm = self._world, self._world.swarm
        swarm.enter("cancel", attempt)
        process = world.processes.get(attempt)
        if process is not None and process.lives:
            if swarm.strikes("unseen", attempt):
                return ports.Observation(attempt, Phase.UNKNOWN, detail="its processes were not seen to end")
            self._machine.end(process, Phase.CANCELLED, None)
        swarm.leave("cancel", attempt)
        return self.seen(attempt)

    def read(self, attempt: AttemptId, offset: int, limit: int) -> bytes:
        process = self._world.processes.get(attempt)
        return b"" if process is None else f"output of {process.purpose} {attempt}\n".encode()[-limit:]

    def exit_fd(self, attempt: AttemptId) -> int | None:
        raise AssertionError("the simulator tells of ends itself")

    def list(self) -> list[ports.Observation]:
        return [self.seen(attempt) for attempt in self._world.processes]

    def forget(self, attempt: AttemptId) -> None:
        """Records stay; there is nothing else."""

    def close(self) -> None:
        """There is nothing to let go of."""


def purpose_of(spec: ports.AttemptSpec) -> str:
    if spec.argv[:2] == ("sh", "-c"):
        return "check"
    return "commit" if any(word.endswith("leftovers.py") for word in spec.argv) else "agent"
