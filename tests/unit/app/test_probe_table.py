"""The table of what is looked at says what the code does: its figures, its facts, and no fact of a look is left out."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from orchctl.core import events, ledger_facts, lifecycle, surroundings, upstream

PAGE = Path(__file__).parents[3] / "controller" / "docs" / "probes.md"
MODULES = {
    "driver": "orchctl.app.driver",
    "scouting": "orchctl.app.scouting",
    "revisions": "orchctl.app.revisions",
    "fetching": "orchctl.adapters.gitsource.fetching",
    "sealing": "orchctl.app.sealing",
    "programs": "orchctl.adapters.probes.programs",
}
FIGURE = re.compile(r"`([a-z]+)\.([A-Z_]+)` = ([0-9.]+) s")
# Handed in by looking, not by an effect of the controller's own.
LOOKED_AT = (surroundings, upstream, ledger_facts)
NOT_LOOKED_AT = {"ControllerStarted", "LedgerRecovered"}


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def figures() -> list[tuple[str, str, str]]:
    return [found for row in rows() for cell in row for found in FIGURE.findall(cell)]


@pytest.mark.parametrize(("module", "name", "value"), sorted(set(figures())))
def test_every_interval_and_bound_is_the_one_in_the_code(module: str, name: str, value: str) -> None:
    assert getattr(importlib.import_module(MODULES[module]), name) == float(value)


def test_every_row_is_whole_and_says_how_often_and_at_what_cost() -> None:
    assert len(rows()) >= 12
    for row in rows():
        assert len(row) == 6, row
        assert all(row), row


def test_every_fact_named_is_one_and_every_fact_that_comes_from_looking_is_named() -> None:
    named = {name for row in rows() for name in re.findall(r"`([A-Z]\w+)`", row[4])}
    assert named <= set(events.EVENTS), named - set(events.EVENTS)
    looked = {
        name
        for module in LOOKED_AT
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, events.Event) and kind.__module__ == module.__name__
    }
    requests = {kind.__name__ for kind in lifecycle.Request.__subclasses__()}
    assert (looked - NOT_LOOKED_AT) | requests <= named
