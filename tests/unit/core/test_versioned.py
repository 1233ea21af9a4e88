"""The mapping that every event replaces: old versions stay what they were, and so does the order."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies

from orchctl.core import versioned
from orchctl.core.versioned import Versioned

CHANGES = strategies.lists(
    strategies.tuples(strategies.integers(0, 5), strategies.one_of(strategies.none(), strategies.integers(0, 3))),
    max_size=90,
)


@hypothesis.settings(deadline=None, database=None)
@hypothesis.given(
    changes=CHANGES, asked=strategies.lists(strategies.tuples(strategies.integers(0, 90), strategies.booleans()))
)
def test_log_3_every_version_reads_like_a_copy_made_then(changes, asked) -> None:
    versions: list[Versioned[int, int]] = [Versioned()]
    copies: list[dict[int, int]] = [{}]
    for key, value in changes:
        copy = dict(copies[-1])
        if value is None:
            copy.pop(key, None)
            versions.append(versions[-1].without(key))
        else:
            copy[key] = value
            versions.append(versions[-1].put(key, value))
        copies.append(copy)
    for which, whole in asked:
        at = which % len(versions)
        if whole:
            assert versions[at] == copies[at]
            assert (len(versions[at]), sorted(versions[at].items())) == (len(copies[at]), sorted(copies[at].items()))
        assert [versions[at].get(key) for key in range(6)] == [copies[at].get(key) for key in range(6)]
    assert list(versions[-1]) == list(copies[-1]), "the newest is in the order things came in"


def test_an_old_version_can_be_gone_on_from() -> None:
    first = Versioned({"a": 1})
    second = first.put("b", 2)
    other = first.put("c", 3)
    assert (dict(first), dict(second), dict(other)) == ({"a": 1}, {"a": 1, "b": 2}, {"a": 1, "c": 3})


def test_what_is_walked_through_is_what_was_there_at_the_start() -> None:
    mapping = Versioned({"a": 1, "b": 2})
    seen = []
    for key in mapping:
        mapping = mapping.put(f"{key}{key}", 0).without("b")
        seen.append(key)
    assert seen == ["a", "b"]
    values = Versioned({"a": 1}).values()
    assert (list(values), list(values)) == ([1], [1])


def test_a_plain_mapping_becomes_a_version_of_its_own() -> None:
    plain = {"a": 1}
    made = versioned.of(plain)
    assert versioned.of(made) is made
    made.put("b", 2)
    assert plain == {"a": 1}
