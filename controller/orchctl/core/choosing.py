"""Which agent of a list is taken: the first that can be used, with the reasons why those before it cannot.

Called when a Task is resolved, and before each run of its agent, as a program may be gone by then.
"""

from __future__ import annotations

import dataclasses

from orchctl.api.v1alpha1.agent import Backend
from orchctl.core import accounts, agents, lacking
from orchctl.core.because import Because
from orchctl.core.plan import AgentPlan
from orchctl.core.state import Object
from orchctl.core.view import View

DEFAULT_AGENT = "script"
_LOOKING = Because(
    "SES-14", "agents are being looked for on this machine", unblock=accounts.BY_ITSELF, waiting="AgentNotReady"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    agent: AgentPlan
    digest: str  # of the Agent's spec
    passed_over: tuple[str, ...]  # why those that come before it were not taken, a sentence each


def choose(view: View, wanted: tuple[str, ...], environ: tuple[tuple[str, str], ...]) -> Choice | Because:
    """The first that can be used of a list somebody wrote; `environ` is what the Project adds to its environment."""
    refusals: list[Because] = []
    for reference in wanted:
        name, _, model = reference.partition("/")
        obj = view.get(agents.key_of_agent(name))
        if obj is None or obj.desired is None or obj.withdrawn:
            refusals.append(lacking.absence(view, "Agent", f"Agent {name}", name))
            continue
        refusal = lacking.support(obj) or _not_ready(obj, environ) or _not_paid(view, agents.account_of(obj))
        if refusal is None:
            return _choice(obj, name, model, tuple(each.text for each in refusals))
        refusals.append(refusal)
        if refusal.unblock == accounts.BY_ITSELF:
            return refusal  # it may turn out to be the one: what comes after it has to wait for the answer
    return refusals[0] if len(refusals) == 1 else _none(wanted, refusals)


def default(view: View, environ: tuple[tuple[str, str], ...]) -> Choice | Because:
    """Nobody names one: the first of the known ones that is sure to work here, else the one that needs nothing.

    An agent costs money and acts with the user's rights. One that is only run as a command cannot say whether it is
    logged in, so it works when it is named, and is not taken because it happens to be there.
    """
    passed_over: list[str] = []
    for name in agents.PROGRAMS:
        obj = view.get(agents.key_of_agent(name))
        if obj is None or obj.desired is None or obj.withdrawn:
            continue
        program = agents.found(obj)
        not_ready = _not_ready(obj, environ)
        if program is None and not_ready is not None:
            return _LOOKING  # only what has been looked for can be passed over
        there = f"agent {name} is at {program.path}" if program is not None and program.path else ""
        refusal = lacking.support(obj)
        if refusal is not None or agents.spec_of(obj.desired.spec).backend is Backend.COMMAND:
            why = refusal.text if refusal is not None else "one that is run as a command has to be named"
            passed_over += [f"{there}, but {why}"] if there else []
            continue
        not_ready = not_ready or _not_paid(view, agents.account_of(obj))
        if not_ready is None:
            return _choice(obj, name, "", tuple(passed_over))
        if not_ready.unblock == accounts.BY_ITSELF:
            return _LOOKING
    last = choose(view, (DEFAULT_AGENT,), environ)
    return last if isinstance(last, Because) else dataclasses.replace(last, passed_over=tuple(passed_over))


def absent(view: View, agent: AgentPlan, environ: tuple[tuple[str, str], ...]) -> Because | None:
    """Why a pinned agent cannot be run now. Of what the Agent has become since, only its program is looked at."""
    obj = view.get(agents.key_of_agent(agent.name))
    program = agents.found(obj) if obj is not None else None
    if obj is not None and program is not None and agent.command[:1] in ((), (program.name,)):
        not_ready = _not_ready(obj, environ)
        if not_ready is not None:
            return not_ready
    return _not_paid(view, agent.account)


def _not_ready(obj: Object, environ: tuple[tuple[str, str], ...]) -> Because | None:
    """A Project may lead its agents to programs of its own: then only running it can tell."""
    assert obj.desired is not None
    if "PATH" in dict(environ) and "PATH" not in agents.spec_of(obj.desired.spec).env:
        return None
    return agents.readiness(obj)


def _not_paid(view: View, account: str) -> Because | None:
    if not account:
        return None
    obj = view.get(accounts.key_of_account(account))
    if obj is None or obj.desired is None or obj.withdrawn:
        return lacking.absence(view, "Account", f"Account {account}", account)
    return lacking.support(obj) or accounts.readiness(obj)


def _choice(obj: Object, name: str, model: str, passed_over: tuple[str, ...]) -> Choice:
    assert obj.desired is not None
    spec = agents.spec_of(obj.desired.spec)
    plan = AgentPlan(
        name=name,
        backend=spec.backend.value,
        command=tuple(spec.command),
        env=tuple(sorted(spec.env.items())),
        model=model or spec.model or "",
        account=spec.account or "",
    )
    return Choice(plan, obj.desired.spec_digest, passed_over)


def _none(wanted: tuple[str, ...], refusals: list[Because]) -> Because:
    text = f"none of the agents {', '.join(wanted)} can be used"
    reasons = tuple(each.text for each in refusals)
    unblock = f"{refusals[0].unblock}; any one of them is enough"
    return Because("SES-14", f"{text}: {'; '.join(reasons)}", reasons, unblock, "AgentNotReady")
