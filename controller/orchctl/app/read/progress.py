"""What a task has done since one last looked, for the verbs that follow it.

A pure comparison of served objects: `run` and `quickstart` poll the ledger and draw what comes out of here. Waiting
and drawing are theirs.
"""

from __future__ import annotations

from orchctl.app.read import body, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchctl.app.read.locate import Place

PASSED, FAILED, RUNNING, OTHER = "Passed", "Failed", "Running", "Other"


class Step:
    """A stage or a check of it, as it is now."""

    __slots__ = ("elapsed_s", "message", "state", "title")

    def __init__(self, title: str, state: str, message: str, elapsed_s: float | None) -> None:
        self.title = title
        self.state = state
        self.message = message
        self.elapsed_s = elapsed_s

    @property
    def line(self) -> str:
        return f"{self.title}: {self.state}" + (f" ({self.message})" if self.message else "")


class View:
    """A task at one moment: how it stands and its steps in order."""

    __slots__ = ("merged", "seq", "steps", "succeeded", "summary", "terminal", "waiting")

    def __init__(self, record: rows.Record, now: float) -> None:
        status = body.of(record).at("status")
        self.seq = record.seq
        self.summary = record.summary
        self.terminal = body.is_terminal(status)
        self.succeeded = body.has_succeeded(status)
        self.merged = status.text("merged")
        waiting = status.at("waiting")
        self.waiting = f"{waiting.text('reason')}: {waiting.text('message')}" if waiting.text("reason") else ""
        self.steps = _steps(status, now)


def look(place: Place, namespace: str, name: str, now: float) -> View | None:
    """The task now; None while no controller has taken it up."""
    path = place.ledger
    if path is None:
        return None
    with rows.Reader(path) as reader:
        record = reader.find("Task", namespace, name)
    return View(record, now) if record else None


def news(before: View | None, after: View) -> list[str]:
    """One line for each step that is new or has changed, and for a new reason to wait."""
    known = {step.title: step.state for step in before.steps} if before else {}
    lines = [step.line for step in after.steps if known.get(step.title) != step.state and step.state != "Pending"]
    if after.waiting and (before is None or before.waiting != after.waiting):
        lines.append(f"waits for {after.waiting}")
    return lines


def _steps(status: body.Body, now: float) -> list[Step]:
    steps: list[Step] = []
    for stage in status.each("stages"):
        name = stage.text("name")
        steps.append(Step(name, stage.text("state"), stage.text("message"), _elapsed(stage, now)))
        steps.extend(_checks(name, status))
    return steps


def _checks(stage: str, status: body.Body) -> list[Step]:
    """The stage's checks in the order they ran; one that runs again is told apart by its number."""
    runs: dict[str, int] = {}
    steps: list[Step] = []
    for gate in status.each("gates"):
        if gate.text("stage") == stage:
            title = f"{stage} check {gate.text('name')}"
            runs[title] = runs.get(title, 0) + 1
            again = f" (run {runs[title]})" if runs[title] > 1 else ""
            steps.append(Step(title + again, gate.text("state"), gate.text("message"), None))
    return steps


def _elapsed(stage: body.Body, now: float) -> float | None:
    started, ended = stage.time("startedAt"), stage.time("endedAt")
    return None if started is None else max(0.0, (ended or now) - started)
