"""The gates of a stage that are no commands, round after round: automatic ones, approvals, then delays and windows.

A round is asked only when the one before it has passed. All gates are asked again each time their task is decided,
also those that have passed, until the task has left the stage: so what let the task through holds when it goes. What a
gate says is recorded when it changes.
"""

from __future__ import annotations

from collections.abc import Callable

from orchctl.core import actions, events
from orchctl.core.because import Because
from orchctl.core.events import Now
from orchctl.core.gates import cases, commits, expressions, files, timing, verdicts
from orchctl.core.kinds import gates
from orchctl.core.plan import FilesRule, GatePlan
from orchctl.core.proposal import Proposal
from orchctl.core.state import FoundWindow, Object, TaskState
from orchctl.core.view import View

LOOK_AGAIN_S = 60.0  # the longest time a wait for a wall time goes without a look, as the clock may be set

Said = verdicts.Verdict | verdicts.Unknown


def judge(view: View, obj: Object, task: TaskState, now: Now) -> Proposal | gates.Red | None:
    """The next step towards leaving the stage; None when every gate lets it go."""
    for round_ in ROUNDS:
        asked = [gate for gate in task.plan.stages[task.stage].gates if gate.type in round_]
        answer = _round(cases.Case(view, obj, task, now), asked) if asked else None
        if answer is not None:
            return answer
    return None


def _round(case: cases.Case, asked: list[GatePlan]) -> Proposal | gates.Red | None:
    said = [(gate, _JUDGES[gate.type](case, gate)) for gate in asked]
    missing = next((gate for gate, verdict in said if isinstance(verdict, verdicts.Unknown)), None)
    if missing is not None:
        return _look_up(case, missing)
    known = [(gate, verdict) for gate, verdict in said if not isinstance(verdict, verdicts.Unknown)]
    found = [verdicts.finding(gate.type, cases.subject_of(case, gate), verdict) for gate, verdict in known]
    news = tuple(events.GateJudged(case.obj.key, finding=one) for one in found if one not in cases.recorded(case.task))
    because = _because(case, known)
    if news:
        return Proposal(because, decisions=news)
    failed = [(gate, verdict) for gate, verdict in known if isinstance(verdict, verdicts.Failed)]
    if failed:
        return _red(failed)
    waiting = [verdict for _, verdict in known if isinstance(verdict, verdicts.Waiting)]
    return Proposal(because, wake_at=_wake_at(waiting, case.now)) if waiting else None


def _because(case: cases.Case, known: list[tuple[GatePlan, verdicts.Verdict]]) -> Because:
    stage = case.task.plan.stages[case.task.stage].name
    for kind in (verdicts.Failed, verdicts.Waiting):
        for gate, verdict in known:
            if isinstance(verdict, kind):
                text = f"stage {stage}: gate {gate.name}: {verdict.message}"
                if isinstance(verdict, verdicts.Waiting):
                    return Because(verdict.rule, text, unblock=verdict.unblock, waiting=verdict.reason)
                return Because("GATE-3", text)
    return Because("GATE-3", f"stage {stage}: passed {', '.join(gate.name for gate, _ in known)}")


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
    stage = case.task.plan.stages[case.task.stage].name
    do = actions.FindWindow(stage=stage, gate=gate.name, rule=gate.window, at=case.now.at)
    return Proposal(Because("GATE-5", f"stage {stage}: looks up when the window of gate {gate.name} opens"), do=do)


# --- the types --------------------------------------------------------------------------------------------------


def _files(case: cases.Case, gate: GatePlan) -> Said:
    assert gate.files is not None
    return files.judge(gate.files, case.task.changed, dict(case.task.offending).get(gate.files.digest, ()))


def _commit(case: cases.Case, gate: GatePlan) -> Said:
    assert gate.commit is not None
    return commits.judge(gate.commit, case.task.log, case.task.commits)


def _cel(case: cases.Case, gate: GatePlan) -> Said:
    return expressions.judge(gate.expression, cases.roots(case))


def _delay(case: cases.Case, gate: GatePlan) -> Said:
    subject = cases.subject_of(case, gate)
    before = next((one for one in cases.recorded(case.task) if one.subject.is_same_work(subject)), None)
    return timing.judge_delay(gate.delay_s, before, case.now)


def _window(case: cases.Case, gate: GatePlan) -> Said:
    assert gate.window is not None
    return timing.judge_window(gate.window, _window_of(case, gate), case.now)


def _window_of(case: cases.Case, gate: GatePlan) -> FoundWindow | None:
    stage = case.task.plan.stages[case.task.stage].name
    return next((one for one in case.task.gating.windows if (one.stage, one.gate) == (stage, gate.name)), None)


_JUDGES: dict[str, Callable[[cases.Case, GatePlan], Said]] = {
    "files": _files,
    "commit": _commit,
    "cel": _cel,
    "delay": _delay,
    "window": _window,
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
