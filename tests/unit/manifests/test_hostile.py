"""GIT-8: nothing a file contains raises or goes unlocated; the corpus itself is in tests/hostile."""

import hypothesis
from hypothesis import strategies

from orchctl.adapters import manifests
from orchctl.adapters.manifests import catalog
from tests.hostile.manifests.corpus import HEAD, HOSTILE


def test_git_3_the_key_of_a_broken_document_is_still_read():
    for name in ("nul byte", "utf-8 mark", "invalid utf-8", "tab indent", "recursive alias", "merge key"):
        (problem, *_) = manifests.parse(HOSTILE[name], "bad.yaml").problems
        assert problem.key == "Task/default/a", name


GOOD = [file.read_bytes() for file in sorted(catalog.folder().rglob("*.yaml"))] + [(HEAD + "---\n" + HEAD).encode()]


@hypothesis.given(strategies.data())
@hypothesis.settings(max_examples=200, deadline=None)
def test_git_8_a_truncated_file_never_raises(data):
    source = data.draw(strategies.sampled_from(GOOD))
    cut = data.draw(strategies.integers(0, len(source)))
    loaded = manifests.parse(source[:cut], "cut.yaml")
    assert isinstance(loaded, manifests.Loaded)


@hypothesis.given(strategies.data())
@hypothesis.settings(max_examples=300, deadline=None)
def test_git_8_a_damaged_file_never_raises_and_its_problems_stand_inside_it(data):
    source = bytearray(data.draw(strategies.sampled_from(GOOD)))
    for _ in range(data.draw(strategies.integers(1, 4))):
        at = data.draw(strategies.integers(0, len(source) - 1))
        source[at : at + 1] = data.draw(
            strategies.sampled_from(
                [b"", b"\n", b"'", b'"', b"[", b"]", b"{", b"}", b"&a ", b"*a ", b"!", b": ", b"---\n"]
            )
        )
    for problem in manifests.parse(bytes(source), "damaged.yaml").problems:
        assert 1 <= problem.line <= source.count(b"\n") + 2
