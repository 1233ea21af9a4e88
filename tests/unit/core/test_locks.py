"""Which globs overlap, and that holders are found by path (TASK-8, TASK-8a)."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies

from orchctl.core.ids import Key
from orchctl.core.locks import Locks, overlap, prefix_of

GLOBS = strategies.sampled_from(["**", "a/**", "a/b/**", "a/b/c.py", "a/*.py", "ab/**", "b", "b/c/**", "b/?.md", "*"])
TOUCHES = strategies.lists(GLOBS, min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        ("src/auth/**", "src/auth/login.py", True),
        ("src/auth/**", "src/authority/**", False),
        ("src/**", "src/auth/**", True),
        ("src/a.py", "src/b.py", False),
        ("src/*.py", "src/b.md", True),
        ("**", "docs/x", True),
        ("db", "db/schema.sql", True),
        ("./db/", "db/**", True),
    ],
)
def test_task_8a_globs_overlap_by_the_folders_they_begin_with(one: str, other: str, overlaps: bool) -> None:
    assert overlap([one], [other]) is overlaps
    assert overlap([other], [one]) is overlaps


def test_what_is_left_open_ends_the_prefix() -> None:
    assert prefix_of("a/b?/c") == ("a",)
    assert prefix_of("**") == ()


@hypothesis.settings(deadline=None, database=None)
@hypothesis.given(
    held=strategies.lists(TOUCHES, max_size=6), asked=TOUCHES, let_go=strategies.sets(strategies.integers(0, 5))
)
def test_task_8_a_holder_is_found_exactly_when_some_glob_overlaps(held, asked, let_go) -> None:
    locks = Locks()
    for number, touches in enumerate(held):
        locks.take("p", Key(str(number)), touches)
    for number in sorted(let_go & set(range(len(held)))):
        locks.release("p", Key(str(number)), held[number])
    expected = {str(n) for n, touches in enumerate(held) if n not in let_go and overlap(touches, asked)}
    found = locks.conflict("p", asked)
    assert found in expected if expected else found is None
    assert locks.conflict("another", asked) is None
    for number, touches in enumerate(held):
        if number not in let_go:
            locks.release("p", Key(str(number)), touches)
    assert locks == Locks()
