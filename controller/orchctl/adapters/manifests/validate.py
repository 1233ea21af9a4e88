"""Checks between documents: two files for one identity, names that nothing has.

Called by lint over all documents of a tree. In the controller admission does the same, but for names that nothing
has: those are resolved at run time, where a missing one waits with a reason. Here they are said before anything is
committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchctl.adapters.manifests import catalog, references, relating
from orchctl.adapters.manifests.problems import Document, Problem, Reference, by_position
from orchctl.api import kinds
from orchctl.core.ids import Key, key_of, kind_of, name_of
from orchctl.kit import text


def check_references(documents: Iterable[Document]) -> tuple[Problem, ...]:
    """Problems of the documents taken together. The built-ins count as there, in every namespace."""
    listed = tuple(documents)
    known = {each.key for each in listed}
    built_in = {(each.kind, each.name) for each in catalog.documents()}
    problems = list(_duplicates(listed))
    problems += _between(listed)
    for document in listed:
        for reference in document.references:
            kind, name = reference.kind, reference.name
            if kind not in kinds.KINDS or kind in references.MADE_AT_RUN_TIME:
                continue
            namespace, slash, short = name.partition("/") if "/" in name else (document.namespace, "", name)
            key = key_of(kind, kinds.KINDS[kind].namespace(namespace), short)
            if key not in known and ((kind, name) not in built_in or slash):
                choices = {name_of(each) for each in known if kind_of(each) == kind}
                choices |= {each for of_kind, each in built_in if of_kind == kind}
                problems.append(_dangling(document, reference, sorted(choices)))
    return tuple(sorted(problems, key=by_position))


def _between(documents: Sequence[Document]) -> Iterator[Problem]:
    """Judged as a controller would that has seen none of them yet: of two with one identity the first speaks."""
    related = relating.Relations(catalog.documents())
    first: dict[Key, Document | None] = {}
    for document in documents:
        first.setdefault(document.key, document)
    related.take_in(first, in_force=lambda _: None)
    yield from related.problems()


def _dangling(document: Document, reference: Reference, choices: Sequence[str]) -> Problem:
    near = text.did_you_mean(reference.name, choices)
    hint = f", did you mean '{near}'?" if near else ""
    article = "an" if reference.kind == "Agent" else "a"
    message = f"must be the name of {article} {reference.kind}; there is no '{reference.name}'{hint}"
    at = (document.path, reference.line, reference.column, reference.field)
    return Problem(*at, message, "unknown_reference", document.key)


def _duplicates(documents: Sequence[Document]) -> Iterator[Problem]:
    first: dict[Key, Document] = {}
    for document in documents:
        other = first.setdefault(document.key, document)
        if other is document:
            continue
        for here, there in ((other, document), (document, other)):
            message = f"must be defined once; {here.kind} '{here.name}' is also in {there.path}:{there.line}"
            yield Problem(here.path, here.line, 1, "metadata.name", message, "duplicate_identity", here.key)
