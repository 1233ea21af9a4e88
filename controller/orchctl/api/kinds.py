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
    __slots__ = (
        "columns",
        "description",
        "kind",
        "made_by_controller",
        "namespaced",
        "plural",
        "short_names",
        "supported",
    )

    def __init__(self, kind: str, short_names: tuple[str, ...], description: str, columns: tuple[Column, ...]) -> None:
        self.kind = kind
        self.plural = PLURALS.get(kind, kind.lower() + "s")
        self.short_names = short_names
        self.description = description
        self.columns = columns
        self.namespaced = kind not in CLUSTER_KINDS
        self.made_by_controller = kind in CONTROLLER_KINDS
        self.supported = "no" if kind in UNSUPPORTED_KINDS else "yes" if kind in WHOLE_KINDS else "partly"

    @property
    def singular(self) -> str:
        return self.kind.lower()

    def namespace(self, written: str) -> str:
        """The namespace part of an object's key, given the one a manifest or a person wrote."""
        return written if self.namespaced else CLUSTER_NAMESPACE


CLUSTER_KINDS = ("Account", "Agent", "Settings", "Source")  # the last one is no manifest: the controller tells of it
CONTROLLER_KINDS = ("Session", "Worktree", "MergeQueue")  # in this release; written by a user it is left alone
# Read and checked, but nothing happens because of them yet.
UNSUPPORTED_KINDS = (
    "Budget",
    "Trigger",
    "Milestone",
    "Board",
    "MergeQueue",
)
WHOLE_KINDS = ("Approval",)  # every field has its behaviour
PLURALS = {"Policy": "policies", "Settings": "settings"}

_READY = Column("READY", '.status.conditions[?(@.type=="Ready")].status')
_STATUS = Column("STATUS", ".status.summary")
_REASON = Column("REASON", '.status.conditions[?(@.type=="Ready")].reason', priority=1)
_MESSAGE = Column("MESSAGE", '.status.conditions[?(@.type=="Ready")].message', priority=1)
_AGE = Column("AGE", ".metadata.creationTimestamp", "date")
_PATH = Column("PATH", ".status.path", priority=1)
_USUAL = (_READY, _STATUS, _AGE, _REASON, _MESSAGE)

_ROWS = (
    Kind(
        "Project",
        ("proj",),
        "A repository to work on: its checks, defaults, guardrails and worktree environment.",
        (Column("BRANCH", ".spec.repo.branch"), *_USUAL),
    ),
    Kind(
        "Agent",
        ("ag",),
        "One way to run a model or program: backend, command, environment, concurrency.",
        (Column("BACKEND", ".spec.backend"), Column("VERSION", ".status.version"), *_USUAL, _PATH),
    ),
    Kind(
        "Role",
        (),
        "What an agent is for: its agents in order of preference, access and system prompt.",
        (Column("ACCESS", ".spec.access"), *_USUAL),
    ),
    Kind(
        "Pipeline",
        ("pl",),
        "Stages a Task goes through: prompts, gates, loops and the merge.",
        (Column("STAGES", ".spec.stages[*].name"), *_USUAL),
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
            *_USUAL,
        ),
    ),
    Kind(
        "Settings",
        (),
        "What holds for the whole controller: source, limits, notifications. One object, called default.",
        (Column("PATHS", ".spec.source.paths"), *_USUAL),
    ),
    Kind(
        "Account",
        ("acct",),
        "Who pays and who throttles: secrets, prices, concurrency.",
        (Column("QUOTA", ".status.quota.state"), *_USUAL),
    ),
    Kind(
        "Approval",
        ("ap",),
        "A decision on one gate, bound to the content it was made on.",
        (
            Column("TASK", ".spec.subject.name"),
            Column("GATE", ".spec.subject.gate"),
            Column("DECISION", ".spec.decision"),
            Column("EFFECTIVE", '.status.conditions[?(@.type=="Effective")].status'),
            _STATUS,
            _AGE,
            Column("BY", ".status.principal.name", priority=1),
            Column("MESSAGE", '.status.conditions[?(@.type=="Effective")].message', priority=1),
        ),
    ),
    Kind(
        "Policy",
        ("pol",),
        "Who may approve what, and what is decided by rule.",
        (Column("REQUIRED", ".spec.approvals.required", "integer"), *_USUAL),
    ),
    Kind(
        "Question",
        ("q",),
        "The controller asks a person what is to follow, and waits.",
        (
            Column("FOR", ".spec.subject.name"),
            Column("OPTIONS", ".status.options"),
            Column("ANSWER", ".status.answered.option"),
            *_USUAL,
        ),
    ),
    Kind(
        "Budget",
        ("bg",),
        "Money, tokens and time over many Tasks and a period.",
        (Column("USD", ".spec.max.usd"), Column("TOKENS", ".spec.max.tokens", "integer"), *_USUAL),
    ),
    Kind(
        "Trigger",
        ("tr",),
        "A schedule, an interval, a call or a change in git makes Tasks.",
        (
            Column("SCHEDULE", ".spec.schedule.cron"),
            Column("EVERY", ".spec.interval.every"),
            *_USUAL,
        ),
    ),
    Kind(
        "Milestone",
        ("ms",),
        "Issue documents become Tasks with dependencies.",
        (Column("DOCUMENTS", ".spec.documents"), *_USUAL),
    ),
    Kind(
        "Board",
        ("bd",),
        "A view of Tasks in columns.",
        (Column("COLUMNS", ".spec.columns[*].name"), *_USUAL),
    ),
    Kind(
        "MergeQueue",
        ("mq",),
        "The queue of one project and target. Only the controller makes these.",
        (Column("PROJECT", ".spec.project"), Column("TARGET", ".spec.target"), *_USUAL),
    ),
)
KINDS: dict[str, Kind] = {row.kind: row for row in _ROWS}


def _by_word() -> dict[str, Kind]:
    words: dict[str, Kind] = {}
    for row in _ROWS:
        for word in (row.singular, row.plural, *row.short_names):
            assert words.get(word, row) is row, f"two kinds answer to {word!r}"
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
