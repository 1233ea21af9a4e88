"""A pytest plugin: each test is a context of coverage, and its seconds go to the file MUTATION_TIMES names."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import coverage
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    current = coverage.Coverage.current()
    assert current is not None, "to be run under coverage"
    current.switch_context(item.nodeid)
    began = time.perf_counter()
    result = yield
    with open(os.environ["MUTATION_TIMES"], "a", encoding="utf-8") as file:
        file.write(f"{item.nodeid}\t{time.perf_counter() - began:.4f}\n")
    return result
