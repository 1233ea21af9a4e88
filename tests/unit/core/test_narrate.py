"""How each event is told to people: how bad it is, in one CamelCase word, and in a sentence; and which are not told."""

from __future__ import annotations

import dataclasses
import re

import pytest

from orchctl.core import actions, events, judgements, lifecycle, questions, upstream
from orchctl.core.because import Because
from orchctl.core.gates.verdicts import Finding, Subject
from orchctl.core.ids import SOURCE, ActionKey, AttemptId, Key, Oid
from orchctl.core.judgements import Principal, Standing
from orchctl.core.narrate import narrate
from orchctl.core.plan import Check, Plan, StagePlan
from orchctl.core.ports import LandResult, Phase
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = Key("Task/default/fix")
QUESTION = Key("Question/default/fix-write-q1")
ACT = ActionKey("a")
RUN = AttemptId("u.1")
ONE, TWO = Oid("1" * 40), Oid("2" * 40)
PLAN = Plan("default/shop", ".", "main", "orch/fix", "t", "p", stages=(StagePlan("write"), StagePlan("merge")))
SUBJECT = Subject("u", "write", "ok", 1, ONE, "w")
MIB = 1 << 20


def finding(state: str) -> Finding:
    return Finding("write", "ok", "approval", state, "said", SUBJECT)


def intent(do: actions.Effect) -> events.Event:
    return events.ActionStarted(TASK, actions.Action(ACT, TASK, do))


def ended(phase: Phase, message: str) -> events.Event:
    return dataclasses.replace(worlds.ended(TASK, RUN, phase, 0), reason="Because", message=message)


def probed(problem: str, version: str = "2.0") -> events.AgentProbed:
    return events.AgentProbed(Key("Agent//a"), "a", "d", "/bin/a", version, "m", problem)


AGENT = actions.RunAgent(RUN, "script", "claude", (), "p", "/w", (), 1)
CHECK = actions.RunCheck(RUN, "unit", "make", "d", ONE, "/w", ())
NOBODY = lifecycle.SuspendRequested(TASK, "t", "ann")

TOLD: list[tuple[events.Event, str, str, str]] = [
    (events.ControllerStarted(SOURCE, "1.2"), "Normal", "ControllerStarted", "1.2"),
    (events.DiskPressed(SOURCE, "disk is full"), "Warning", "DiskPressure", "disk is full"),
    (events.DiskEased(SOURCE), "Normal", "DiskPressureEased", "room"),
    (events.LedgerRecovered(SOURCE, 3, "/old"), "Warning", "LedgerRecovered", "3 events are lost"),
    (events.LedgerRecovered(SOURCE, 0, "/old"), "Warning", "LedgerRecovered", "nothing is lost"),
    (events.RevisionObserved(SOURCE, "refs/heads/main", ONE, TWO, ()), "Normal", "RevisionObserved", "11111111"),
    (
        events.RevisionObserved(SOURCE, "refs/heads/main", ONE, TWO, (), rewritten=True),
        "Warning",
        "HistoryRewritten",
        "refs/heads/main is at 11111111",
    ),
    (upstream.RevisionRefused(SOURCE, "r", ONE, "unsigned"), "Warning", "SignatureInvalid", "11111111: unsigned"),
    (upstream.SourceSynced(SOURCE, "git@host"), "Normal", "Synced", "git@host"),
    (upstream.SourceUnreachable(SOURCE, "r", True, "no net", 0.0), "Warning", "SourceOffline", "no net"),
    (upstream.SourceUnreachable(SOURCE, "r", False, "denied", 0.0), "Warning", "SourceUnavailable", "denied"),
    (builders.task(), "Normal", "Admitted", "generation 1 from manifests/fix.yaml:1"),
    (events.ObjectRejected(TASK, "p.yaml", ("p.yaml:1:1: error",)), "Warning", "ValidationFailed", "p.yaml:1:1"),
    (events.ObjectRejected(TASK, "p.yaml", ()), "Warning", "ValidationFailed", "p.yaml"),
    (events.ObjectWithdrawn(TASK), "Normal", "Withdrawn", "removed from git"),
    (events.MemoryObserved(SOURCE, 5 * MIB, 9 * MIB, True), "Warning", "MemoryShort", "5 MiB are free, below 9 MiB"),
    (events.MemoryObserved(SOURCE, 7 * MIB, 9 * MIB, False), "Normal", "MemoryFree", "7 MiB are free again"),
    (events.PruneBlocked(SOURCE, ("k",), "too many"), "Warning", "PruneBlocked", "too many"),
    (events.PruneConfirmed(SOURCE, ONE, "t", "ann"), "Normal", "PruneConfirmed", "111111111111 may go, says ann"),
    (events.PruneLifted(SOURCE), "Normal", "PruneLifted", "nothing is kept"),
    (probed(""), "Normal", "ProgramFound", "/bin/a 2.0"),
    (probed("not there"), "Normal", "ProgramUnusable", "not there"),
    (events.AccountProbed(Key("Account//a"), "d", ""), "Normal", "SecretsFound", "all can be read"),
    (events.AccountProbed(Key("Account//a"), "d", "no file"), "Normal", "SecretsUnusable", "no file"),
    (events.ObjectStalled(TASK, "defect"), "Warning", "InternalError", "defect"),
    (events.ObjectRemoved(TASK), "Normal", "Removed", "finished"),
    (intent(AGENT), "Normal", "AgentStarting", "agent claude, attempt u.1"),
    (intent(CHECK), "Normal", "CheckStarting", "check unit on tree 11111111, attempt u.1"),
    (intent(actions.CancelAttempt(RUN, 1.0, "too long")), "Normal", "Cancelling", "attempt u.1: too long"),
    (events.ActionFailed(TASK, ACT, "SyncHub", True, "away"), "Warning", "SyncHubFailed", "away"),
    (events.TreeCreated(TASK, ACT, "/w"), "Normal", "WorktreeCreated", "/w"),
    (events.PromptRendered(TASK, ACT, "0123456789abcdef", (("prompt", "x"),)), "Normal", "PromptRendered", "prompt"),
    (events.TreeRemoved(TASK, ACT, "room"), "Normal", "WorktreeRemoved", "room"),
    (ended(Phase.SUCCEEDED, "fine"), "Normal", "Because", "attempt u.1: fine"),
    (ended(Phase.FAILED, ""), "Warning", "Because", "attempt u.1: Failed"),
    (
        events.WorkImported(TASK, ACT, ONE, TWO, ("a", "b"), (), 3),
        "Normal",
        "WorkImported",
        "3 commits, 2 paths, now 11111111",
    ),
    (events.MergeMade(TASK, ACT, ONE, TWO, ONE, ("a",), ()), "Normal", "MergePrepared", "22222222 on 11111111, 1 "),
    (events.MergeConflicted(TASK, ACT, ONE, tuple("abcdef")), "Warning", "MergeConflict", "a, b, c, d, e"),
    (events.LandTried(TASK, ACT, LandResult.LANDED, ONE, ()), "Normal", "Merged", ONE),
    (events.LandTried(TASK, ACT, LandResult.MOVED, ONE, ()), "Normal", "TargetMoved", "moved meanwhile"),
    (
        events.LandTried(TASK, ACT, LandResult.DIRTY, ONE, tuple("abcdef")),
        "Warning",
        "TargetDirty",
        "uncommitted changes in a, b, c, d, e",
    ),
    (events.TaskStarted(TASK, PLAN), "Normal", "Started", "stages write, merge"),
    (events.ChecksAdopted(TASK, (Check("unit", "make", 1),)), "Normal", "ChecksAdopted", "unit"),
    (events.SessionCreated(TASK, "u", TASK, TASK, 0, 0, 2, "p"), "Normal", "SessionCreated", "for fix, attempt 2"),
    (events.SessionEnded(TASK, True, "Completed", ""), "Normal", "SessionSucceeded", "Completed"),
    (events.SessionEnded(TASK, False, "Failed", "exit 1"), "Warning", "SessionFailed", "exit 1"),
    (judgements.PrincipalFound(TASK, Principal("ann")), "Warning", "PrincipalChanged", "by ann"),
    (judgements.PrincipalFound(TASK, None), "Warning", "PrincipalChanged", "by nobody known"),
    (judgements.ApprovalJudged(TASK, Standing(True, "Approved", "by ann")), "Normal", "Approved", "by ann"),
    (judgements.ApprovalJudged(TASK, Standing(False, "Stale", "another")), "Warning", "Stale", "another"),
    (judgements.RevokedAfterMerge(TASK, TASK, "too late"), "Warning", "RevokedAfterMerge", "too late"),
    (judgements.GateJudged(TASK, finding("Failed")), "Warning", "GateFailed", "write: gate ok: said"),
    (judgements.GateJudged(TASK, finding("Waiting")), "Normal", "GateWaiting", "write: gate ok: said"),
    (judgements.GateJudged(TASK, finding("Passed")), "Normal", "GatePassed", "write: gate ok: said"),
    (events.StagePassed(TASK, 0, "write", "all green"), "Normal", "StagePassed", "write: all green"),
    (events.StageFailed(TASK, 0, 0, 1, "GateFailed", "red", ""), "Warning", "GateFailed", "red; attempt 2 follows"),
    (events.TaskStopping(TASK, "Cancelled", "Cancelled", "by ann"), "Warning", "Cancelled", "by ann"),
    (events.TaskEnded(TASK, "Merged", "Merged", "as 1"), "Normal", "Merged", "as 1"),
    (events.TaskEnded(TASK, "Succeeded", "Succeeded", "done"), "Normal", "Succeeded", "done"),
    (events.TaskEnded(TASK, "Failed", "NoChange", "nothing"), "Warning", "NoChange", "nothing"),
    (NOBODY, "Normal", "Suspended", "by ann"),
    (
        dataclasses.replace(NOBODY, reason="lunch", until=0.0),
        "Normal",
        "Suspended",
        "until 1970-01-01T00:00:00Z: lunch",
    ),
    (lifecycle.ResumeRequested(TASK, "t", "ann"), "Normal", "Resumed", "by ann"),
    (lifecycle.SuspensionExpired(TASK), "Normal", "Resumed", "over"),
    (lifecycle.CancelRequested(TASK, "t", "ann", "Now", "wrong"), "Normal", "CancelRequested", "Now, by ann: wrong"),
    (lifecycle.RetryRequested(TASK, "t", "ann", "write"), "Normal", "RetryRequested", "by ann from stage write"),
    (lifecycle.RetryRequested(TASK, "t", "ann"), "Normal", "RetryRequested", "by ann"),
    (lifecycle.TaskRestarted(TASK, PLAN, 1, 2), "Normal", "Restarted", "in stage merge, attempt 3"),
    (
        lifecycle.RequestRefused(TASK, "t", "ann", "Retry", "merged"),
        "Warning",
        "RequestRefused",
        "Retry, by ann: merged",
    ),
    (lifecycle.TaskNeverStarted(TASK, "Failed", "Late", "too late"), "Warning", "Late", "too late; it had not started"),
    (lifecycle.StageAsked(TASK, 0, "GateFailed", "red", ""), "Warning", "GateFailed", "a person has to say"),
    (lifecycle.StageContinued(TASK, 0, "w", "GateFailed", "red"), "Warning", "GateFailed", "goes on all the same"),
    (lifecycle.DependencyMet(TASK, TASK, "Merged", "it came"), "Normal", "DependencyMet", "it came"),
    (lifecycle.StartTimeReached(TASK, "2027-01-01T00:00:00Z"), "Normal", "StartTimeReached", "2027-01-01"),
    (lifecycle.ClockJumped(SOURCE, -90.0), "Warning", "ClockJumped", "-90 s"),
    (events.LedgerSealed(SOURCE, 1, 9, "h", "d", "s"), "Normal", "LedgerSealed", "1 to 9"),
    (questions.AnswerRequested(QUESTION, "tk", "alice", "fail", "no"), "Normal", "Answered", "fail, by alice: no"),
    (questions.QuestionAnswered(QUESTION, "retry", "", "bob"), "Normal", "Answered", "retry, by bob"),
    (
        questions.QuestionAsked(QUESTION, TASK, "u", "write", "GateFailed", "it is red", ("retry", "fail")),
        "Warning",
        "QuestionAsked",
        "it is red; retry, fail?",
    ),
    (
        questions.QuestionClosed(QUESTION, "its task was cancelled"),
        "Normal",
        "QuestionClosed",
        "its task was cancelled",
    ),
    (questions.StageRetried(TASK, QUESTION), "Normal", "RetryAnswered", "fix-write-q1"),
]
UNTOLD: list[events.Event] = [
    dataclasses.replace(builders.task(), path="builtin:change.yaml"),
    intent(actions.SyncHub(project="default/shop", repo=".", branch="main")),
    events.Explained(TASK, Because("TASK-1", "so")),
    events.SlotsTaken(TASK, ()),
    events.HubSynced(TASK, ACT, "main", ONE, TWO),
    events.AttemptStarted(TASK, ACT, RUN, 1),
    events.RoomCreated(TASK, ACT, "/r", ONE),
    events.CancelDone(TASK, ACT, RUN),
    events.WindowFound(TASK, ACT, judgements.FoundWindow("s", "g", 0.0, 0.0, 0.0)),
    events.TargetCleaned(TASK),
    events.WorktreeRequested(TASK, "u", TASK, "default/shop", "orch/fix", ONE),
    lifecycle.WorktreeReused(TASK),
    judgements.ApprovalNoted(TASK, TASK),
]


@pytest.mark.parametrize(
    ("event", "severity", "reason", "said"), TOLD, ids=[f"{type(e).__name__}-{r}" for e, _, r, _ in TOLD]
)
def test_log_5_an_event_is_told_with_its_severity_its_reason_and_what_it_is_about(
    event: events.Event, severity: str, reason: str, said: str
) -> None:
    line = narrate(event)
    assert line is not None
    assert (line.severity, line.reason) == (severity, reason)
    assert said in line.message
    assert re.fullmatch(r"([A-Z][a-z]+)+", line.reason)


@pytest.mark.parametrize("event", UNTOLD, ids=[type(one).__name__ for one in UNTOLD])
def test_log_5_what_only_the_machine_cares_about_is_not_told(event: events.Event) -> None:
    assert narrate(event) is None


def test_log_5_each_event_is_told_or_is_known_not_to_be() -> None:
    named = {type(event).__name__ for event, *_ in TOLD} | {type(event).__name__ for event in UNTOLD}
    assert named == set(events.EVENTS)


def test_log_5_a_message_of_several_lines_is_told_in_one() -> None:
    line = narrate(events.ObjectStalled(TASK, "one\ntwo"))
    assert line is not None
    assert "\n" not in line.message
