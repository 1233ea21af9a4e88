"""What stands in the way of documents because of other documents, kept up to date as some of them change.

Called by admission with what each look at git changed, and by lint with everything at once, so both say the same
(GIT-7). Judges only what changed and what looked that up. A name nothing has is not among its findings: in the
controller it is waited for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Iterable, Iterator, Mapping

import pydantic

from orchctl.adapters.manifests import circles, references, relations
from orchctl.adapters.manifests.loader import field_path
from orchctl.adapters.manifests.problems import Document, Problem, Reference
from orchctl.api import registry
from orchctl.core.ids import Key, kind_of, name_of, namespace_of
from orchctl.kit import digest

InForce = Callable[[Key], Document | None]


class Relations:
    def __init__(self, built_in: Iterable[Document]) -> None:
        self._tree = relations.Tree(built_in)
        self._judged: dict[Key, None] = {}
        self._found: dict[Key, tuple[Problem, ...]] = {}
        self._circles: dict[Key, Problem] = {}
        self._knots: dict[Key, list[tuple[Key, ...]]] = {}  # those each is in, refused or not
        self._edges: dict[Key, tuple[Key, ...]] = {}
        self._reads: dict[Key, dict[Key, None]] = {}
        self._read_by: dict[Key, dict[Key, None]] = {}

    def take_in(
        self, changed: Mapping[Key, Document | None], in_force: InForce, kept: Mapping[Key, Document] | None = None
    ) -> list[Key]:
        """The documents whose problems are others than before. `kept` stay in force and are not judged themselves."""
        dirty: dict[Key, None] = {}
        for key, document in {**changed, **(kept or {})}.items():
            if document is None or key not in changed:
                self._judged.pop(key, None)
            else:
                self._judged[key] = None
            if self._tree.put(key, document):
                dirty[key] = None
                dirty.update(self._read_by.get(key, {}))
                if kind_of(key) == "Project":
                    dirty.update(self._read_by.get(relations.projects_key(namespace_of(key)), {}))
        self._add_those_in_circles_with(dirty)
        before = {key: self.problems_of(key) for key in dirty}
        starts = [key for key in dirty if self._judge(key) and kind_of(key) in circles.KINDS]
        self._find_circles(starts, in_force)
        return [key for key in dirty if self.problems_of(key) != before[key]]

    def _add_those_in_circles_with(self, dirty: dict[Key, None]) -> None:
        reached = list(dirty)
        while reached:
            for knot in self._knots.pop(reached.pop(), ()):
                reached += [key for key in knot if key not in dirty]
                dirty.update(dict.fromkeys(knot))

    def problems_of(self, key: Key) -> tuple[Problem, ...]:
        circle = self._circles.get(key)
        return (*self._found.get(key, ()), *((circle,) if circle is not None else ()))

    def problems(self) -> Iterator[Problem]:
        """Of all documents; a circle is one at each of its edges, as any of them may be the one to take out."""
        for found in self._found.values():
            yield from found
        yield from self._circles.values()

    def _judge(self, key: Key) -> bool:
        """Whether circles may now be others than before: an edit of a priority, say, neither closes nor opens one."""
        edges, stood = self._edges.get(key), bool(self.problems_of(key))
        self._forget(key)
        document = self._tree.at(key)
        if document is None or key not in self._judged:
            return True
        self._tree.looked_up = {}
        found = tuple(_located(each) for each in relations.findings(self._tree, document))
        self._edges[key] = tuple(circles.edges_of(self._tree, document))
        self._read(key, self._tree.looked_up)
        if found:
            self._found[key] = found
        return stood or bool(found) or self._edges[key] != edges

    def _forget(self, key: Key) -> None:
        self._found.pop(key, None)
        self._circles.pop(key, None)
        self._edges.pop(key, None)
        for read in self._reads.pop(key, {}):
            del self._read_by[read][key]

    def _read(self, key: Key, others: Iterable[Key]) -> None:
        for other in others:
            self._reads.setdefault(key, {})[other] = None
            self._read_by.setdefault(other, {})[key] = None

    # --- circles ------------------------------------------------------------------------------------------------

    def _find_circles(self, starts: list[Key], in_force: InForce) -> None:
        """Refuses those whose edit closes a circle: first in what git says, then with what stays in force instead."""
        if not starts:
            return
        wanted: dict[Key, Mapping[Key, circles.Edge]] = {}

        def of_git(key: Key) -> Mapping[Key, circles.Edge]:
            if key not in wanted:
                document = self._tree.at(key)
                wanted[key] = circles.edges_of(self._tree, document) if document is not None else {}
            return wanted[key]

        def held(key: Key) -> Mapping[Key, circles.Edge]:
            document = in_force(key)
            return circles.edges_of(self._tree, document) if document is not None else {}

        def standing(key: Key) -> Mapping[Key, circles.Edge]:
            return held(key) if key in self._circles or key in self._found else of_git(key)

        for knot in circles.knots(starts, of_git):
            judged = [key for key in knot if key in self._judged]
            inside = frozenset(knot)
            self._refuse([key for key in judged if _closes(inside, of_git(key), held(key))] or judged, knot, of_git)
        while self._circles or self._found:
            before = len(self._circles)
            for knot in circles.knots(starts, standing):
                free = [key for key in knot if key in self._judged and key not in self._circles]
                inside = frozenset(knot)
                self._refuse([key for key in free if _closes(inside, standing(key), held(key))], knot, standing)
            if len(self._circles) == before:
                return

    def _refuse(self, keys: list[Key], knot: list[Key], edges: circles.Edges) -> None:
        members = tuple(knot)
        for key in members:
            self._knots.setdefault(key, []).append(members)
        for number, key in enumerate(keys):
            document = self._tree.at(key)
            assert document is not None
            if number < circles.WRITTEN_OUT_MAX:
                way = circles.circle(key, knot, edges)
                field, message = way[0].field, circles.message(key, way)
            else:
                field, message = "", circles.message_of_many(key, len(knot), keys[0])
            self._circles[key] = _located(relations.Finding(document, field, message, "cycle"))


def restored(key: Key, spec_json: str, path: str, line: int) -> Document | None:
    """A document as far as it is known of an object in force: its names all stand where it begins.

    Defaults are filled in again, as another release may have admitted it; None if that is of a form not known here.
    """
    kind, namespace, name = kind_of(key), namespace_of(key), name_of(key)
    try:
        spec = _specs(kind).validate_json(spec_json)
    except pydantic.ValidationError:
        return None
    dumped = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    names = references.of_spec(kind, dumped)
    found = tuple(Reference(field_path(at), line, 1, wanted, name) for at, wanted, name in names)
    return Document(kind, namespace, name, digest.canonical_json(dumped), (), (), path, 0, line, references=found)


@functools.cache
def _specs(kind: str) -> pydantic.TypeAdapter[pydantic.BaseModel]:
    model = registry.MODELS[kind].model_fields["spec"].annotation
    assert isinstance(model, type)
    return pydantic.TypeAdapter(model)


def _closes(knot: Container[Key], new: Mapping[Key, circles.Edge], old: Mapping[Key, circles.Edge]) -> bool:
    return any(key in knot and key not in old for key in new)


def _located(finding: relations.Finding) -> Problem:
    """At the name it is about, else where the document begins."""
    document = finding.document
    places = {each.field: (each.line, each.column) for each in document.references}
    line, column = places.get(finding.field, (document.line, 1))
    return Problem(document.path, line, column, finding.field, finding.message, finding.code, document.key)
