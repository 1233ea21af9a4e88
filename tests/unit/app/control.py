"""A control repo in a folder, its admission, and the state that the admitted facts add up to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

import pygit2

from orchctl.adapters import manifests
from orchctl.adapters.gitsource import source
from orchctl.adapters.manifests import cache
from orchctl.app import admission
from orchctl.core import events, runtime
from orchctl.core.ids import Key, Oid
from orchctl.core.state import Object, State

WHO = pygit2.Signature("Dev", "dev@example.invalid", 1_700_000_000, 0)
MAIN = "refs/heads/main"
REPO_UID = "0" * 32
BROKEN = 'a: "never closed\n'


def role(name: str, text: str = "Write code.", labels: str = "") -> str:
    head = "apiVersion: orchctl.dev/v1alpha1\nkind: Role\n"
    return f"{head}metadata:\n  name: {name}\n  labels: {{{labels}}}\nspec:\n  system: {text}\n"


def invalid(name: str) -> str:
    return role(name) + "  unknown: field\n"


def both(*documents: str) -> str:
    return "---\n".join(documents)


BUILTIN = manifests.parse(role("coder", "Built in.").encode(), "builtin:roles/coder.yaml").documents


def key(name: str) -> Key:
    return Key(f"Role/default/{name}")


class CountingSource(source.GitSource):
    """Counts the blobs it reads."""

    reads = 0

    def read(self, oid: Oid) -> bytes:
        self.reads += 1
        return super().read(oid)


class Control:
    """Commits trees, and takes in what admission makes of them as the controller does."""

    def __init__(
        self, folder: Path, builtins: Iterable[manifests.Document] = (), cache_file: Path | None = None
    ) -> None:
        self.cache_file = cache_file
        self.repo = pygit2.init_repository(str(folder), bare=True, initial_head="main")
        self.builtins = tuple(builtins)
        self.machine = runtime.Runtime(State())
        self.turns = 0
        self.caches: list[cache.ParseCache] = []  # kept as a killed process leaves them, until `close`
        self.restart()

    def close(self) -> None:
        while self.caches:
            self.caches.pop().close()

    def restart(self) -> None:
        """A new process: what admission knew is gone, the state is as it was folded."""
        self.source = CountingSource(self.repo.path, MAIN)
        parsed = cache.ParseCache(self.cache_file) if self.cache_file is not None else None
        self.caches += [parsed] if parsed is not None else []
        self.admission = admission.Admission(self.source, REPO_UID, self.builtins, parsed)

    def tree(self, files: Mapping[str, str]) -> pygit2.Oid:
        index = pygit2.Index()
        for path, text in files.items():
            blob = self.repo.create_blob(text.encode("utf-8", "surrogateescape"))
            index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode.BLOB))
        return index.write_tree(self.repo)

    def commit(self, files: Mapping[str, str], *, amend: bool = False) -> str:
        """All manifests there are from now on, by their path below `manifests/`."""
        return self.commit_all({f"manifests/{path}": text for path, text in files.items()}, amend=amend)

    def commit_all(self, files: Mapping[str, str], *, amend: bool = False) -> str:
        """All files there are from now on, by their path."""
        parents = [self.repo.references[MAIN].target] if MAIN in self.repo.references else []
        tree = self.tree({**files, "README": "control"})
        message = f"commit {self.turns}"
        found = self.repo.create_commit(None, WHO, WHO, message, tree, [] if amend else parents)
        self.repo.references.create(MAIN, found, force=True)
        return str(found)

    def take_in(self) -> list[events.Event]:
        facts = self.admission.facts(self.machine.state)
        self.turns += 1
        self.machine.step(facts, events.Now(at=1_800_000_000.0 + self.turns, t=float(self.turns)))
        return facts

    def now(self, files: Mapping[str, str]) -> list[events.Event]:
        """Commit and take in; the facts but for the revision."""
        return self.all_now({f"manifests/{path}": text for path, text in files.items()})

    def all_now(self, files: Mapping[str, str]) -> list[events.Event]:
        self.commit_all(files)
        return [fact for fact in self.take_in() if not isinstance(fact, events.RevisionObserved)]

    def object(self, name: str) -> Object:
        return self.machine.state.objects[key(name)]

    def names(self) -> set[str]:
        return {found.rpartition("/")[2] for found in self.machine.state.objects}

    def generation(self, name: str) -> int:
        desired = self.object(name).desired
        assert desired is not None
        return desired.generation


def essence(obj: Object) -> object:
    """What git says about an object, without what depends on when it said so first."""
    if obj.desired is None:
        return None
    return dataclasses.replace(obj.desired, uid="", generation=0)


def kinds_of(facts: Iterable[events.Event]) -> list[str]:
    return [type(fact).__name__ for fact in facts]
