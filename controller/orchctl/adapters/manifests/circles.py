"""Dependencies that lead back to where they began: found from given documents on, and written out with every place.

Called by `relating`. Pure walks over edges it is given; iterative, as chains may be as long as there are documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from orchctl.adapters.manifests.problems import Document
from orchctl.adapters.manifests.relations import Tree
from orchctl.core.ids import Key, kind_of, name_of, namespace_of

KINDS = ("Task", "Pipeline")  # the only ones that wait for, or are made of, others of their kind
WRITTEN_OUT_MAX = 20  # of one knot; each costs a walk through all of it
EDGES_SHOWN_MAX = 10  # of one circle; who sees these finds the rest


class Edge(NamedTuple):
    to: Key
    field: str
    place: str  # file:line:column
    makes_tasks: bool = False


Edges = Callable[[Key], Mapping[Key, Edge]]


def edges_of(tree: Tree, document: Document) -> dict[Key, Edge]:
    """Which of its kind a document waits for or is made of, each with the first place that says so."""
    found: dict[Key, Edge] = {}
    for each in document.references:
        if each.kind == document.kind and _binds(document.kind, each.field):
            other = tree.find(each.kind, document.namespace, each.name)
            if other is not None:
                place = f"{document.path}:{each.line}:{each.column}"
                found.setdefault(other.key, Edge(other.key, each.field, place, ".tasks." in each.field))
    return found


def _binds(kind: str, field: str) -> bool:
    if kind == "Task":
        return field.startswith(("spec.dependsOn[", "spec.base."))
    return kind == "Pipeline" and field.endswith((".use.pipeline", ".tasks.template.spec.pipeline"))


def knots(starts: Iterable[Key], edges: Edges) -> list[list[Key]]:
    """The groups, reachable from `starts`, whose members all lead to one another (Tarjan's, without recursion)."""
    order: dict[Key, int] = {}
    low: dict[Key, int] = {}
    open_: dict[Key, None] = {}
    found: list[list[Key]] = []
    for start in starts:
        if start in order:
            continue
        stack: list[tuple[Key, Iterator[Key]]] = [_entered(start, edges, order, low, open_)]
        while stack:
            key, following = stack[-1]
            other = next((each for each in following if each not in order or each in open_), None)
            if other is None:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[key])
                if low[key] == order[key]:
                    group = _closed(key, open_)
                    found += [group] if len(group) > 1 or key in edges(key) else []
            elif other in order:
                low[key] = min(low[key], order[other])
            else:
                stack.append(_entered(other, edges, order, low, open_))
    return found


def _entered(
    key: Key, edges: Edges, order: dict[Key, int], low: dict[Key, int], open_: dict[Key, None]
) -> tuple[Key, Iterator[Key]]:
    order[key] = low[key] = len(order)
    open_[key] = None
    return key, iter(edges(key))


def _closed(root: Key, open_: dict[Key, None]) -> list[Key]:
    group: list[Key] = []
    while not group or group[-1] != root:
        group.append(open_.popitem()[0])
    return group[::-1]


def circle(start: Key, knot: Iterable[Key], edges: Edges) -> list[Edge]:
    """The shortest way from a member of a knot back to itself."""
    inside = set(knot)
    came: dict[Key, tuple[Key, Edge]] = {}
    level = [start]
    while start not in came:
        assert level, f"{start} is in no circle of its knot"
        following: list[Key] = []
        for key in level:
            for other, edge in edges(key).items():
                if other in inside and other not in came:
                    came[other] = (key, edge)
                    following.append(other)
        level = following
    way = [came[start][1]]
    at = came[start][0]
    while at != start:
        at, edge = came[at]
        way.append(edge)
    return way[::-1]


def message(start: Key, way: list[Edge]) -> str:
    """The circle as a person reads it, and where each of its edges is written."""
    shown = way if len(way) <= EDGES_SHOWN_MAX else [*way[: EDGES_SHOWN_MAX - 1], way[-1]]
    names = [_shown(edge.to, start) for edge in shown]
    places = [edge.place for edge in shown]
    if len(shown) < len(way):
        names.insert(-1, f"({len(way) - len(shown)} more)")
        places.insert(-1, "...")
    what = "depends on itself"
    if kind_of(start) == "Pipeline":
        what = "makes tasks of itself" if any(edge.makes_tasks for edge in way) else "uses itself"
    ring = " -> ".join([name_of(start), *names])
    return f"must not go round in a circle: {kind_of(start)} {ring} {what}; it is written at {', '.join(places)}"


def message_of_many(key: Key, count: int, first: Key) -> str:
    said = f"must not go round in a circle: this {kind_of(key)} and {count - 1} others depend on themselves"
    return f"{said}; one way round is written out at {kind_of(first)} {_shown(first, key)}"


def _shown(key: Key, start: Key) -> str:
    return name_of(key) if namespace_of(key) == namespace_of(start) else f"{namespace_of(key)}/{name_of(key)}"
