"""Holds each suite to the CPU seconds tests/budget.toml grants it.

CPU of the worker and of the children it reaped, not wall time: a busy machine must not fail a run, a slow test must.
"""

import resource
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUDGET = ROOT / "tests" / "budget.toml"
PROPERTY = "cpu_s"

_started = pytest.StashKey[float]()


def cpu_s() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def suite_of(nodeid: str, suites: list[str]) -> str | None:
    """The longest suite that is a folder above the test."""
    return max((suite for suite in suites if nodeid.startswith(suite + "/")), key=len, default=None)


def is_budgeted(item: pytest.Item) -> bool:
    """A soak takes as long as it takes; its limit is that of `make soak`."""
    return item.get_closest_marker("soak") is None


def overspent(spent: dict[str, float], granted: dict[str, float], margin: float) -> list[str]:
    return [
        f"{suite}: {spent[suite]:.1f} CPU s spent, {granted[suite]:g} granted (times {margin:g} for noise)"
        for suite in sorted(spent)
        if spent[suite] > granted[suite] * margin
    ]


class Bookkeeper:
    def __init__(self, granted: dict[str, float], margin: float) -> None:
        self.granted = granted
        self.margin = margin
        self.spent: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "teardown":
                suite = suite_of(report.nodeid, list(self.granted))
                if suite is not None and isinstance(value, float):
                    self.spent[suite] += value

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if overspent(self.spent, self.granted, self.margin) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in overspent(self.spent, self.granted, self.margin):
            terminalreporter.write_line(f"over budget: {line}", red=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    item.stash[_started] = cpu_s()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if call.when == "teardown" and is_budgeted(item):
        report.user_properties.append((PROPERTY, cpu_s() - item.stash[_started]))
    return report


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    table = tomllib.loads(BUDGET.read_text())
    config.pluginmanager.register(Bookkeeper(table["suites"], table["margin"]), "budget-bookkeeper")
