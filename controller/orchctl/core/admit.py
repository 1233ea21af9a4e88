"""Which proposals may go ahead now: pure, over all of them at once, because limits are nobody's own business.

A refusal is a `Because` with the reason and the numbers; the refused key waits for the resource it was refused.
"""

from __future__ import annotations

import dataclasses

from orchctl.core import resolve
from orchctl.core.because import Because
from orchctl.core.ids import Key, key_of
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, State, TaskState

SESSIONS_MAX = 8  # at once, over all projects
PROJECT_SESSIONS_MAX = 4  # at once, of a project that sets no limit


@dataclasses.dataclass(frozen=True, slots=True)
class Admission:
    admitted: tuple[tuple[Key, Proposal], ...]
    held: tuple[tuple[Key, Because], ...]


def admit(proposals: list[tuple[Key, Proposal]], state: State) -> Admission:
    """Proposals that need no slot go ahead; the others in order of priority, then age, while there is room."""
    free = [(key, proposal) for key, proposal in proposals if not proposal.needs_slot]
    wanting = [(key, proposal) for key, proposal in proposals if proposal.needs_slot]
    if not wanting:
        return Admission(tuple(free), ())
    if state.pressed:
        return Admission(tuple(free), tuple((key, _pressed(state)) for key, _ in wanting))
    used = _used(state)
    held: list[tuple[Key, Because]] = []
    for key, proposal in sorted(wanting, key=lambda pair: _order(state, *pair)):
        obj = state.objects[key]
        project = obj.task.plan.project if obj.task is not None else _project_of(proposal)
        own = 1 if obj.task is not None and holds_slot(obj, obj.task) else 0
        refusal = _refusal(state, used, project, own)
        if refusal is not None:
            held.append((key, refusal))
            if own:
                used[""], used[project] = used[""] - 1, used[project] - 1
            continue
        used[""] = used.get("", 0) + 1 - own
        used[project] = used.get(project, 0) + 1 - own
        free.append((key, proposal))
    return Admission(tuple(free), tuple(held))


def _pressed(state: State) -> Because:
    unblock = "make room on that disk: it goes on by itself"
    return Because("TASK-7", f"nothing new is begun: {state.pressed}", unblock=unblock, waiting="DiskPressure")


def _order(state: State, key: Key, proposal: Proposal) -> tuple[int, float, str]:
    return (-proposal.priority, state.objects[key].created.t, key)


def _project_of(proposal: Proposal) -> str:
    plans = [event.plan for event in proposal.decisions if hasattr(event, "plan")]
    return str(plans[0].project) if plans else ""


def _used(state: State) -> dict[str, int]:
    """Slots in use by project, and in all under the empty name."""
    used: dict[str, int] = {}
    for obj in state.objects.values():
        if obj.task is not None and holds_slot(obj, obj.task):
            used[""] = used.get("", 0) + 1
            used[obj.task.plan.project] = used.get(obj.task.plan.project, 0) + 1
    return used


def holds_slot(obj: Object, task: TaskState) -> bool:
    """A task holds a slot while it works; one that waits for a person holds none."""
    return task.ended is None and not (obj.because is not None and obj.because.waiting)


def _refusal(state: State, used: dict[str, int], project: str, own: int) -> Because | None:
    """`own` is the slot the asking task holds itself: it may keep that one, but not take one beyond the limit."""
    limits = (("all projects", "", SESSIONS_MAX), (f"project {project}", project, _limit_of(state, project)))
    for what, name, limit in limits:
        if used.get(name, 0) - own >= limit:
            text = f"{used[name] - own} of {limit} sessions of {what} are in use"
            unblock = "it starts when one ends; raise `spec.limits.sessions` of the Project for more"
            return Because("TASK-7", text, unblock=unblock, waiting="Capacity")
    return None


def _limit_of(state: State, project: str) -> int:
    namespace, _, name = project.partition("/")
    found = state.objects.get(key_of("Project", namespace, name))
    if found is None or found.desired is None:
        return PROJECT_SESSIONS_MAX
    limit = resolve.project_spec(found.desired.spec).limits.sessions
    return PROJECT_SESSIONS_MAX if limit is None else limit
