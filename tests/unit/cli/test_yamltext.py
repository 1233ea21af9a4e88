"""The YAML emitter writes what a YAML 1.2 parser reads back as the same value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from orchctl.app.read import yamltext

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.text("ab \n:#-'\"\\\t{}[]&*!|>%@`?,~=<0.1+eEn", max_size=20),
    st.sampled_from(
        ["", "null", "yes", "No", "1", "0o7", "1e3", "-", "- a", "a: b", "a #b", "---", "...", "~", "<<", "="]
    ),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    written = yamltext.dump(value)
    assert YAML(typ="safe", pure=True).load(written) == value
    assert all(character == "\n" or character.isprintable() for character in written)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"prompt": "a\nb\n"}, "prompt: |\n  a\n  b\n"),
        ({"prompt": "a\n\nb"}, "prompt: |-\n  a\n\n  b\n"),
        ({"a": [{"b": 1, "c": []}, ["d"]]}, "a:\n- b: 1\n  c: []\n- - d\n"),
        ({"on": "yes", "run": 'say "x"'}, '"on": "yes"\nrun: \'say "x"\'\n'),
        ("\x1b[31m", '"\\x1b[31m"\n'),
    ],
)
def test_it_looks_as_people_write_it(value: object, written: str) -> None:
    assert yamltext.dump(value) == written
