"""From a tree in git to admission facts: what the manifests now say, as far as it may be taken up.

Keeps what each file held, so that a new commit costs only the files it changed. The rules: one bad manifest touches
only its own object (GIT-3), identity is kind/namespace/name and not the file (GIT-4), and nothing is withdrawn
because a file could not be read or too much vanished at once (GIT-5).
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Sequence

from orchctl.adapters import manifests
from orchctl.adapters.gitsource import source
from orchctl.adapters.manifests import cache as caches
from orchctl.app import leaving
from orchctl.core import events, ports
from orchctl.core.ids import SOURCE, Key, Oid, key_of
from orchctl.core.state import Object, State
from orchctl.kit import digest, names

_UID_SPACE = uuid.UUID("6f0bb0a6-2f0e-5f0e-9d53-7f2a4c1b7c11")


@dataclasses.dataclass(frozen=True, slots=True)
class _File:
    blob: str
    documents: tuple[manifests.Document, ...]
    problems: tuple[manifests.Problem, ...]
    whole: bool  # whether all it names is known
    kept: tuple[Key, ...]  # objects of an earlier version, kept because this one could not be read to its end


class Admission:
    def __init__(
        self,
        git: source.GitSource,
        repo_uid: str,
        builtins: Iterable[manifests.Document],
        cache: caches.ParseCache | None = None,
    ) -> None:
        self._git = git
        self._repo_uid = repo_uid
        self._cache = cache
        self._builtins = {document.key: document for document in builtins}
        self._files: dict[str, _File] = {}
        self._claims: dict[Key, list[str]] = {}
        self._troubled: dict[Key, dict[str, None]] = {}  # the files whose problems stand in the way of an object
        self._tree: Oid | None = None
        self._commit: Oid | None = None
        self._unreadable: dict[str, None] = {}  # the files that hide what they hold
        self._leaving = leaving.Leaving()
        self._relations = manifests.Relations(self._builtins.values())
        self._returning: dict[Key, None] = {}  # written again while the removed one of that name is still ending
        self._started = False

    def facts(self, state: State) -> list[events.Event]:
        """Everything that changed since the last call; the first look at a tree compares all of it with the state."""
        observed = self._git.observe(self._tree)
        free = [key for key in self._returning if key not in state.objects]
        if observed is not None and observed.commit == self._commit:
            again = free or (state.blocked is not None and state.blocked.confirmed)
            return self._decide(state, dict.fromkeys([*free, *self._leaving.again()]), observed.commit) if again else []
        affected = dict.fromkeys([*free, *(() if self._started else self._builtins)])
        self._started = True
        if observed is None:  # nothing is known of git, so nothing of it is withdrawn
            return self._decide(state, affected, "") if affected else []
        facts: list[events.Event] = []
        if state.revision is None or state.revision.commit != observed.commit:
            facts.append(self._revision(state, observed))
        held = _held_by_path(state)
        if observed.full:
            affected.update({key: None for key, obj in state.objects.items() if leaving.from_git(obj)})
            listed = {change.path for change in observed.changes}
            for path in [path for path in self._files if path not in listed]:
                affected.update(self._take_in(path, None, held))
        for change in observed.changes:
            affected.update(self._take_in(change.path, change.new_oid, held))
        self._settle_cache(observed)
        affected.update(self._leaving.again())
        affected.update(dict.fromkeys(self._relate(state, affected)))
        self._tree, self._commit = observed.tree, observed.commit
        broke = [change.path for change in observed.changes if change.path in self._unreadable]
        return facts + self._decide(state, affected, observed.commit, broke)

    def _revision(self, state: State, observed: source.Observation) -> events.RevisionObserved:
        before = state.revision
        return events.RevisionObserved(
            SOURCE,
            ref=self._git.ref,
            commit=observed.commit,
            tree=observed.tree,
            roots=self._git.roots,
            rewritten=before is not None
            and before.ref == self._git.ref
            and not self._git.repo.contains(observed.commit, before.commit),
        )

    # --- files --------------------------------------------------------------------------------------------------

    def _take_in(self, path: str, oid: Oid | None, held: dict[str, list[Key]]) -> dict[Key, None]:
        """Replace what the file held; every key it names or named is affected."""
        before = self._files.pop(path, None)
        self._unreadable.pop(path, None)
        troubled = _problem_keys(path, before) if before is not None else []
        for key in troubled:
            self._troubled.get(key, {}).pop(path, None)
        old_keys = _keys_of(before) if before is not None else list(held.get(path, ()))
        affected = dict.fromkeys([*old_keys, *troubled])
        for key in old_keys:
            if path in self._claims.get(key, []):
                self._claims[key].remove(path)
        after = self._parsed(path, oid, held.get(path, [])) if oid is not None else None
        if after is None:
            return affected
        self._files[path] = after
        self._unreadable.update({} if after.whole else {path: None})
        troubled = _problem_keys(path, after)
        for key in troubled:
            self._troubled.setdefault(key, {})[path] = None
        for key in _keys_of(after):
            self._claims.setdefault(key, []).append(path)
        return affected | dict.fromkeys([*_keys_of(after), *troubled])

    def _parsed(self, path: str, oid: Oid, held: list[Key]) -> _File:
        """A file that cannot be read to its end keeps what was admitted from it, not what it only said as well."""
        try:
            loaded = self._loaded(path, oid)
        except ports.PermanentError as error:
            problem = manifests.Problem(path, 1, 1, "", str(error), "unreadable", None)
            return _File(oid, (), (problem,), False, tuple(held))
        named = {document.key for document in loaded.documents}
        refused = {Key(problem.key) for problem in loaded.problems if problem.key is not None}
        kept = tuple(key for key in held if key not in named and (not loaded.whole or key in refused))
        return _File(oid, loaded.documents, loaded.problems, loaded.whole, kept)

    def _loaded(self, path: str, oid: Oid) -> manifests.Loaded:
        known = self._cache.find(oid, path) if self._cache is not None else None
        if known is not None:
            return known
        loaded = manifests.parse(self._git.read(oid), path)
        if self._cache is not None:
            self._cache.keep(oid, loaded)
        return loaded

    def _settle_cache(self, observed: source.Observation) -> None:
        if self._cache is not None:
            self._cache.flush()
            if observed.full:
                self._cache.drop_all_but(change.new_oid for change in observed.changes if change.new_oid is not None)

    # --- objects ------------------------------------------------------------------------------------------------

    def _relate(self, state: State, affected: Iterable[Key]) -> list[Key]:
        """Which objects have come to stand well or badly with others because of these."""
        changed: dict[Key, manifests.Document | None] = {}
        kept: dict[Key, manifests.Document] = {}
        for key in affected:
            claimants = self._claims.get(key, [])
            spoken = self._spoken(key, self._holder(key, state, claimants)) if claimants else None
            in_force = _in_force(state, key) if spoken is None and (claimants or key in self._troubled) else None
            if in_force is None:
                changed[key] = spoken
            else:
                kept[key] = in_force
        return self._relations.take_in(changed, lambda key: _in_force(state, key), kept)

    def _decide(
        self, state: State, affected: dict[Key, None], commit: str, broke: Sequence[str] = ()
    ) -> list[events.Event]:
        facts: list[events.Event] = []
        gone: list[Key] = []
        for key in affected:
            problems = self._problems_of(key)
            claimants = self._claims.get(key, [])
            self._returning.pop(key, None)
            if claimants and _is_ending(state.objects.get(key)):
                self._returning[key] = None
                continue
            if not claimants:
                if problems:
                    facts += _rejection(state, key, problems)
                    continue
                gone += [key] if not self._back_to_builtin(facts, state, key) else []
                continue
            problems += self._duplicates(key, state, claimants)
            related = [(problem.path, str(problem)) for problem in self._relations.problems_of(key)]
            if related:  # good by itself, but not together with others: the last good spec stays in force
                facts += _rejection(state, key, problems + related)
                continue
            admitted = self._admit(state, key, claimants, commit, troubled=bool(problems))
            facts += admitted
            if problems:  # being admitted again takes the old problems away, so they are said again after it
                facts += _rejection(state, key, problems, again=bool(admitted))
        return facts + (self._leaving.facts(state, gone, commit, self._unreadable, broke) if commit else [])

    def _problems_of(self, key: Key) -> list[tuple[str, str]]:
        """(path, text) of every problem that stands in the way of this object."""
        return [
            (path, str(problem))
            for path in sorted(self._troubled.get(key, ()))
            for problem in self._files[path].problems
            if key in _keys_hit(path, self._files[path], problem)
        ]

    def _duplicates(self, key: Key, state: State, claimants: list[str]) -> list[tuple[str, str]]:
        if len(claimants) < 2:
            return []
        first = self._holder(key, state, claimants)
        force, *others = self._places(first, key)
        for path in sorted({*claimants} - {first}):
            others += self._places(path, key)
        return [
            (place.rsplit(":", 2)[0], f"{place}: error: {key} is also in {force}, which stays in force")
            for place in others
        ]

    def _places(self, path: str, key: Key) -> list[str]:
        lines = [document.line for document in self._files[path].documents if document.key == key]
        return [f"{path}:{line}:1" for line in lines or [1]]

    def _holder(self, key: Key, state: State, claimants: list[str]) -> str:
        """The file that speaks for this object: the one it was first admitted from, while that still names it."""
        obj = state.objects.get(key)
        admitted = obj.desired.path if obj is not None and obj.desired is not None else ""
        return admitted if admitted in claimants else sorted(claimants)[0]

    def _spoken(self, key: Key, path: str) -> manifests.Document | None:
        return next((one for one in self._files[path].documents if one.key == key), None)

    def _admit(
        self, state: State, key: Key, claimants: list[str], commit: str, *, troubled: bool
    ) -> list[events.Event]:
        path = self._holder(key, state, claimants)
        document = self._spoken(key, path)
        if document is None:
            return []  # kept from an earlier version of the file: the last good spec stays in force
        fact = self._admitted(state, self._files[path].blob, document, commit)
        return [] if _is_known(state, fact, troubled=troubled) else [fact]

    def _admitted(self, state: State, blob: str, document: manifests.Document, commit: str) -> events.ObjectAdmitted:
        key = document.key
        obj = state.objects.get(key)
        before = obj.desired if obj is not None else None
        spec_digest = digest.sha256_hex(document.spec_json)
        changed = before is None or before.spec_digest != spec_digest
        return events.ObjectAdmitted(
            key,
            uid=before.uid if before is not None else self._uid(key, commit, state.seq),
            generation=(before.generation if before is not None else 0) + (1 if changed else 0),
            spec_digest=spec_digest,
            spec=document.spec_json,
            path=document.path,
            line=document.line,
            blob=blob,
            labels=tuple(sorted(document.labels)),
            annotations=tuple(sorted(document.annotations)),
            unsupported=document.unsupported,
            harmless=document.harmless,
        )

    def _uid(self, key: Key, commit: str, seq: int) -> str:
        """Never given twice: a branch may come back to a commit, and what was removed meanwhile is another object."""
        return str(uuid.uuid5(_UID_SPACE, f"{self._repo_uid}/{key}@{commit}#{seq}"))

    def _back_to_builtin(self, facts: list[events.Event], state: State, key: Key) -> bool:
        """Whether a built-in object takes this place, as when the user's own of that name is removed."""
        if key not in self._builtins:
            return False
        fact = self._admitted(state, "", self._builtins[key], "")
        facts += [] if _is_known(state, fact, troubled=False) else [fact]
        return True


def _in_force(state: State, key: Key) -> manifests.Document | None:
    obj = state.objects.get(key)
    if obj is None or obj.desired is None or obj.withdrawn:
        return None
    return manifests.restored(key, obj.desired.spec, obj.desired.path, obj.desired.line)


def _is_ending(obj: Object | None) -> bool:
    """Removed from git while it worked: it ends first, and what is written now becomes an object of its own."""
    return obj is not None and obj.withdrawn and obj.task is not None


def _is_known(state: State, fact: events.ObjectAdmitted, *, troubled: bool) -> bool:
    """Whether the state holds all of it already; problems in the state that are gone make it news."""
    obj = state.objects.get(fact.key)
    desired = obj.desired if obj is not None else None
    if obj is None or desired is None or obj.withdrawn or (obj.problems and not troubled):
        return False
    old = (desired.spec_digest, desired.path, desired.line, desired.blob, desired.labels, desired.annotations)
    if old != (fact.spec_digest, fact.path, fact.line, fact.blob, fact.labels, fact.annotations):
        return False
    # A later release may have learnt what this one leaves undone, with nothing changed in git.
    return (desired.unsupported, desired.harmless) == (fact.unsupported, fact.harmless)


def _rejection(state: State, key: Key, problems: list[tuple[str, str]], *, again: bool = False) -> list[events.Event]:
    texts = tuple(text for _, text in problems)
    obj = state.objects.get(key)
    if obj is not None and obj.problems == texts and not again:
        return []
    return [events.ObjectRejected(key, path=problems[0][0], problems=texts)]


def _keys_of(file: _File) -> list[Key]:
    return [*(document.key for document in file.documents), *file.kept]


def _keys_hit(path: str, file: _File, problem: manifests.Problem) -> tuple[Key, ...]:
    """The objects a problem stands in the way of; one that stands for the file when nobody can tell."""
    if problem.key is not None:
        return (Key(problem.key),)
    name = f"{names.slug(path)}-{digest.short_digest(path, 8)}"
    return file.kept or (key_of("Manifest", "default", name),)


def _problem_keys(path: str, file: _File) -> list[Key]:
    return [key for problem in file.problems for key in _keys_hit(path, file, problem)]


def _held_by_path(state: State) -> dict[str, list[Key]]:
    """Which objects each file was last known to hold, for files not taken in by this process yet."""
    held: dict[str, list[Key]] = {}
    for key, obj in state.objects.items():
        if obj.desired is not None and not obj.desired.path.startswith(leaving.BUILTIN):
            held.setdefault(obj.desired.path, []).append(key)
    return held
