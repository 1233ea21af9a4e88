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
from orchctl.app import holdings, leaving, pruning, revisions
from orchctl.core import events, sources
from orchctl.core.ids import SOURCE, Key, Oid
from orchctl.core.state import Object, State
from orchctl.kit import digest

REACHES_MAX = 3  # Settings that are read say what is read; two of them could go on saying so for ever
_UID_SPACE = uuid.UUID("6f0bb0a6-2f0e-5f0e-9d53-7f2a4c1b7c11")


@dataclasses.dataclass(frozen=True, slots=True)
class _Reach:
    """Which folders are read: for everything, and for Settings alone."""

    roots: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.roots, *self.settings]))


@dataclasses.dataclass(frozen=True, slots=True)
class _Taken:
    """What is taken in now."""

    commit: Oid
    tree: Oid
    reach: _Reach
    settings: sources.SourceSettings


class Admission:
    def __init__(
        self,
        git: source.GitSource,
        repo_uid: str,
        builtins: Iterable[manifests.Document],
        cache: caches.ParseCache | None = None,
        heads: revisions.Revisions | None = None,
    ) -> None:
        self._git = git
        self._heads = heads or revisions.Revisions(git)
        self._repo_uid = repo_uid
        self._builtins = {document.key: document for document in builtins}
        self._files = holdings.Holdings(git, cache)
        self._taken: _Taken | None = None
        self._leaving = leaving.Leaving()
        self._relations = manifests.Relations(self._builtins.values())
        self._returning: dict[Key, None] = {}  # written again while the removed one of that name is still ending
        self._started = False
        self._broke: list[str] = []  # the files that hide what they hold since the last look at a tree

    def facts(self, state: State) -> list[events.Event]:
        """Everything that changed since the last call; the first look at a tree compares all of it with the state."""
        head = self._heads.head(state, sources.in_force(state))
        facts = self._of_head(state, head)
        settings = self._taken.settings if self._taken is not None else sources.DEFAULT
        if settings.verify and not sources.in_force(state).verify and not head.signer and not head.refused:
            asked = self._heads.asked_to_be_signed(state, head)
            facts = self._without(state, asked) if asked.refused else _signed(facts, asked.signer)
            head = asked
        return [*head.facts, *facts]

    def _without(self, state: State, head: revisions.Head) -> list[events.Event]:
        """What was taken in is not taken up after all: everything is looked at again, without it."""
        self._files.forget()
        self._relations = manifests.Relations(self._builtins.values())
        self._taken, self._started = None, False
        return self._of_head(state, head)

    def _of_head(self, state: State, head: revisions.Head) -> list[events.Event]:
        free = [key for key in self._returning if key not in state.objects]
        settings, reach = self._settings(state), self._reach(state)
        taken = self._taken
        if taken is not None and (head.commit, reach) == (taken.commit, taken.reach):
            confirmed = state.blocked is not None and state.blocked.confirmed
            if not (free or confirmed or settings != taken.settings):
                return self._again(state, head)
            self._taken = taken = dataclasses.replace(taken, settings=settings)
            affected = dict.fromkeys([*free, *self._leaving.again()])
            return self._again(state, head) + self._decide(state, affected, self._look(taken))
        affected = dict.fromkeys([*free, *(() if self._started else self._builtins)])
        self._started = True
        if head.commit is None:  # nothing is known of git, so nothing of it is withdrawn
            return self._decide(state, affected, None) if affected else []
        affected.update(self._take_up(state, head.commit, reach))
        affected.update(self._leaving.again())
        affected.update(dict.fromkeys(self._relate(state, affected)))
        taken = self._taken
        assert taken is not None
        return self._revision(state, head, taken) + self._decide(state, affected, self._look(taken), self._broke)

    def _look(self, taken: _Taken) -> pruning.Look:
        def has_file(path: str) -> bool:
            return self._git.repo.has_file(taken.commit, path)

        return pruning.Look(taken.commit, taken.settings, has_file)

    def _take_up(self, state: State, commit: Oid, reach: _Reach) -> dict[Key, None]:
        """Read what differs from the tree before; the keys that touches. The Settings found say where to read on."""
        affected: dict[Key, None] = {}
        self._broke = []
        for _ in range(REACHES_MAX):
            if self._taken is not None and self._taken.reach != reach:
                affected.update(self._files.forget())
                self._taken = None
            before = self._taken.tree if self._taken is not None else None
            observed = self._git.observe(commit, before, reach.all)
            if observed.full:
                affected.update({key: None for key, obj in state.objects.items() if leaving.from_git(obj)})
            affected.update(self._files.take_in_all(observed, _held_by_path(state), reach.roots))
            self._broke += [change.path for change in observed.changes if change.path in self._files.unreadable]
            self._taken = _Taken(commit, observed.tree, reach, self._settings(state))
            if (wanted := self._reach(state)) == reach:
                break
            reach = wanted
        return affected

    def _settings(self, state: State) -> sources.SourceSettings:
        """As the manifests say that were read; those in force while they cannot be read or may not leave."""
        key = sources.SETTINGS
        claimants = self._files.claimants(key)
        document = self._files.document(self._holder(key, state, claimants), key) if claimants else None
        return sources.in_force(state) if document is None else sources.settings_of(document.spec_json)

    def _reach(self, state: State) -> _Reach:
        """Settings are looked for in the default folder and in the one they are in, whatever paths they name."""
        obj = state.objects.get(sources.SETTINGS)
        folders: tuple[str, ...] = sources.DEFAULT_ROOTS
        if obj is not None and obj.desired is not None and not obj.withdrawn:
            path = obj.desired.path
            folders += () if sources.is_below(path, folders) else (path.rpartition("/")[0],)
        return _Reach(self._settings(state).roots, folders)

    def _revision(self, state: State, head: revisions.Head, taken: _Taken) -> list[events.Event]:
        before, roots = state.revision, taken.reach.all
        if before is not None and (before.commit, before.roots) == (taken.commit, roots):
            return self._again(state, head)
        return [
            events.RevisionObserved(
                SOURCE,
                ref=self._git.ref,
                commit=taken.commit,
                tree=taken.tree,
                roots=roots,
                rewritten=before is not None
                and before.ref == self._git.ref
                and not self._git.repo.contains(taken.commit, before.commit),
                signer=head.signer,
            )
        ]

    def _again(self, state: State, head: revisions.Head) -> list[events.Event]:
        """The ref is back at the commit in force, and the other one is no longer what it is at."""
        before = state.revision
        if head.refused or before is None or revisions.told_of(state).refused is None or head.commit != before.commit:
            return []
        return [
            events.RevisionObserved(SOURCE, before.ref, before.commit, before.tree, before.roots, signer=head.signer)
        ]

    # --- objects ------------------------------------------------------------------------------------------------

    def _relate(self, state: State, affected: Iterable[Key]) -> list[Key]:
        """Which objects have come to stand well or badly with others because of these."""
        changed: dict[Key, manifests.Document | None] = {}
        kept: dict[Key, manifests.Document] = {}
        for key in affected:
            claimants = self._files.claimants(key)
            spoken = self._files.document(self._holder(key, state, claimants), key) if claimants else None
            unsure = spoken is None and (claimants or self._files.is_troubled(key))
            in_force = _in_force(state, key) if unsure else None
            if in_force is None:
                changed[key] = spoken
            else:
                kept[key] = in_force
        return self._relations.take_in(changed, lambda key: _in_force(state, key), kept)

    def _decide(
        self, state: State, affected: dict[Key, None], look: pruning.Look | None, broke: Sequence[str] = ()
    ) -> list[events.Event]:
        commit = look.commit if look is not None else ""
        facts: list[events.Event] = []
        gone: list[Key] = []
        for key in affected:
            problems = self._files.problems_of(key)
            claimants = self._files.claimants(key)
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
        if look is None:
            return facts
        arriving = sum(1 for fact in facts if isinstance(fact, events.ObjectAdmitted) and _is_new(fact, state))
        look = dataclasses.replace(look, arriving=arriving)
        return facts + self._leaving.facts(state, gone, look, self._files.unreadable, broke)

    def _duplicates(self, key: Key, state: State, claimants: list[str]) -> list[tuple[str, str]]:
        if len(claimants) < 2:
            return []
        first = self._holder(key, state, claimants)
        force, *others = self._files.places(first, key)
        for path in sorted({*claimants} - {first}):
            others += self._files.places(path, key)
        return [
            (place.rsplit(":", 2)[0], f"{place}: error: {key} is also in {force}, which stays in force")
            for place in others
        ]

    def _holder(self, key: Key, state: State, claimants: list[str]) -> str:
        """The file that speaks for this object: the one it was first admitted from, while that still names it."""
        obj = state.objects.get(key)
        admitted = obj.desired.path if obj is not None and obj.desired is not None else ""
        if key == sources.SETTINGS:  # these must not depend on what they say themselves
            claimants = [path for path in claimants if sources.is_below(path, sources.DEFAULT_ROOTS)] or claimants
        return admitted if admitted in claimants else sorted(claimants)[0]

    def _admit(
        self, state: State, key: Key, claimants: list[str], commit: str, *, troubled: bool
    ) -> list[events.Event]:
        path = self._holder(key, state, claimants)
        document = self._files.document(path, key)
        if document is None:
            return []  # kept from an earlier version of the file: the last good spec stays in force
        fact = self._admitted(state, self._files.file(path).blob, document, commit)
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


def _signed(facts: list[events.Event], signer: str) -> list[events.Event]:
    return [
        dataclasses.replace(fact, signer=signer) if isinstance(fact, events.RevisionObserved) else fact
        for fact in facts
    ]


def _is_new(fact: events.ObjectAdmitted, state: State) -> bool:
    obj = state.objects.get(fact.key)
    is_there = obj is not None and leaving.from_git(obj) and not obj.withdrawn
    return not is_there and not fact.path.startswith(leaving.BUILTIN)


def _held_by_path(state: State) -> dict[str, list[Key]]:
    """Which objects each file was last known to hold, for files not taken in by this process yet."""
    held: dict[str, list[Key]] = {}
    for key, obj in state.objects.items():
        if obj.desired is not None and not obj.desired.path.startswith(leaving.BUILTIN):
            held.setdefault(obj.desired.path, []).append(key)
    return held
