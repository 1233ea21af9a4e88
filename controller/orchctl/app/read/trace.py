"""What an object went through, each step with what it rests on (LOG-5): commit, rule, person, evidence, artifact.

The steps are the events people read; what they rest on is found in the events around them, which people do not. A task
is followed into its sessions and its worktree. Called by the trace verb.
"""

from __future__ import annotations

from orchctl.app.read import body, resources
from orchctl.kit import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchctl.app.read.body import Body
    from orchctl.app.read.rows import Reader, Record, Story

SOURCE = "Source//control"
MADE_FOR_IT = ("SessionCreated", "WorktreeRequested")
OID_SHOWN = 12
LINE_CHARACTERS_MAX = 300


class Step:
    """One thing that happened, and what it rests on."""

    __slots__ = ("at", "key", "message", "reason", "rests_on", "seq")

    def __init__(self, story: Story, rests_on: list[tuple[str, str]]) -> None:
        self.seq = story.seq
        self.at = story.at
        self.key = story.key
        self.reason = story.reason
        self.message = story.message
        self.rests_on = rests_on


def steps(record: Record, reader: Reader) -> Iterator[Step]:
    """In the order they happened."""
    known = _Known()
    for story in reader.stories([SOURCE, *_keys(record, reader)]):
        rests_on = known.take_in(story)
        if story.key != SOURCE and story.reason:
            yield Step(story, rests_on)


def lines(found: Iterable[Step], subject: str) -> Iterator[str]:
    for step in found:
        about = "" if step.key == subject else f"{resources.label_of(step.key)}: "
        said = text.truncate(f"{about}{step.reason}: {step.message}", LINE_CHARACTERS_MAX)
        yield f"{step.seq:>6}  {body.clock(step.at)}  {said}"
        for name, value in step.rests_on:
            yield f"{'':>30}{name:<9} {text.truncate(value, LINE_CHARACTERS_MAX)}"


def _keys(record: Record, reader: Reader) -> list[str]:
    """The object, and what was made for it: names begin with its own, and the events that made them say for whom."""
    if record.kind != "Task":
        return [record.key]
    rest = record.key.partition("/")[2]
    made = [
        story.key
        for kind in ("Session", "Worktree")
        for story in reader.stories_of_type(f"{kind}/{rest}", MADE_FOR_IT)
        if body.parse(story.data).text("task") == record.key
    ]
    return [record.key, *dict.fromkeys(made)]


class _Known:
    """What has been said so far that a later event may rest on."""

    def __init__(self) -> None:
        self._commit = ""
        self._rules: dict[str, Body] = {}
        self._intents: dict[str, tuple[int, Body]] = {}

    def take_in(self, story: Story) -> list[tuple[str, str]]:
        data = body.parse(story.data)
        match story.type:
            case "RevisionObserved":
                self._commit = f"{data.text('commit')[:OID_SHOWN]} of {data.text('ref')}"
                return []
            case "Explained":
                self._rules[story.key] = data.at("because")
                return []
            case "ActionStarted":
                action = data.at("action")
                self._intents[action.text("key")] = (story.seq, action.at("do"))
                return [*self._rule(story.key), *_intended(action.at("do"))]
            case "ObjectAdmitted" | "ObjectRejected" | "ObjectWithdrawn":
                return self._from_git(data)
        if data.text("actor"):
            return [("by", data.text("actor"))]
        if data.text("action"):
            return [*self._outcome(data), *_artifacts(data)]
        return [*_artifacts(data)] if story.type == "AttemptEnded" else self._rule(story.key)

    def _from_git(self, data: Body) -> list[tuple[str, str]]:
        if data.text("path").startswith("builtin:"):
            return [("source", data.text("path"))]
        found = [("commit", self._commit)] if self._commit else []
        return [*found, ("file", data.text("path"))] if data.text("path") else found

    def _rule(self, key: str) -> list[tuple[str, str]]:
        because = self._rules.get(key)
        if because is None or not because.text("rule"):
            return []
        return [("rule", f"{because.text('rule')}: {because.text('text')}")]

    def _outcome(self, data: Body) -> list[tuple[str, str]]:
        intent = self._intents.pop(data.text("action"), None)
        if intent is None:
            return []
        seq, do = intent
        return [("effect", f"{do.text('verb')}, intended in {seq}")]


def _intended(do: Body) -> list[tuple[str, str]]:
    """What an effect was to work on: the tree a check judges, the commits of a merge."""
    names = ("tree", "commit", "base", "target", "head", "new", "old", "ref", "branch")
    said = [f"{name} {_short(do.text(name))}" for name in names if do.text(name)]
    return [("on", ", ".join(said))] if said else []


def _artifacts(data: Body) -> list[tuple[str, str]]:
    found = []
    for name in ("commit", "tree", "head"):
        if data.text(name):
            found.append((name, data.text(name)))
    if data.text("digest"):
        found.append(("digest", data.text("digest")))
    if data.text("attempt") and data.text("phase"):
        code = data.text("exit_code")
        shown = f"exit code {code}, " if code else ""
        found.append(("log", f"attempt {data.text('attempt')}: {shown}{data.text('output_bytes') or 0} bytes"))
    paths = data.words("paths")
    if paths:
        found.append(("paths", ", ".join(paths)))
    return found


def _short(value: str) -> str:
    return value[:OID_SHOWN] if len(value) == 40 and value.isalnum() else value
