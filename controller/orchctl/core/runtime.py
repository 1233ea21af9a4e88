"""The machine: facts in, events and actions out. Synchronous and pure, so that a test or a simulator can drive it.

One `step` is one turn: accept the facts, fold them, decide every object they touch until nothing more follows, and
hand back what to record and what then to do. The caller records the batch durably *before* it executes an action.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from orchctl.core import actions, events, evolve, groups, lifecycle
from orchctl.core.accept import Stale, accept
from orchctl.core.admit import Admitting
from orchctl.core.because import Because
from orchctl.core.claims import Wants, wants_of
from orchctl.core.folds import parts
from orchctl.core.heaps import Heap
from orchctl.core.ids import SOURCE, Key, kind_of
from orchctl.core.kinds import approval, question, session, source, task, worktree
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, State
from orchctl.core.view import View

ROUNDS_MAX = 2_000  # decisions that follow from decisions within one turn; more means two rules undo each other


CLOCK_JUMP_S = 60.0  # by how much the clock on the wall may go its own way before that is worth a record


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    recorded: tuple[events.Recorded, ...]
    actions: tuple[actions.Action, ...]
    touched: tuple[Key, ...]  # objects whose row has to be written again
    stale: tuple[Stale, ...]


class Runtime:
    """Owns the state and the wake-up times. Only `step` changes them."""

    def __init__(self, state: State) -> None:
        self.rewind(state)
        self._wake: Heap[Key] = Heap()
        self._alarms: Heap[Key] = Heap()  # wake-ups in wall time; none of them is a reason to stay awake
        self._resting: dict[Key, None] = {}  # those whose wake-up is no reason to stay awake for
        self.stale = 0  # facts that came too late or twice; counted since the start of this process
        self._readers: dict[Key, dict[Key, None]] = {}  # who read this key when it was last decided
        self._reads: dict[Key, tuple[Key, ...]] = {}

    def rewind(self, state: State) -> None:
        """Go on from this state; who waits for what is known again once everything has been decided."""
        self.state = state
        self._admitting = Admitting(state)

    @property
    def wake_at(self) -> float | None:
        """Controller time of the next decision that needs no fact."""
        first = self._wake.top()
        return None if first is None else float(first[0][0])

    def pause_s(self, now: events.Now) -> float | None:
        """How long from now until that, or until an alarm by the clock on the wall; None when neither is due ever."""
        pauses = [] if self.wake_at is None else [self.wake_at - now.t]
        alarm = self._alarms.top()
        if alarm is not None:
            pauses.append(float(alarm[0][0]) - now.at)
        return max(0.0, min(pauses)) if pauses else None

    @property
    def rests(self) -> bool:
        """Nothing will be decided again but by a fact from outside."""
        return len(self._resting) == len(self._wake)

    def step(self, facts: Sequence[events.Event], now: events.Now) -> Step:
        """One turn. That a controller started is a fact as well: all objects are decided then."""
        turn = _Turn(self, now)
        turn.look_at_clock()
        for fact in facts:
            accepted = accept(self.state, fact)
            if isinstance(accepted, Stale):
                turn.stale.append(accepted)
                self.stale += 1
            else:
                turn.record(accepted)
        started = any(isinstance(fact, events.ControllerStarted) for fact in facts)
        dirty = dict.fromkeys(self.state.objects) if started else turn.dirty
        while (first := self._wake.top()) is not None and first[0][0] <= now.t:
            self._unwake(first[1])
            dirty[first[1]] = None
        while (first := self._alarms.top()) is not None and first[0][0] <= now.at:
            self._alarms.discard(first[1])
            dirty[first[1]] = None
        turn.dirty = {}
        self._settle(turn, dirty)
        return Step(tuple(turn.recorded), tuple(turn.actions), tuple(turn.touched), tuple(turn.stale))

    def _settle(self, turn: _Turn, dirty: dict[Key, None]) -> None:
        """Decide, record, and decide again what that touched, until nothing follows."""
        for _ in range(ROUNDS_MAX):
            if not dirty:
                return
            proposals = [(key, proposal) for key in dirty if (proposal := self._propose(key, turn)) is not None]
            asking: dict[Key, tuple[Proposal, Wants]] = {}
            for key, proposal in proposals:
                wants = wants_of(self.state.objects[key], proposal)
                if wants is not None:
                    asking[key] = proposal, wants
                else:
                    self._admitting.leave(key)
            for key, proposal in proposals:
                if key not in asking:
                    turn.take(key, proposal)
            self._admit(turn, asking)
            dirty, turn.dirty = turn.dirty, {}
        for key in dirty:
            turn.stall(key, "its decisions do not settle: two rules undo each other")

    def _admit(self, turn: _Turn, asking: dict[Key, tuple[Proposal, Wants]]) -> None:
        """Let ahead who may, in their order, until nobody may; and tell those who may not why."""
        for key in sorted(asking):
            self._ask(turn, key, *asking[key])
        while (first := self._admitting.first()) is not None:
            proposal = asking[first][0] if first in asking else self._propose(first, turn)
            waited_for = self._admitting.leave(first)
            wants = wants_of(self.state.objects[first], proposal) if proposal is not None else None
            if proposal is not None and wants is not None and wants != waited_for:
                asking[first] = proposal, wants
                self._admitting.enter(self.state.objects[first], wants)
            elif proposal is not None:
                turn.take(first, proposal, wants)
        for key in dict.fromkeys([*asking, *self._admitting.passed()]):
            if self._admitting.is_waiting(key):
                turn.explain(key, self._admitting.refusal(self.state.objects[key]))

    def _ask(self, turn: _Turn, key: Key, proposal: Proposal, wants: Wants) -> None:
        """One that works already goes on if it can with what it has; else it lets go of it and waits with the rest."""
        obj = self.state.objects.get(key)
        if obj is None:  # removed by a step that was taken before
            return
        if obj.task is not None and obj.task.slots:
            refusal = self._admitting.keep(obj, wants)
            if refusal is None:
                self._admitting.leave(key)
                turn.take(key, proposal, wants)
                return
            turn.explain(key, refusal)
        self._admitting.enter(self.state.objects[key], wants)

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
            assert proposal is None or not _is_late(proposal, now), "a wake-up in the past never lets the loop sleep"
        except Exception as defect:
            turn.stall(key, f"{type(defect).__name__}: {defect}")
            return None
        self._remember(key, view)
        if proposal is not None and proposal.wall_at is not None:
            self._alarms.put(key, (proposal.wall_at, key))
        else:
            self._alarms.discard(key)
        if proposal is not None and proposal.wake_at is not None:
            self._wake.put(key, (proposal.wake_at, key))
            if proposal.resting:
                self._resting[key] = None
        return proposal

    def _unwake(self, key: Key) -> None:
        self._wake.discard(key)
        self._resting.pop(key, None)

    def _remember(self, key: Key, view: View) -> None:
        for old in self._reads.get(key, ()):
            self._readers.get(old, {}).pop(key, None)
        self._reads[key] = tuple(view.read)
        for read in view.read:
            self._readers.setdefault(read, {})[key] = None

    def _forget(self, key: Key) -> None:
        self._unwake(key)
        self._alarms.discard(key)
        self._admitting.leave(key)
        for old in self._reads.pop(key, ()):
            self._readers.get(old, {}).pop(key, None)

    def took_up(self, key: Key, before: State) -> None:
        """What an event has changed of what is in use."""
        self._admitting.moved(before.objects.get(key), self.state.objects.get(key))
        if (before.memory, before.pressed) != (self.state.memory, self.state.pressed):
            self._admitting.observed(self.state)

    def affected(self, key: Key) -> dict[Key, None]:
        """Who has to be decided again when this object changed: itself and its readers."""
        result = {key: None}
        result.update(self._readers.get(key, {}))
        result.update(self._readers.get(Key(kind_of(key)), {}))
        group = groups.group_of(self.state.objects.get(key)) if self.state.groups else None
        if group is not None:
            result.update(self._readers.get(group, {}))
        return result


def _is_late(proposal: Proposal, now: events.Now) -> bool:
    by_time = proposal.wake_at is not None and proposal.wake_at <= now.t
    return by_time or (proposal.wall_at is not None and proposal.wall_at <= now.at)


def decide(view: View, obj: Object, now: events.Now, state: State) -> Proposal | None:
    """`propose` of the object's kind; None for kinds that only say things."""
    if obj.session is not None:
        return session.propose(view, obj, now)
    if obj.worktree is not None:
        return worktree.propose(view, obj, now)
    if kind_of(obj.key) == "Question":
        return question.propose(view, obj)
    if obj.source is not None:
        return source.propose(obj, obj.source)
    if kind_of(obj.key) == "Task":
        return task.propose(view, obj, now, state.revision)
    if kind_of(obj.key) == "Approval":
        return approval.propose(view, obj, now)
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

    def look_at_clock(self) -> None:
        """A clock that was set is said once (TIME-3); what it means for each object follows from the alarms."""
        known = self.runtime.state.wall
        drift = self.now.at - self.now.t - known if known is not None else 0.0
        if abs(drift) > CLOCK_JUMP_S:
            self.record(lifecycle.ClockJumped(SOURCE, seconds=round(drift, 3)))

    def record(self, event: events.Event) -> None:
        state = self.runtime.state
        recorded = events.Recorded(seq=state.seq + 1, turn=self.number, now=self.now, event=event)
        try:
            self.runtime.state = evolve.evolve(state, recorded)
        except parts.IllegalEvent as defect:
            self.stall(event.key, str(defect))
            return
        self.runtime.took_up(event.key, state)
        self.recorded.append(recorded)
        self.touched[event.key] = None
        self.dirty.update(self.runtime.affected(event.key))

    def stall(self, key: Key, defect: str) -> None:
        if key in self.runtime.state.objects:
            self.record(events.ObjectStalled(key, defect=defect))

    def take(self, key: Key, proposal: Proposal, wants: Wants | None = None) -> None:
        """Carry out a proposal as far as recording goes: its decisions, or the intent of its effect."""
        obj = self.runtime.state.objects.get(key)
        if (
            wants is not None
            and obj is not None
            and obj.task is not None
            and not set(wants.slots) <= set(obj.task.slots)
        ):
            self.record(events.SlotsTaken(key, slots=wants.slots))
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
