"""Path globs: what stays inside a folder, what crosses folders, and a folder that means all below it."""

from __future__ import annotations

import pytest

from orchctl.kit import globs


@pytest.mark.parametrize(
    ("path", "pattern", "meant"),
    [
        ("a.py", "*.py", True),
        ("src/a.py", "*.py", False),
        ("src/a.py", "**/*.py", True),
        ("a.py", "**/*.py", True),
        ("src/deep/a.py", "src/**", True),
        ("src", "src/**", False),
        ("src/a.py", "src", True),
        ("src/a.py", "src/", True),
        ("srcs/a.py", "src", False),
        ("a1", "a?", True),
        ("a/1", "a??", False),
        ("a+b.py", "a+b.py", True),
        ("axb.py", "a.b.py", False),
        ("src/a\nb.py", "src/**", True),
    ],
)
def test_what_a_pattern_means(path: str, pattern: str, meant: bool) -> None:
    assert globs.matches(path, pattern) is meant
