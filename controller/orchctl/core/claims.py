"""What a step that somebody proposes needs of what is limited, or that it needs nothing of it.

Starting a task, running a stage's agent, and going on after a wait for a person all need slots. A task that ends or is
being stopped needs none: nothing may stand in the way of that.
"""

from __future__ import annotations

import dataclasses

from orchctl.core import actions, events, lifecycle, resolve
from orchctl.core.ids import Key
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState

CLEARING = (actions.CancelAttempt, actions.RemoveTree)  # effects that only put an end to something


@dataclasses.dataclass(frozen=True, slots=True)
class Wants:
    slots: tuple[Key, ...]  # by the objects that limit them: Settings, the Project, then those of a stage
    touches: tuple[str, ...] = ()  # paths to be kept from others; a started task has them already
    stage: int = 0  # how far it has come, from 1 for the first stage; 0 before the start
    priority: int = 0
    requested: bool = False  # a person asked for just this


def wants_of(obj: Object, proposal: Proposal) -> Wants | None:
    """None: it may go ahead whatever is full."""
    for decision in proposal.decisions:
        if isinstance(decision, events.TaskStarted):
            return Wants(decision.plan.slots(0), decision.plan.touches, 0, _priority(obj), proposal.requested)
        if isinstance(decision, lifecycle.TaskRestarted):
            slots, stage = decision.plan.slots(decision.stage), decision.stage + 1
            return Wants(slots, decision.plan.touches, stage, _priority(obj), requested=True)
    task = obj.task
    if task is None or task.ended is not None or task.stopping is not None or proposal.because.waiting:
        return None
    if proposal.needs_slot or (not task.slots and _begins(proposal)):
        return Wants(_slots(task, proposal), (), task.stage + 1, _priority(obj), proposal.requested)
    return None


def _slots(task: TaskState, proposal: Proposal) -> tuple[Key, ...]:
    """Those of the stage while its agent's work is not in yet, else those of any work in the project."""
    agent_runs = proposal.needs_slot or task.imported != (task.stage, task.cycle)
    in_stage = task.stage < len(task.plan.stages) and agent_runs
    return task.plan.slots(task.stage if in_stage else None)


def _begins(proposal: Proposal) -> bool:
    if proposal.do is not None:
        return not isinstance(proposal.do, CLEARING)
    return any(isinstance(one, events.WorktreeRequested | events.SessionCreated) for one in proposal.decisions)


def _priority(obj: Object) -> int:
    return resolve.task_spec(obj.desired.spec).priority if obj.desired is not None else 0
