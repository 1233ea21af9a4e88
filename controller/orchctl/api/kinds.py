"""The table of kinds: names, scope and columns, without the models.

`orchctl get` starts with this table, so it may import nothing but kit.text: no pydantic, no dataclasses. The models
that go with it are in `registry`, the fields in `v1alpha1`.
"""

from __future__ import annotations

from orchctl.kit import text

API_GROUP = "orchctl.dev"
VERSION = "v1alpha1"
API_VERSION = f"{API_GROUP}/{VERSION}"
DEFAULT_NAMESPACE = "default"
CLUSTER_NAMESPACE = ""  # what stands for the namespace of a cluster-scoped object, in keys too: `Agent//claude`
CATEGORIES = ("orch", "all")


class Column:
    """One printer column: a title, where its value is, its type, and 1 for wide tables only."""

    __slots__ = ("path", "priority", "title", "type")

    def __init__(self, title: str, path: str, type: str = "string", priority: int = 0) -> None:
        self.title = title
        self.path = path
        self.type = type
        self.priority = priority


class Kind:
    __slots__ = ("columns", "description", "kind", "made_by_controller", "namespaced", "plural", "short_names")

    def __init__(self, kind: str, short_names: tuple[str, ...], description: str, columns: tuple[Column, ...]) -> None:
        self.kind = kind
        self.plural = kind.lower() + "s"
        self.short_names = short_names
        self.description = description
        self.columns = columns
        self.namespaced = kind not in CLUSTER_KINDS
        self.made_by_controller = kind in CONTROLLER_KINDS

    @property
    def singular(self) -> str:
        return self.kind.lower()

    def namespace(self, written: str) -> str:
        """The namespace part of an object's key, given the one a manifest or a person wrote."""
        return written if self.namespaced else CLUSTER_NAMESPACE


CLUSTER_KINDS = ("Agent",)
CONTROLLER_KINDS = ("Session", "Worktree")  # in this release; one written by a user is admitted and left alone

_READY = Column("READY", '.status.conditions[?(@.type=="Ready")].status')
_STATUS = Column("STATUS", ".status.summary")
_REASON = Column("REASON", '.status.conditions[?(@.type=="Ready")].reason', priority=1)
_MESSAGE = Column("MESSAGE", '.status.conditions[?(@.type=="Ready")].message', priority=1)
_AGE = Column("AGE", ".metadata.creationTimestamp", "date")

_ROWS = (
    Kind(
        "Project",
        ("proj",),
        "A repository to work on: its checks, defaults, guardrails and worktree environment.",
        (Column("BRANCH", ".spec.repo.branch"), _READY, _STATUS, _AGE, _REASON, _MESSAGE),
    ),
    Kind(
        "Agent",
        ("ag",),
        "One way to run a model or program: backend, command, environment, concurrency.",
        (Column("BACKEND", ".spec.backend"), _READY, _STATUS, _AGE, _REASON, _MESSAGE),
    ),
    Kind(
        "Role",
        (),
        "What an agent is for: its agents in order of preference, access and system prompt.",
        (Column("ACCESS", ".spec.access"), _READY, _STATUS, _AGE, _REASON, _MESSAGE),
    ),
    Kind(
        "Pipeline",
        ("pl",),
        "Stages a Task goes through: prompts, gates, loops and the merge.",
        (Column("STAGES", ".spec.stages[*].name"), _READY, _STATUS, _AGE, _REASON, _MESSAGE),
    ),
    Kind(
        "Task",
        ("t",),
        "One piece of work, taken through a pipeline.",
        (
            Column("PIPELINE", ".spec.pipeline"),
            Column("STAGE", ".status.stage"),
            _READY,
            _STATUS,
            Column("AGENT", ".status.agent"),
            _AGE,
            _REASON,
            _MESSAGE,
            Column("BRANCH", ".status.branch", priority=1),
        ),
    ),
    Kind(
        "Session",
        ("s",),
        "One agent run in a worktree. Made by the controller in this release.",
        (
            Column("STATE", ".status.state"),
            Column("AGENT", ".status.agent"),
            Column("TASK", ".status.task"),
            _READY,
            _AGE,
            _REASON,
            _MESSAGE,
        ),
    ),
    Kind(
        "Worktree",
        ("wt",),
        "One checkout on one branch. Made by the controller in this release.",
        (
            Column("PROJECT", ".spec.project"),
            Column("BRANCH", ".spec.branch"),
            _READY,
            _STATUS,
            _AGE,
            _REASON,
            _MESSAGE,
        ),
    ),
)
KINDS: dict[str, Kind] = {row.kind: row for row in _ROWS}


def _by_word() -> dict[str, Kind]:
    words: dict[str, Kind] = {}
    for row in _ROWS:
        for word in (row.singular, row.plural, *row.short_names):
            assert word not in words, f"two kinds answer to {word!r}"
            words[word] = row
    return words


_WORDS = _by_word()


def find(word: str) -> Kind | None:
    """The kind somebody means by `Task`, `tasks`, `t` or `task.orchctl.dev`; None if there is none."""
    plain = word.lower()
    return _WORDS.get(plain) or _WORDS.get(plain.removesuffix("." + API_GROUP).removesuffix("." + VERSION))


def suggest(word: str) -> str | None:
    """The nearest word `find` knows, for an error message."""
    return text.did_you_mean(word, _WORDS)
