"""Events as people read them in `orchctl events`: severity, a CamelCase reason and one sentence, or nothing.

Written beside the event when it is recorded, so that reading needs no core.
"""

from __future__ import annotations

import dataclasses

from orchctl.core import actions, events, judgements, lifecycle, questions, upstream
from orchctl.core.ids import name_of
from orchctl.core.ports import LandResult, Phase
from orchctl.kit import text, timestamps


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    severity: str  # Normal | Warning
    reason: str
    message: str


def _normal(reason: str, message: str) -> Line:
    return Line("Normal", reason, text.one_line(message))


def _warning(reason: str, message: str) -> Line:
    return Line("Warning", reason, text.one_line(message))


def narrate(event: events.Event) -> Line | None:
    """None for what only the machine cares about (changed answers to why, intents that explain themselves)."""
    return _of_admission(event) or _of_work(event) or _of_task(event) or _of_life(event)


def _of_admission(event: events.Event) -> Line | None:
    match event:
        case events.ControllerStarted():
            return _normal("ControllerStarted", f"orchctl {event.release}")
        case events.DiskPressed():
            return _warning("DiskPressure", event.message)
        case events.DiskEased():
            return _normal("DiskPressureEased", "there is room again: new work is begun")
        case events.LedgerRecovered():
            what = f"{event.lost} events are lost" if event.lost else "nothing is lost"
            return _warning("LedgerRecovered", f"made anew from its events: {what}; as it was: {event.folder}")
        case events.LedgerSealed():
            return _normal("LedgerSealed", f"events {event.first} to {event.last} are in a segment file")
        case events.RevisionObserved():
            word = "HistoryRewritten" if event.rewritten else "RevisionObserved"
            said = f"{event.ref} is at {event.commit[:8]}"
            return _warning(word, said) if event.rewritten else _normal(word, said)
        case upstream.RevisionRefused():
            return _warning("SignatureInvalid", f"{event.ref} is at {event.commit[:8]}: {event.message}")
        case upstream.SourceSynced():
            return _normal("Synced", f"fetched from {event.remote}")
        case upstream.SourceUnreachable():
            return _warning("SourceOffline" if event.offline else "SourceUnavailable", event.message)
        case events.ObjectAdmitted() if not event.path.startswith("builtin:"):
            return _normal("Admitted", f"generation {event.generation} from {event.path}:{event.line}")
        case events.ObjectRejected():
            return _warning("ValidationFailed", event.problems[0] if event.problems else event.path)
        case events.ObjectWithdrawn():
            return _normal("Withdrawn", "its manifest was removed from git")
        case events.MemoryObserved(short=True):
            return _warning("MemoryShort", f"{event.free >> 20} MiB are free, below {event.wanted >> 20} MiB")
        case events.MemoryObserved():
            return _normal("MemoryFree", f"{event.free >> 20} MiB are free again")
        case events.PruneBlocked():
            return _warning("PruneBlocked", event.message)
        case events.PruneConfirmed():
            return _normal("PruneConfirmed", f"what was blocked at {event.revision[:12]} may go, says {event.actor}")
        case events.PruneLifted():
            return _normal("PruneLifted", "nothing is kept from being withdrawn any more")
        case events.AgentProbed():
            found = f"{event.path} {event.version}".rstrip()
            return _normal("ProgramUnusable" if event.problem else "ProgramFound", event.problem or found)
        case events.AccountProbed():
            return _normal("SecretsUnusable" if event.problem else "SecretsFound", event.problem or "all can be read")
        case events.ObjectStalled():
            return _warning("InternalError", event.defect)
        case events.ObjectRemoved():
            return _normal("Removed", "finished and withdrawn")
    return None


def _of_work(event: events.Event) -> Line | None:
    match event:
        case events.ActionStarted(action=action):
            return _of_intent(action.do)
        case events.ActionFailed():
            return _warning(f"{event.verb}Failed", event.message)
        case events.TreeCreated():
            return _normal("WorktreeCreated", event.path)
        case events.PromptRendered():
            names = " and ".join(name for name, _ in event.texts)
            return _normal("PromptRendered", f"{names}, digest {event.digest[:12]}")
        case events.TreeRemoved():
            return _normal("WorktreeRemoved", event.name)
        case events.AttemptEnded():
            good = event.phase is Phase.SUCCEEDED
            said = f"attempt {event.attempt}: {event.message or event.phase.value}"
            return _normal(event.reason, said) if good else _warning(event.reason, said)
        case events.WorkImported():
            return _normal("WorkImported", f"{event.commits} commits, {len(event.paths)} paths, now {event.commit[:8]}")
        case events.MergeMade():
            return _normal("MergePrepared", f"{event.commit[:8]} on {event.target[:8]}, {len(event.paths)} paths")
        case events.MergeConflicted():
            return _warning("MergeConflict", ", ".join(event.paths[:5]))
        case events.LandTried(result=LandResult.LANDED):
            return _normal("Merged", event.commit)
        case events.LandTried(result=LandResult.MOVED):
            return _normal("TargetMoved", "the target moved meanwhile; merging again")
        case events.LandTried(result=LandResult.DIRTY):
            return _warning("TargetDirty", f"uncommitted changes in {', '.join(event.paths[:5])}")
    return None


def _of_intent(do: actions.Effect) -> Line | None:
    match do:
        case actions.RunAgent():
            return _normal("AgentStarting", f"agent {do.agent}, attempt {do.attempt}")
        case actions.RunCheck():
            return _normal("CheckStarting", f"check {do.check} on tree {do.tree[:8]}, attempt {do.attempt}")
        case actions.CancelAttempt():
            return _normal("Cancelling", f"attempt {do.attempt}: {do.reason}")
    return None


def _of_task(event: events.Event) -> Line | None:
    match event:
        case events.TaskStarted():
            return _normal("Started", f"stages {', '.join(stage.name for stage in event.plan.stages)}")
        case events.ChecksAdopted():
            return _normal("ChecksAdopted", ", ".join(check.name for check in event.checks))
        case events.SessionCreated():
            return _normal("SessionCreated", f"for {name_of(event.task)}, attempt {event.number}")
        case events.SessionEnded():
            said = event.message or event.reason
            return _normal("SessionSucceeded", said) if event.succeeded else _warning("SessionFailed", said)
        case judgements.PrincipalFound(principal=by):
            return _warning(
                "PrincipalChanged", f"in the rewritten history it is by {by.name if by else 'nobody known'}"
            )
        case judgements.ApprovalJudged(standing=found):
            return _normal(found.reason, found.message) if found.counts else _warning(found.reason, found.message)
        case judgements.RevokedAfterMerge():
            return _warning("RevokedAfterMerge", event.message)
        case judgements.GateJudged(finding=found):
            said = f"{found.stage}: gate {found.gate}: {found.message}"
            return _warning("GateFailed", said) if found.state == "Failed" else _normal(f"Gate{found.state}", said)
        case events.StagePassed():
            return _normal("StagePassed", f"{event.name}: {event.message}")
        case events.StageFailed():
            return _warning(event.reason, f"{event.message}; attempt {event.cycle + 1} follows")
        case events.TaskStopping():
            return _warning(event.reason, event.message)
        case events.TaskEnded():
            good = event.outcome in ("Merged", "Succeeded")
            return _normal(event.reason, event.message) if good else _warning(event.reason, event.message)
    return None


def _of_life(event: events.Event) -> Line | None:
    match event:
        case lifecycle.SuspendRequested():
            until = f" until {timestamps.rfc3339(event.until)}" if event.until is not None else ""
            return _normal("Suspended", f"by {event.actor}{until}{_why(event.reason)}")
        case lifecycle.ResumeRequested():
            return _normal("Resumed", f"by {event.actor}")
        case lifecycle.SuspensionExpired():
            return _normal("Resumed", "its suspension is over")
        case lifecycle.CancelRequested():
            return _normal("CancelRequested", f"{event.mode}, by {event.actor}{_why(event.reason)}")
        case lifecycle.RetryRequested():
            stage = f" from stage {event.from_stage}" if event.from_stage else ""
            return _normal("RetryRequested", f"by {event.actor}{stage}")
        case lifecycle.TaskRestarted():
            return _normal("Restarted", f"in stage {event.plan.stages[event.stage].name}, attempt {event.cycle + 1}")
        case lifecycle.RequestRefused():
            return _warning("RequestRefused", f"{event.verb}, by {event.actor}: {event.reason}")
        case lifecycle.TaskNeverStarted():
            return _warning(event.reason, f"{event.message}; it had not started")
        case lifecycle.StageAsked():
            return _warning(event.reason, f"{event.message}; a person has to say what follows")
        case lifecycle.StageContinued():
            return _warning(event.reason, f"{event.message}; it goes on all the same")
        case lifecycle.DependencyMet():
            return _normal("DependencyMet", event.message)
        case lifecycle.StartTimeReached():
            return _normal("StartTimeReached", event.start_after)
        case questions.AnswerRequested() | questions.QuestionAnswered():
            return _normal("Answered", f"{event.option}, by {event.actor}{_why(event.text)}")
        case questions.QuestionAsked():
            return _warning("QuestionAsked", f"{event.text}; {', '.join(event.options)}?")
        case questions.QuestionClosed():
            return _normal("QuestionClosed", event.reason)
        case questions.StageRetried():
            return _normal("RetryAnswered", f"in answer to {name_of(event.question)}")
        case lifecycle.ClockJumped():
            return _warning("ClockJumped", f"the clock was set by {event.seconds:+.0f} s")
    return None


def _why(reason: str) -> str:
    return f": {reason}" if reason else ""
