"""A world in memory for the pure machine: carries out effects at once, and lets a test say how each of them goes.

Used by the tests of the core. It keeps the promises of the real ports (an attempt starts at most once, a ref moves only
from the value that was named), so a test that passes here says something about the real thing.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable

from orchctl.core import actions, events, judgements, runtime
from orchctl.core.gates import commits, files
from orchctl.core.ids import SOURCE, AttemptId, Key, Oid, name_of
from orchctl.core.ports import LandResult, Phase
from orchctl.core.state import Object, State
from orchctl.kit import globs

STEPS_MAX = 500
DAY_S = 86_400.0


def oid(*parts: str) -> Oid:
    return Oid(hashlib.sha1("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest())


@dataclasses.dataclass
class World:
    """What is true outside the controller, and how what it asks for goes. Tests change the fields."""

    target: Oid = dataclasses.field(default_factory=lambda: oid("target"))
    paths: tuple[str, ...] = ("src/a.py",)
    conflicts: tuple[str, ...] = ()
    dirty: tuple[str, ...] = ()
    messages: tuple[str, ...] = ("Fix the login",)  # of the work's commits
    window_opens: float = 0.0  # wall time at which every window opens first; then once a day
    exits: Callable[[actions.Effect], int | None] = lambda effect: 0  # None: it goes on running
    fail: Callable[[actions.Effect], str] = lambda effect: ""  # "transient: ..." or "permanent: ..."
    done: list[actions.Effect] = dataclasses.field(default_factory=list)
    attempts: dict[AttemptId, int] = dataclasses.field(default_factory=dict)
    work: int = 0

    def execute(self, action: actions.Action) -> list[events.Event]:
        do, key = action.do, action.object
        self.done.append(do)
        failing = self.fail(do)
        if failing:
            kind, _, message = failing.partition(": ")
            failed = events.ActionFailed(key, action.key, do.verb, transient=kind == "transient", message=message)
            return [failed]
        match do:
            case actions.SyncHub():
                tree = oid("tree", self.target)
                synced = events.HubSynced(
                    key, action.key, branch=do.branch or "main", head=self.target, tree=tree, control=do.repo == "."
                )
                return [synced]
            case actions.CreateTree():
                return [events.TreeCreated(key, action.key, path=f"/trees/{do.name}")]
            case actions.RenderPrompt():
                # Not what jinja makes of it: enough to tell a rendered text from its template.
                texts = tuple((name, text.replace("${{", "<").replace("}}", ">")) for name, text in do.texts)
                return [events.PromptRendered(key, action.key, digest=oid(*sum(texts, ())), texts=texts)]
            case actions.RunAgent() | actions.CommitLeftovers() | actions.RunCheck():
                return self._attempt(action, do)
            case actions.CancelAttempt():
                done = events.CancelDone(key, action.key, attempt=do.attempt)
                return [done, ended(key, do.attempt, Phase.CANCELLED, None)]
            case actions.RemoveTree():
                return [events.TreeRemoved(key, action.key, name=do.name)]
            case _:
                return [self._git(action, do)]

    def _attempt(
        self, action: actions.Action, do: actions.RunAgent | actions.CommitLeftovers | actions.RunCheck
    ) -> list[events.Event]:
        self.attempts[do.attempt] = self.attempts.get(do.attempt, 0) + 1
        self.work += isinstance(do, actions.RunAgent)
        started = events.AttemptStarted(action.object, action.key, attempt=do.attempt, pid=1)
        code = self.exits(do)
        if code is None:
            return [started]
        phase = Phase.SUCCEEDED if code == 0 else Phase.FAILED
        return [started, ended(action.object, do.attempt, phase, code)]

    def _git(self, action: actions.Action, do: actions.Effect) -> events.Event:
        key = action.object
        match do:
            case actions.ImportWork():
                commit = oid("work", str(self.work))
                tree = oid("tree", commit)
                protected = self._protected(do.protected)
                return events.WorkImported(
                    key,
                    action.key,
                    commit=commit,
                    tree=tree,
                    paths=self.paths,
                    protected=protected,
                    outside=tuple(path for path in self.paths if do.touches and not _is_meant(path, do.touches)),
                    commits=len(self.messages),
                    changed=len(self.paths),
                    offending=tuple((rule.digest, files.offending(rule, self.paths)) for rule in do.files),
                    log=tuple(commits.line(commit, message) for message in self.messages),
                )
            case actions.FindWindow():
                opens = self.window_opens + max(0.0, (do.at - self.window_opens) // DAY_S) * DAY_S
                opens += DAY_S if do.at >= opens + do.rule.duration_s else 0.0
                closes = opens + do.rule.duration_s
                found = judgements.FoundWindow(do.stage, do.gate, do.at, opens=opens, closes=closes)
                return events.WindowFound(key, action.key, found)
            case actions.CreateRoom():
                return events.RoomCreated(key, action.key, path=f"/rooms/{do.name}", commit=do.commit)
            case actions.MergeWork():
                if self.conflicts:
                    return events.MergeConflicted(key, action.key, target=do.target, paths=self.conflicts)
                made = oid("merge", do.target, do.head)
                tree = oid("tree", do.head) if do.target == oid("target") else oid("tree", made)
                protected = self._protected(do.protected)
                return events.MergeMade(
                    key, action.key, target=do.target, commit=made, tree=tree, paths=self.paths, protected=protected
                )
            case actions.LandWork():
                return self._land(action, do)
        raise AssertionError(f"the world knows no {do.verb}")

    def _protected(self, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(path for path in self.paths if any(globs.matches(path, one) for one in patterns))

    def _land(self, action: actions.Action, do: actions.LandWork) -> events.Event:
        result = LandResult.LANDED
        if self.target not in (do.old, do.new):
            result = LandResult.MOVED
        elif self.dirty and self.target == do.old:
            result = LandResult.DIRTY
        else:
            self.target = do.new
        dirty = self.dirty if result is LandResult.DIRTY else ()
        return events.LandTried(action.object, action.key, result=result, commit=do.new, paths=dirty)


def probed(agent: events.ObjectAdmitted, *, version: str = "1.0.0", problem: str = "") -> events.AgentProbed:
    """That the program of this Agent is there, or what is wrong with it."""
    program = name_of(agent.key)
    return events.AgentProbed(
        agent.key,
        program=program,
        spec_digest=agent.spec_digest,
        path="" if problem else f"/usr/bin/{program}",
        version="" if problem else version,
        mark="" if problem else "1:2:3",
        problem=problem,
    )


def started() -> events.ControllerStarted:
    return events.ControllerStarted(SOURCE, release="0")


def _is_meant(path: str, touches: tuple[str, ...]) -> bool:
    return any(globs.matches(path, one) for one in touches)


def ended(key: Key, attempt: AttemptId, phase: Phase, code: int | None) -> events.AttemptEnded:
    return events.AttemptEnded(
        key,
        attempt=attempt,
        phase=phase,
        exit_code=code,
        signal=None,
        output_bytes=0,
        reason="Completed" if code == 0 else phase.value,
        message=f"exited with {code}" if code is not None else phase.value,
        tail=f"output of {attempt}",
    )


@dataclasses.dataclass(slots=True)
class Bench:
    """A machine and a world, driven until nothing more happens. `log` is everything that was recorded."""

    world: World = dataclasses.field(default_factory=World)
    machine: runtime.Runtime = dataclasses.field(default_factory=lambda: runtime.Runtime(State()))
    log: list[events.Recorded] = dataclasses.field(default_factory=list)
    late: list[events.Event] = dataclasses.field(default_factory=list)  # what a test keeps back for a while
    now: events.Now = dataclasses.field(default_factory=lambda: events.Now(at=1_800_000_000.0, t=0.0))

    def give(self, *facts: events.Event) -> None:
        """Hand facts in and carry out all that follows, until the machine rests."""
        pending = list(facts)
        for _ in range(STEPS_MAX):
            step = self.machine.step(pending, self.now)
            self.log += step.recorded
            pending = [fact for action in step.actions for fact in self.world.execute(action)]
            if not pending:
                return
        raise AssertionError(f"no rest after {STEPS_MAX} steps")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now = events.Now(at=self.now.at + seconds, t=self.now.t + seconds)
        self.give()

    def set_clock(self, seconds: float) -> None:
        """Somebody sets the clock on the wall; no time passes."""
        self.now = events.Now(at=self.now.at + seconds, t=self.now.t)
        self.give()

    def object(self, key: str) -> Object:
        return self.machine.state.objects[Key(key)]

    def recorded(self, kind: type[events.Event]) -> list[events.Event]:
        return [one.event for one in self.log if isinstance(one.event, kind)]
