"""Every history a test of the core makes is replayed at its end: what was decided is decided again (LOG-3).

But for those that begin in the middle of one: there is nothing to replay them from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchctl.core import replay
from orchctl.testing import worlds


@pytest.fixture(autouse=True)
def _replayed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    benches: list[worlds.Bench] = []
    make = worlds.Bench.__init__

    def noted(bench: worlds.Bench, *given: Any, **named: Any) -> None:
        make(bench, *given, **named)
        benches.append(bench)

    monkeypatch.setattr(worlds.Bench, "__init__", noted)
    yield
    for bench in [one for one in benches if one.log and one.log[0].seq == 1]:
        assert list(replay.verify(bench.log)) == []
