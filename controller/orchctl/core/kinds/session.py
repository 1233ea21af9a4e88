"""How a Session goes on: start its agent, watch the clock, commit what it left, end.

The session decides nothing about its task; it only says how the agent's run went.
"""

from __future__ import annotations

from orchctl.core import accounts, actions, events, names, prompts, proposal
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.ids import name_of
from orchctl.core.kinds import retrying, stopping, suspending, watching
from orchctl.core.ports import Phase
from orchctl.core.proposal import Proposal
from orchctl.core.state import Attempt, Object, SessionState, TaskState
from orchctl.core.view import View

COMMIT_TIMEOUT_S = 300
STARTS_MAX = 3  # how often starting the agent's process may fail before the session does


def propose(view: View, obj: Object, now: Now) -> Proposal:
    session = obj.session
    assert session is not None
    task_obj = view.get(session.task)
    worktree = view.get(session.worktree)
    if session.ended is not None:
        return Proposal(Because("SES-3", f"ended: {session.message or session.reason}"))
    if task_obj is None or task_obj.task is None or worktree is None or worktree.worktree is None:
        return Proposal(Because("SES-3", "its task or worktree is gone"))
    task, place = task_obj.task, worktree.worktree.path
    if obj.open is not None:
        return proposal.busy(obj)
    held = retrying.hold(obj, now, "SES-3")
    if held is not None:
        return held
    last = session.attempts[-1] if session.attempts else None
    if last is not None and last.ended is None:
        return _watch(task, session, last, now)
    agents = [one for one in session.attempts if one.purpose == "agent"]
    if not agents or _may_start_again(agents[-1], len(agents), task):
        if task.stopping is not None:
            return _end(obj, succeeded=False, reason=task.stopping.reason, message=task.stopping.message)
        return suspending.hold_start(task_obj) or _run_agent(view, obj, task_obj, place)
    if task.stopping is not None and stopping.is_hurried(task):
        return _end(obj, succeeded=False, reason=task.stopping.reason, message=task.stopping.message)
    commits = [one for one in session.attempts if one.purpose == "commit"]
    if not commits or (commits[-1].phase is Phase.LOST and len(commits) < STARTS_MAX):
        return _commit(task, obj, session, place)
    return _finish(obj, agents[-1], commits[-1])


def _may_start_again(agent: Attempt, count: int, task: TaskState) -> bool:
    """Only a process that never came to life is started again here; a run that failed is the task's to judge."""
    return agent.reason == "NotStarted" and count < STARTS_MAX and task.stopping is None


def _watch(task: TaskState, session: SessionState, attempt: Attempt, now: Now) -> Proposal:
    if attempt.purpose == "commit":
        return watching.watch(attempt, COMMIT_TIMEOUT_S, now, doing="committing what the agent left")
    limit_s = task.plan.stages[session.stage].timeout_s
    stop = None
    if task.stopping is not None and stopping.is_ending(task):
        stop = watching.Stop(task.stopping.message, stopping.grace_s(task))
    return watching.watch(attempt, limit_s, now, doing=f"agent {attempt.name} is working", stop=stop)


def _run_agent(view: View, obj: Object, task_obj: Object, place: str) -> Proposal:
    task, session = task_obj.task, obj.session
    assert task is not None
    assert session is not None
    stage = task.plan.stages[session.stage]
    agent = stage.agent
    assert agent is not None, "a session is made only for a stage with an agent"
    do = actions.RunAgent(
        attempt=names.attempt_id(session.uid, obj.actions + 1),
        backend=agent.backend,
        agent=agent.name,
        command=agent.command,
        prompt=session.prompt,
        cwd=place,
        env=(*task.plan.env, *agent.env, *_environment(task_obj, session)),
        number=session.number,
        model=agent.model,
        secrets=accounts.secrets_now(view, agent.account),
    )
    return Proposal(Because("TASK-1", f"stage {stage.name} runs agent {agent.name}"), do=do)


def _environment(task_obj: Object, session: SessionState) -> tuple[tuple[str, str], ...]:
    task = task_obj.task
    assert task is not None
    return (
        ("ORCH_TASK", name_of(task_obj.key)),
        ("ORCH_STAGE", task.plan.stages[session.stage].name),
        ("ORCH_ATTEMPT_NUMBER", str(session.number)),
        ("ORCH_BASE", task.base or ""),
        *prompts.author(task.plan.stages[session.stage].role),
    )


def _commit(task: TaskState, obj: Object, session: SessionState, place: str) -> Proposal:
    trailers = {"Task": name_of(session.task), "Session": name_of(obj.key), "Attempt": str(session.number)}
    do = actions.CommitLeftovers(
        attempt=names.attempt_id(session.uid, obj.actions + 1),
        cwd=place,
        message=prompts.commit_message(task.plan.title, trailers),
        env=prompts.author(task.plan.stages[session.stage].role),
    )
    return Proposal(Because("WT-6", "commits what the agent left uncommitted"), do=do)


def _finish(obj: Object, agent: Attempt, commit: Attempt) -> Proposal:
    if agent.phase is not Phase.SUCCEEDED:
        return _end(obj, succeeded=False, reason=agent.reason, message=agent.message)
    if commit.phase is not Phase.SUCCEEDED:
        message = f"its work could not be committed: {commit.message}"
        return _end(obj, succeeded=False, reason="CommitFailed", message=message)
    return _end(obj, succeeded=True, reason=agent.reason, message=agent.message)


def _end(obj: Object, *, succeeded: bool, reason: str, message: str) -> Proposal:
    ended = events.SessionEnded(obj.key, succeeded=succeeded, reason=reason, message=message)
    return Proposal(Because("SES-3", message or reason), decisions=(ended,))
