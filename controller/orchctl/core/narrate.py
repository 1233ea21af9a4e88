"""Events as people read them in `orchctl events`: severity, a CamelCase reason and one sentence, or nothing.

Written beside the event when it is recorded, so that reading needs no core.
"""

from __future__ import annotations

import dataclasses

from orchctl.core import actions, events
from orchctl.core.ids import name_of
from orchctl.core.ports import LandResult, Phase
from orchctl.kit import text


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
    return _of_admission(event) or _of_work(event) or _of_task(event)


def _of_admission(event: events.Event) -> Line | None:
    match event:
        case events.ControllerStarted():
            return _normal("ControllerStarted", f"orchctl {event.release}")
        case events.RevisionObserved():
            word = "HistoryRewritten" if event.rewritten else "RevisionObserved"
            said = f"{event.ref} is at {event.commit[:8]}"
            return _warning(word, said) if event.rewritten else _normal(word, said)
        case events.ObjectAdmitted() if not event.path.startswith("builtin:"):
            return _normal("Admitted", f"generation {event.generation} from {event.path}:{event.line}")
        case events.ObjectRejected():
            return _warning("ValidationFailed", event.problems[0] if event.problems else event.path)
        case events.ObjectWithdrawn():
            return _normal("Withdrawn", "its manifest was removed from git")
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
