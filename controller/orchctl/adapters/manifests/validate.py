"""Checks between documents: two files for one identity, names that nothing has.

Called by lint over all documents of a tree. The controller resolves references itself, at run time, where a missing
one waits with a reason; here it is said before anything is committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchctl.adapters.manifests import catalog, references, relations
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
    problems += [_located(each) for each in relations.findings(relations.Tree(listed, catalog.documents()))]
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


def _located(finding: relations.Finding) -> Problem:
    """At the name it is about, else where the document begins."""
    document = finding.document
    places = {each.field: (each.line, each.column) for each in document.references}
    line, column = places.get(finding.field, (document.line, 1))
    return Problem(document.path, line, column, finding.field, finding.message, finding.code, document.key)


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
