"""The machine: facts in, events and actions out. Synchronous and pure, so that a test or a simulator can drive it.

One `step` is one turn: accept the facts, fold them, decide every object they touch until nothing more follows, and
hand back what to record and what then to do. The caller records the batch durably *before* it executes an action.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from orchctl.core import actions, events, evolve
from orchctl.core.accept import Stale, accept
from orchctl.core.admit import admit
from orchctl.core.because import Because
from orchctl.core.folds import parts
from orchctl.core.ids import Key, kind_of
from orchctl.core.kinds import session, task, worktree
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, State
from orchctl.core.view import View

ROUNDS_MAX = 2_000  # decisions that follow from decisions within one turn; more means two rules undo each other


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    recorded: tuple[events.Recorded, ...]
    actions: tuple[actions.Action, ...]
    touched: tuple[Key, ...]  # objects whose row has to be written again
    stale: tuple[Stale, ...]


class Runtime:
    """Owns the state and the wake-up times. Only `step` changes them."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._wake: dict[Key, float] = {}
        self._resting: dict[Key, None] = {}  # those whose wake-up is no reason to stay awake for
        self.stale = 0  # facts that came too late or twice; counted since the start of this process
        self._readers: dict[Key, dict[Key, None]] = {}  # who read this key when it was last decided
        self._reads: dict[Key, tuple[Key, ...]] = {}
        self._held: dict[Key, None] = {}

    @property
    def wake_at(self) -> float | None:
        """Controller time of the next decision that needs no fact."""
        return min(self._wake.values(), default=None)

    @property
    def rests(self) -> bool:
        """Nothing will be decided again but by a fact from outside."""
        return all(key in self._resting for key in self._wake)

    def step(self, facts: Sequence[events.Event], now: events.Now) -> Step:
        """One turn. That a controller started is a fact as well: all objects are decided then."""
        turn = _Turn(self, now)
        for fact in facts:
            accepted = accept(self.state, fact)
            if isinstance(accepted, Stale):
                turn.stale.append(accepted)
                self.stale += 1
            else:
                turn.record(accepted)
        started = any(isinstance(fact, events.ControllerStarted) for fact in facts)
        dirty = dict.fromkeys(self.state.objects) if started else turn.dirty
        for key, due in list(self._wake.items()):
            if due <= now.t:
                self._unwake(key)
                dirty[key] = None
        turn.dirty = {}
        self._settle(turn, dirty)
        return Step(tuple(turn.recorded), tuple(turn.actions), tuple(turn.touched), tuple(turn.stale))

    def _settle(self, turn: _Turn, dirty: dict[Key, None]) -> None:
        """Decide, record, and decide again what that touched, until nothing follows."""
        for _ in range(ROUNDS_MAX):
            if not dirty:
                return
            proposals = [(key, proposal) for key in dirty if (proposal := self._propose(key, turn)) is not None]
            admission = admit(proposals, self.state)
            for key, because in admission.held:
                self._held[key] = None
                turn.explain(key, because)
            for key, proposal in admission.admitted:
                self._held.pop(key, None)
                turn.take(key, proposal)
            dirty, turn.dirty = turn.dirty, {}
        for key in dirty:
            turn.stall(key, "its decisions do not settle: two rules undo each other")

    def _propose(self, key: Key, turn: _Turn) -> Proposal | None:
        """The boundary that keeps a defect in one object's decision from stopping all others (LOG-8)."""
        now = turn.now
        obj = self.state.objects.get(key)
        if obj is None or obj.stalled:
            self._forget(key)
            return None
        view = View(self.state)
        self._unwake(key)
        try:
            proposal = decide(view, obj, now, self.state)
            late = proposal is not None and proposal.wake_at is not None and proposal.wake_at <= now.t
            assert not late, "a wake-up in the past would never let the loop sleep"
        except Exception as defect:
            turn.stall(key, f"{type(defect).__name__}: {defect}")
            return None
        self._remember(key, view)
        if proposal is not None and proposal.wake_at is not None:
            self._wake[key] = proposal.wake_at
            if proposal.resting:
                self._resting[key] = None
        return proposal

    def _unwake(self, key: Key) -> None:
        self._wake.pop(key, None)
        self._resting.pop(key, None)

    def _remember(self, key: Key, view: View) -> None:
        for old in self._reads.get(key, ()):
            self._readers.get(old, {}).pop(key, None)
        self._reads[key] = tuple(view.read)
        for read in view.read:
            self._readers.setdefault(read, {})[key] = None

    def _forget(self, key: Key) -> None:
        self._unwake(key)
        self._held.pop(key, None)
        for old in self._reads.pop(key, ()):
            self._readers.get(old, {}).pop(key, None)

    def affected(self, key: Key) -> dict[Key, None]:
        """Who has to be decided again when this object changed: itself, its readers, and who waits for capacity."""
        result = {key: None}
        result.update(self._readers.get(key, {}))
        result.update(self._readers.get(Key(kind_of(key)), {}))
        if kind_of(key) in ("Task", "Project"):
            result.update(self._held)
        return result


def decide(view: View, obj: Object, now: events.Now, state: State) -> Proposal | None:
    """`propose` of the object's kind; None for kinds that only say things."""
    if obj.session is not None:
        return session.propose(view, obj, now)
    if obj.worktree is not None:
        return worktree.propose(view, obj, now)
    if kind_of(obj.key) == "Task":
        return task.propose(view, obj, now, state.revision)
    if obj.withdrawn:
        return Proposal(Because("GIT-5", "its manifest is gone"), decisions=(events.ObjectRemoved(obj.key),))
    return None


def _identity(obj: Object) -> str:
    """What tells this object from an earlier one of the same name."""
    if obj.session is not None:
        return obj.session.uid
    if obj.worktree is not None:
        return obj.worktree.uid
    return obj.desired.uid if obj.desired is not None else ""


class _Turn:
    """What one step collects. Recording is folding: state and record never differ."""

    def __init__(self, runtime: Runtime, now: events.Now) -> None:
        self.runtime = runtime
        self.now = now
        self.number = runtime.state.turn + 1
        self.recorded: list[events.Recorded] = []
        self.actions: list[actions.Action] = []
        self.touched: dict[Key, None] = {}
        self.dirty: dict[Key, None] = {}
        self.stale: list[Stale] = []

    def record(self, event: events.Event) -> None:
        state = self.runtime.state
        recorded = events.Recorded(seq=state.seq + 1, turn=self.number, now=self.now, event=event)
        try:
            self.runtime.state = evolve.evolve(state, recorded)
        except parts.IllegalEvent as defect:
            self.stall(event.key, str(defect))
            return
        self.recorded.append(recorded)
        self.touched[event.key] = None
        self.dirty.update(self.runtime.affected(event.key))

    def stall(self, key: Key, defect: str) -> None:
        if key in self.runtime.state.objects:
            self.record(events.ObjectStalled(key, defect=defect))

    def take(self, key: Key, proposal: Proposal) -> None:
        """Carry out a proposal as far as recording goes: its decisions, or the intent of its effect."""
        self.explain(key, proposal.because)
        for decision in proposal.decisions:
            self.record(decision)
        if proposal.do is None:
            return
        obj = self.runtime.state.objects[key]
        action_key = actions.action_key(_identity(obj), key, proposal.do.verb, obj.actions + 1)
        action = actions.Action(key=action_key, object=key, do=proposal.do)
        self.record(events.ActionStarted(key, action=action))
        if action_key in self.runtime.state.open:
            self.actions.append(action)

    def explain(self, key: Key, because: Because) -> None:
        obj = self.runtime.state.objects.get(key)
        if obj is not None and obj.because != because:
            self.record(events.Explained(key, because=because))
