"""The sandbox every end-to-end test runs in."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.e2e import sandbox


@pytest.fixture
def box(tmp_path: pathlib.Path) -> Iterator[sandbox.Sandbox]:
    """A sandbox that must be left without a process of its own."""
    made = sandbox.Sandbox(tmp_path / "box")
    yield made
    assert sandbox.marked_processes(made.root) == []
