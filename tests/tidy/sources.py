"""The repo's text as a list of (path, text), which is all a tidy check sees."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CODE = ("controller", "tests", ".setup", ".ci")


class Source(NamedTuple):
    path: str
    text: str


Sources = Iterable[Source]


@cache
def python_sources() -> tuple[Source, ...]:
    found = [
        Source(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        for top in ("controller", "tests")
        for path in sorted((ROOT / top).rglob("*.py"))
        if "__pycache__" not in path.parts
    ]
    found += [Source(".setup/watched", (ROOT / ".setup/watched").read_text(encoding="utf-8"))]
    return tuple(found)


def package_sources() -> tuple[Source, ...]:
    return tuple(source for source in python_sources() if source.path.startswith("controller/"))


@cache
def tree(source: Source) -> ast.Module:
    return ast.parse(source.text, source.path)


def nodes(sources: Sources) -> Iterator[tuple[Source, ast.AST]]:
    for source in sources:
        for node in ast.walk(tree(source)):
            yield source, node


def imported(source: Source) -> Iterator[tuple[str, int]]:
    """Every module named in an import, at any depth of the file, and its line."""
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base, node.lineno
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno
