"""Who said what the manifests say: the author of the commit that last changed the file, as far as anybody cares.

Wraps the admission, which knows trees and no history. An author is a claim (APP-2): it is recorded as one, and a policy
that wants a signature does not take it. Only the kinds where a decision depends on it are looked up, and only files
whose objects are admitted now, in one walk along the first parents.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

from orchctl.adapters.gitsource import repository, treediff
from orchctl.core import events, judgements
from orchctl.core.ids import Key, Oid, kind_of
from orchctl.core.judgements import Principal
from orchctl.core.state import State

BUILTIN = "builtin:"
KINDS = ("Task", "Approval")
COMMITS_WALKED_MAX = 2_000  # further back nobody is known, and a policy that has to know lets nobody through


class Facts(Protocol):
    def facts(self, state: State) -> list[events.Event]: ...


class Attributed:
    def __init__(self, admitted: Facts, repo: repository.ControlRepo) -> None:
        self._admitted = admitted
        self._repo = repo

    def facts(self, state: State) -> list[events.Event]:
        found = self._admitted.facts(state)
        moved = next((one for one in reversed(found) if isinstance(one, events.RevisionObserved)), None)
        wanted = {one.path for one in found if isinstance(one, events.ObjectAdmitted) and _is_asked_about(one)}
        held = _held(state) if moved is not None and moved.rewritten else {}
        if not wanted and not held:
            return found
        commit = moved.commit if moved is not None else state.revision.commit if state.revision is not None else None
        known = self._authors(commit, wanted | set(held.values())) if commit is not None else {}
        again = [key for key, path in held.items() if known.get(path) != state.objects[key].principal]
        return [
            *(_attributed(one, known) for one in found),
            *(judgements.PrincipalFound(key, principal=known.get(held[key])) for key in again),
        ]

    def _authors(self, commit: Oid, wanted: set[str]) -> dict[str, Principal]:
        """By path, who changed it last, each change counted for the commit that brought it to this branch."""
        found: dict[str, Principal] = {}
        roots = tuple(sorted(wanted))
        for _ in range(COMMITS_WALKED_MAX):
            parent = self._repo.first_parent(commit)
            before = self._repo.tree_of(parent) if parent is not None else None
            changes = treediff.changes(self._repo.read_tree, before, self._repo.tree_of(commit), _folders(roots))
            for path in [one.path for one in changes if one.path in wanted and one.path not in found]:
                name = self._repo.author_of(commit)
                found[path] = Principal(name=name.lower(), commit=commit)
            if parent is None or len(found) == len(wanted):
                return found
            commit = parent
        return found


def _held(state: State) -> dict[Key, str]:
    """The files of all objects whose author matters: after a rewritten history each is looked up again (GIT-6)."""
    found = {}
    for key, obj in state.objects.items():
        if kind_of(key) in KINDS and obj.desired is not None and not obj.desired.path.startswith(BUILTIN):
            found[key] = obj.desired.path
    return found


def _is_asked_about(fact: events.ObjectAdmitted) -> bool:
    return kind_of(fact.key) in KINDS and not fact.path.startswith(BUILTIN)


def _folders(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The topmost folders of the paths: what a comparison of trees has to look into."""
    return tuple(dict.fromkeys(path.split("/", 1)[0] if "/" in path else "" for path in paths))


def _attributed(fact: events.Event, known: dict[str, Principal]) -> events.Event:
    if not isinstance(fact, events.ObjectAdmitted) or not _is_asked_about(fact):
        return fact
    return dataclasses.replace(fact, principal=known.get(fact.path))
