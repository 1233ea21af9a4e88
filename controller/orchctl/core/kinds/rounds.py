"""The gates of a stage that are no commands, round after round: automatic ones, approvals, then delays and windows.

A round is asked only when the one before it has passed. All gates are asked again each time their task is decided,
also those that have passed, until the task has left the stage: so what let the task through holds when it goes. What a
gate says is recorded when it changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from orchctl.core import actions, judgements
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.gates import approvals, cases, commits, expressions, files, timing, verdicts
from orchctl.core.ids import name_of
from orchctl.core.judgements import FoundWindow
from orchctl.core.kinds import gates
from orchctl.core.plan import FilesRule, GatePlan
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, TaskState
from orchctl.core.view import View

LOOK_AGAIN_S = 60.0  # the longest time a wait for a wall time goes without a look, as the clock may be set

Said = verdicts.Verdict | verdicts.Unknown
Asked = tuple[GatePlan, verdicts.Subject]


def judge(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | gates.Red | None:
    """The next step towards leaving the stage; None when every gate lets it go."""
    case = cases.Case(view, obj, task, now)
    for round_ in ROUNDS:
        asked = [(gate, _subject(case, gate)) for gate in case.stage.gates if gate.type in round_]
        if case.stage.merge and "approval" in round_:
            asked = [*_earlier_approvals(case), *asked]
        answer = _round(case, asked) if asked else None
        if answer is not None:
            return answer
    return None


def _round(case: cases.Case, asked: list[Asked]) -> Proposal | gates.Red | None:
    said = [(gate, subject, _JUDGES[gate.type](case, gate, subject)) for gate, subject in asked]
    missing = next((gate for gate, _, verdict in said if isinstance(verdict, verdicts.Unknown)), None)
    if missing is not None:
        return _look_up(case, missing)
    known = [(gate, subject, verdict) for gate, subject, verdict in said if not isinstance(verdict, verdicts.Unknown)]
    found = [verdicts.finding(gate.type, subject, verdict) for gate, subject, verdict in known]
    before = cases.recorded(case.task)
    news = tuple(judgements.GateJudged(case.obj.key, finding=one) for one in found if one not in before)
    because = _because(case, known)
    if news:
        return Proposal(because, decisions=news)
    failed = [(gate, verdict) for gate, _, verdict in known if isinstance(verdict, verdicts.Failed)]
    if failed:
        return _red(failed)
    waiting = [verdict for _, _, verdict in known if isinstance(verdict, verdicts.Waiting)]
    return Proposal(because, wake_at=_wake_at(waiting, case.now)) if waiting else None


def _subject(case: cases.Case, gate: GatePlan) -> verdicts.Subject:
    return cases.subject_of(case, gate, cases.policy_digest(cases.policy(case, gate)) if gate.policy else "")


def _earlier_approvals(case: cases.Case) -> list[Asked]:
    """What was approved on the way is asked once more before the work lands, about what it was then (APP-5)."""
    plans = {(stage.name, gate.name): gate for stage in case.task.plan.stages for gate in stage.gates}
    found = [one for one in cases.recorded(case.task) if one.type == "approval" and one.stage != case.stage.name]
    asked = []
    for one in found:
        gate = plans[one.stage, one.gate]
        digest_now = cases.policy_digest(cases.policy(case, gate))
        asked.append((gate, verdicts.with_policy(one.subject, digest_now)))
    return asked


def _because(case: cases.Case, known: list[tuple[GatePlan, verdicts.Subject, verdicts.Verdict]]) -> Because:
    for kind in (verdicts.Failed, verdicts.Waiting):
        for gate, subject, verdict in known:
            if isinstance(verdict, kind):
                text = f"stage {subject.stage}: gate {gate.name}: {verdict.message}"
                if isinstance(verdict, verdicts.Waiting):
                    return Because(verdict.rule, text, unblock=verdict.unblock, waiting=verdict.reason)
                return Because("GATE-3", text)
    return Because("GATE-3", f"stage {case.stage.name}: passed {', '.join(gate.name for gate, _, _ in known)}")


def _red(failed: list[tuple[GatePlan, verdicts.Failed]]) -> gates.Red:
    message = "; ".join(f"gate {gate.name}: {verdict.message}" for gate, verdict in failed)
    feedback = "\n\n".join(f"Gate `{gate.name}`: {verdict.feedback or verdict.message}" for gate, verdict in failed)
    return gates.Red(message, feedback, failed[0][1].reason)


def _wake_at(waiting: list[verdicts.Waiting], now: Now) -> float | None:
    due = [one.until_t for one in waiting if one.until_t is not None]
    due += [now.t + min(one.until_at - now.at, LOOK_AGAIN_S) for one in waiting if one.until_at is not None]
    return min(due, default=None)


def _look_up(case: cases.Case, gate: GatePlan) -> Proposal:
    assert gate.window is not None
    stage = case.stage.name
    do = actions.FindWindow(stage=stage, gate=gate.name, rule=gate.window, at=case.now.at)
    return Proposal(Because("GATE-5", f"stage {stage}: looks up when the window of gate {gate.name} opens"), do=do)


# --- the types --------------------------------------------------------------------------------------------------


def _files(case: cases.Case, gate: GatePlan, subject: verdicts.Subject) -> Said:
    assert gate.files is not None
    return files.judge(gate.files, case.task.changed, dict(case.task.offending).get(gate.files.digest, ()))


def _commit(case: cases.Case, gate: GatePlan, subject: verdicts.Subject) -> Said:
    assert gate.commit is not None
    return commits.judge(gate.commit, case.task.log, case.task.commits)


def _cel(case: cases.Case, gate: GatePlan, subject: verdicts.Subject) -> Said:
    return expressions.judge(gate.expression, cases.roots(case))


def _delay(case: cases.Case, gate: GatePlan, subject: verdicts.Subject) -> Said:
    before = next((one for one in cases.recorded(case.task) if one.subject.is_same_work(subject)), None)
    return timing.judge_delay(gate.delay_s, before, case.now)


def _window(case: cases.Case, gate: GatePlan, subject: verdicts.Subject) -> Said:
    assert gate.window is not None
    return timing.judge_window(gate.window, _window_of(case, gate), case.now)


def _window_of(case: cases.Case, gate: GatePlan) -> FoundWindow | None:
    named = (case.stage.name, gate.name)
    return next((one for one in case.task.gating.windows if (one.stage, one.gate) == named), None)


def _approval(case: cases.Case, gate: GatePlan, subject: verdicts.Subject) -> Said:
    policy = cases.policy(case, gate)
    unblock = f"`orchctl approve {name_of(case.obj.key)} --gate {gate.name}`, and commit what it writes"
    if policy is None or policy.desired is None or policy.desired.in_the_way or policy.problems:
        why = f"policy {gate.policy} cannot be read: {'it is gone' if policy is None else 'see its own status'}"
        return verdicts.Waiting("Approval", why, "GATE-7", unblock=f"bring the Policy {gate.policy} in order")
    spec = approvals.policy_of(policy.desired.spec)
    matter = approvals.Matter(subject, spec, gate.policy, case.task.requester, case.now)
    seen = [case.view.get(key) for key in case.task.gating.approvals]
    found = [one for one in seen if one is not None and one.desired is not None and not one.withdrawn]
    mine = [one for one in found if approvals.is_of(one, subject)]
    verdict = approvals.judge(mine, matter, cases.roots(case))
    return dataclasses.replace(verdict, unblock=unblock) if isinstance(verdict, verdicts.Waiting) else verdict


_JUDGES: dict[str, Callable[[cases.Case, GatePlan, verdicts.Subject], Said]] = {
    "files": _files,
    "commit": _commit,
    "cel": _cel,
    "delay": _delay,
    "window": _window,
    "approval": _approval,
}
ROUNDS = (("files", "commit", "cel"), ("approval",), ("delay", "window"))


def files_rules(task: TaskState) -> tuple[FilesRule, ...]:
    """The rules that will judge the work, for whoever sees all of its paths."""
    found = [gate.files for stage in task.plan.stages for gate in stage.gates if gate.files is not None]
    return tuple(dict.fromkeys(found))


def passed_text(task: TaskState) -> str:
    """What the stage was let go by, in a few words."""
    stage = task.plan.stages[task.stage]
    passed = [check.name for check in stage.checks] + [gate.name for gate in stage.gates]
    return f"passed {', '.join(passed)}" if passed else "no gates"
