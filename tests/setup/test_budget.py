"""The budget adds up per suite, longest folder first, and only speaks up beyond the margin."""

import pytest

from tests import budget_plugin


def test_a_test_counts_for_the_longest_folder_above_it():
    suites = ["tests/unit", "tests/unit/cli", "tests/un"]
    assert budget_plugin.suite_of("tests/unit/cli/test_a.py::test_b", suites) == "tests/unit/cli"
    assert budget_plugin.suite_of("tests/unit/api/test_a.py::test_b", suites) == "tests/unit"
    assert budget_plugin.suite_of("tests/e2e/test_a.py::test_b", suites) is None


def test_a_soak_has_no_budget(request: pytest.FixtureRequest):
    assert budget_plugin.is_budgeted(request.node)
    request.node.add_marker(pytest.mark.soak)
    assert not budget_plugin.is_budgeted(request.node)


def test_only_what_is_beyond_the_margin_is_overspent():
    granted = {"tests/unit": 10.0, "tests/tidy": 10.0}
    assert budget_plugin.overspent({"tests/unit": 19.0, "tests/tidy": 10.0}, granted, 2.0) == []
    (line,) = budget_plugin.overspent({"tests/unit": 21.0}, granted, 2.0)
    assert line.startswith("tests/unit: 21.0 CPU s spent, 10 granted")


def test_cpu_time_grows_with_work():
    before = budget_plugin.cpu_s()
    while budget_plugin.cpu_s() == before:
        sum(range(1000))
    assert budget_plugin.cpu_s() > before
