"""What a person may name on a read command line, `tasks`, `task/add-login`, `all`, and where that is in the ledger.

Called by get, describe, why, logs and events. Mistyped words get a suggestion, from the kinds or from the ledger.
"""

from __future__ import annotations

from orchctl.api import kinds
from orchctl.app.read import failures
from orchctl.kit import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.app.read.rows import Reader

# A file of the control repo that cannot be read at all has no identity, so it is listed under its path.
MANIFEST = kinds.Kind(
    "Manifest",
    (),
    "A manifest file that cannot be read.",
    (
        kinds.Column("STATUS", ".status.summary"),
        kinds.Column("MESSAGE", '.status.conditions[?(@.type=="Accepted")].message'),
    ),
)
SOURCE = kinds.Kind(
    "Source",
    ("src",),
    "Where the manifests come from, when that is a remote or signatures are asked for.",
    (
        kinds.Column("READY", '.status.conditions[?(@.type=="Ready")].status'),
        kinds.Column("STATUS", ".status.summary"),
        kinds.Column("COMMIT", ".status.commit"),
        kinds.Column("AGE", ".metadata.creationTimestamp", "date"),
        kinds.Column("REMOTE", ".status.remote", priority=1),
        kinds.Column("MESSAGE", '.status.conditions[?(@.type=="Ready")].message', priority=1),
    ),
)
_OURS = {word: row for row in (MANIFEST, SOURCE) for word in (row.singular, row.plural, *row.short_names)}
_CATALOGUE = ("Pipeline", "Role", "Agent", "Policy")
ALL_KINDS = (
    MANIFEST,
    SOURCE,
    *(kinds.KINDS[name] for name in ("Project", "Task", "Session", "Worktree")),
    *(row for name, row in kinds.KINDS.items() if name not in ("Project", "Task", "Session", "Worktree", *_CATALOGUE)),
)
CATALOGUE_KINDS = tuple(kinds.KINDS[name] for name in _CATALOGUE)


class Target:
    """Objects of one kind: the one called `name`, or every one when it is None."""

    __slots__ = ("kind", "name")

    def __init__(self, kind: kinds.Kind, name: str | None = None) -> None:
        self.kind = kind
        self.name = name


def parse(words: Sequence[str]) -> list[Target]:
    """`tasks`, `tasks,sessions`, `task a b`, `task/a session/b`, `all`."""
    if any("/" in word and not is_manifest_path(words, word) for word in words):
        return [parse_one(word) for word in words]
    kind_words, names = words[0].split(","), words[1:]
    found: list[kinds.Kind] = []
    for word in kind_words:
        found.extend((*ALL_KINDS, *CATALOGUE_KINDS) if word.lower() == "all" else (kind_called(word),))
    if names and len(found) > 1:
        raise failures.CommandError("names go with one kind only: write KIND/NAME for each", failures.USAGE)
    return [Target(found[0], name) for name in names] if names else [Target(kind) for kind in found]


def parse_one(word: str) -> Target:
    kind_word, slash, name = word.partition("/")
    if not slash or not kind_word or not name:
        raise failures.CommandError(f"{word!r} must be KIND/NAME, such as task/add-login", failures.USAGE)
    return Target(kind_called(kind_word), name)


def is_manifest_path(words: Sequence[str], word: str) -> bool:
    """Manifests are named by their path, which has slashes of its own."""
    return word != words[0] and words[0].lower() in (MANIFEST.singular, MANIFEST.plural)


def kind_called(word: str) -> kinds.Kind:
    if word.lower() in _OURS:
        return _OURS[word.lower()]
    kind = kinds.find(word)
    if kind is None:
        near = kinds.suggest(word)
        hint = f"did you mean {near!r}?" if near else "one of: " + ", ".join(row.plural for row in ALL_KINDS[2:])
        raise failures.CommandError(f"there is no kind {text.one_line(word)!r}: {hint}", failures.USAGE)
    return kind


def namespace_of(kind: kinds.Kind, written: str) -> str:
    return "" if kind is MANIFEST else kind.namespace(written)


def label_of(key: str) -> str:
    """`Task/default/add-login` as people write it: `task/add-login`."""
    kind, _, rest = key.partition("/")
    return f"{kind.lower()}/{rest.partition('/')[2]}"


def not_found(target: Target, namespace: str, reader: Reader | None) -> failures.CommandError:
    where = (
        f" in namespace {text.one_line(namespace)!r}" if target.kind.namespaced and target.kind is not MANIFEST else ""
    )
    known = reader.names(target.kind.kind, namespace_of(target.kind, namespace)) if reader else []
    near = text.did_you_mean(target.name or "", known)
    hint = f": did you mean {near!r}?" if near else ""
    label = f"{target.kind.singular}/{text.one_line(target.name or '')}"
    return failures.CommandError(f"{label} not found{where}{hint}", failures.NOT_FOUND)
