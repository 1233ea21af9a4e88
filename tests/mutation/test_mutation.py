"""The breaking of modules is itself held: it breaks what it says, and a whole module is noticed by no test."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.mutation import __main__ as mutation
from tests.mutation import running, sites

SOURCE = '''\
LIMIT = 3

def admitted(used, limit, *, own=1):
    """Whether there is room."""
    assert used >= 0
    if not limit:
        return True
    notes.append(used)
    return used + own <= limit and limit is not None
'''


def test_every_place_is_found_once_and_texts_tables_and_asserts_are_left_alone() -> None:
    found = [(site.before, site.after) for site in sites.sites(SOURCE)]
    assert ("used + own <= limit", "used + own < limit") in found
    assert ("used + own", "used - own") in found
    assert ("not limit", "limit") in found
    assert ("True", "False") in found
    assert ("notes.append(used)", "pass") in found
    assert ("if not limit:", "if False:") in found
    assert ("limit is not None", "limit is None") in found
    assert not [one for one in found if "LIMIT" in one[0] or "used >= 0" in one[0] or "Whether" in one[0]]
    assert len(set(found)) == len(found)


def test_breaking_one_place_changes_that_place_alone() -> None:
    whole = ast.unparse(ast.parse(SOURCE)).splitlines()
    for site in sites.sites(SOURCE):
        broken = ast.unparse(sites.broken(SOURCE, site.number)).splitlines()
        assert broken != whole
        changed = [pair for pair in zip(whole, broken, strict=False) if pair[0] != pair[1]]
        assert len(changed) == 1 or len(broken) != len(whole)


def test_the_same_seed_chooses_the_same_places_and_each_of_them_compiles() -> None:
    first, again, other = (mutation.chosen(150, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    for mutant in first:
        assert mutant.site is not None
        compile(sites.broken(mutant.path.read_text(encoding="utf-8"), mutant.site.number), str(mutant.path), "exec")


@pytest.mark.slow
def test_a_defect_is_noticed_and_a_whole_module_is_not() -> None:
    """In a process of its own, since it forks."""
    script = """
from tests.mutation import __main__ as mutation, running, sites
mutation.warm()
path = running.PACKAGE / "core" / "accept.py"
site = next(one for one in sites.sites(path.read_text()) if "state.open.get" in one.before)
tests = ["tests/unit/core/test_task_life.py"]
print(running.judge(running.Mutant(path, None), tests), running.judge(running.Mutant(path, site), tests))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=running.ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["survived", "killed"], done.stderr


@pytest.mark.soak
def test_the_tests_of_the_core_notice_at_least_85_per_cent_of_a_thousand_defects() -> None:
    command = [sys.executable, "-m", "tests.mutation", "--sample", "1000", "--least", "85"]
    done = subprocess.run(command, cwd=running.ROOT, capture_output=True, text=True, timeout=3_600)
    assert done.returncode == 0, done.stdout + done.stderr
