"""What each manifest file held when it was last read, and which objects that names or stands in the way of.

Called by admission, so that a new commit costs only the files it changed. A file that cannot be read to its end keeps
what was admitted from it (GIT-3).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from orchctl.adapters import manifests
from orchctl.adapters.gitsource import source
from orchctl.adapters.manifests import cache as caches
from orchctl.core import ports, sources
from orchctl.core.ids import Key, Oid, key_of
from orchctl.kit import digest, names

Held = Mapping[str, list[Key]]  # which objects each file was last known to hold, for files that were not read yet


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    blob: str
    documents: tuple[manifests.Document, ...]
    problems: tuple[manifests.Problem, ...]
    whole: bool  # whether all it names is known
    kept: tuple[Key, ...]  # objects of an earlier version, kept because this one could not be read to its end


class Holdings:
    def __init__(self, git: source.GitSource, cache: caches.ParseCache | None) -> None:
        self._git = git
        self._cache = cache
        self._files: dict[str, File] = {}
        self._claims: dict[Key, list[str]] = {}
        self._troubled: dict[Key, dict[str, None]] = {}  # the files whose problems stand in the way of an object
        self.unreadable: dict[str, None] = {}  # the files that hide what they hold

    def take_in_all(self, observed: source.Observation, held: Held, roots: tuple[str, ...]) -> dict[Key, None]:
        """Every key that the changed files name or named. Below other folders than the roots only Settings count."""
        affected: dict[Key, None] = {}
        if observed.full:
            listed = {change.path for change in observed.changes}
            for path in [path for path in self._files if path not in listed]:
                affected.update(self._take_in(path, None, held, roots))
        for change in observed.changes:
            affected.update(self._take_in(change.path, change.new_oid, held, roots))
        self._settle_cache(observed)
        return affected

    def forget(self) -> dict[Key, None]:
        """As at a start. The keys that were known."""
        known = dict.fromkeys([*self._claims, *self._troubled])
        self._files, self._claims, self._troubled, self.unreadable = {}, {}, {}, {}
        return known

    def claimants(self, key: Key) -> list[str]:
        """The files that name this object."""
        return self._claims.get(key, [])

    def is_troubled(self, key: Key) -> bool:
        return key in self._troubled

    def file(self, path: str) -> File:
        return self._files[path]

    def document(self, path: str, key: Key) -> manifests.Document | None:
        return next((one for one in self._files[path].documents if one.key == key), None)

    def places(self, path: str, key: Key) -> list[str]:
        """Where in the file the object is."""
        lines = [document.line for document in self._files[path].documents if document.key == key]
        return [f"{path}:{line}:1" for line in lines or [1]]

    def problems_of(self, key: Key) -> list[tuple[str, str]]:
        """(path, text) of every problem that stands in the way of this object."""
        return [
            (path, str(problem))
            for path in sorted(self._troubled.get(key, ()))
            for problem in self._files[path].problems
            if key in _keys_hit(path, self._files[path], problem)
        ]

    def _take_in(self, path: str, oid: Oid | None, held: Held, roots: tuple[str, ...]) -> dict[Key, None]:
        """Replace what the file held; every key it names or named is affected."""
        before = self._files.pop(path, None)
        self.unreadable.pop(path, None)
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
        if not sources.is_below(path, roots):
            after = _settings_only(after)
        self._files[path] = after
        self.unreadable.update({} if after.whole else {path: None})
        troubled = _problem_keys(path, after)
        for key in troubled:
            self._troubled.setdefault(key, {})[path] = None
        for key in _keys_of(after):
            self._claims.setdefault(key, []).append(path)
        return affected | dict.fromkeys([*_keys_of(after), *troubled])

    def _parsed(self, path: str, oid: Oid, held: list[Key]) -> File:
        """A file that cannot be read to its end keeps what was admitted from it, not what it only said as well."""
        try:
            loaded = self._loaded(path, oid)
        except ports.PermanentError as error:
            problem = manifests.Problem(path, 1, 1, "", str(error), "unreadable", None)
            return File(oid, (), (problem,), False, tuple(held))
        named = {document.key for document in loaded.documents}
        refused = {Key(problem.key) for problem in loaded.problems if problem.key is not None}
        kept = tuple(key for key in held if key not in named and (not loaded.whole or key in refused))
        return File(oid, loaded.documents, loaded.problems, loaded.whole, kept)

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


def _settings_only(file: File) -> File:
    kept = tuple(key for key in file.kept if key == sources.SETTINGS)
    of_them = (sources.SETTINGS, None) if kept else (sources.SETTINGS,)  # None: nobody can tell whose it is
    return File(
        file.blob,
        tuple(document for document in file.documents if document.key == sources.SETTINGS),
        tuple(problem for problem in file.problems if problem.key in of_them),
        file.whole or not kept,
        kept,
    )


def _keys_of(file: File) -> list[Key]:
    return [*(document.key for document in file.documents), *file.kept]


def _keys_hit(path: str, file: File, problem: manifests.Problem) -> tuple[Key, ...]:
    """The objects a problem stands in the way of; one that stands for the file when nobody can tell."""
    if problem.key is not None:
        return (Key(problem.key),)
    name = f"{names.slug(path)}-{digest.short_digest(path, 8)}"
    return file.kept or (key_of("Manifest", "default", name),)


def _problem_keys(path: str, file: File) -> list[Key]:
    return [key for problem in file.problems for key in _keys_hit(path, file, problem)]
