"""Every test that a page of promises names exists: a promise whose test is gone is none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("reliability.md", "threat-model.md", "track-record.md")
NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`")


def named() -> list[tuple[str, str, str]]:
    pages = [(page, ROOT / "controller" / "docs" / page) for page in PAGES]
    return [
        (page, path, test)
        for page, file in pages
        if file.exists()
        for path, test in NAMED.findall(file.read_text(encoding="utf-8"))
    ]


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("page", "path", "test"), sorted(set(named())))
def test_what_a_page_of_promises_names_is_there(page: str, path: str, test: str) -> None:
    found = ROOT / path
    assert found.exists(), f"{page} names {path}"
    assert not test or test in functions(found), f"{page} names {path}::{test}"


def test_the_pages_name_tests_at_all() -> None:
    assert len(named()) > 30
