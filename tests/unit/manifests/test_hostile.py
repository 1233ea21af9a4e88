"""GIT-8: nothing a file contains raises, costs more than a second or goes unlocated."""

import time

import hypothesis
import pytest
from hypothesis import strategies

from orchctl.adapters import manifests
from orchctl.adapters.manifests import catalog

HEAD = "apiVersion: orchctl.dev/v1alpha1\nkind: Task\nmetadata: {name: a}\nspec: {prompt: x}\n"
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{c}: &{c} [*{p}, *{p}, *{p}, *{p}]\n" for p, c in zip("abcdefghij", "bcdefghijk", strict=True)
)

HOSTILE = {
    "billion laughs": LAUGHS.encode(),
    "million element list": b"[" + b"a," * 1_000_000 + b"]",
    "long list in the size limit": b"[" + b"a," * 100_000 + b"]",
    "deep flow lists": b"[" * 900,
    "deep flow maps": b"{a: " * 900,
    "deep block lists": b"- " * 900 + b"x",
    "deep explicit keys": b"? " * 900 + b"x",
    "hundred thousand keys": b"".join(b"k%d: 1\n" % number for number in range(100_000)),
    "many keys in the size limit": b"".join(b"k%d: 1\n" % number for number in range(20_000)),
    "huge integer": (HEAD + "x: " + "9" * 5_000).encode(),
    "huge float": (HEAD + "x: 1" + "0" * 5_000 + ".0").encode(),
    "huge hexadecimal": (HEAD + "x: 0x" + "f" * 5_000).encode(),
    "python tag": (HEAD + "x: !!python/object/apply:os.system [id]\n").encode(),
    "own tag": (HEAD + "x: !env HOME\n").encode(),
    "binary tag": (HEAD + "x: !!binary aGk=\n").encode(),
    "nul byte": HEAD.encode() + b"# \x00\n",
    "escape byte": HEAD.encode() + b"# \x1b[2J\n",
    "escaped nul": (HEAD + 'x: "\\0"\n').encode(),
    "escaped surrogate": (HEAD + 'x: "\\ud800"\n').encode(),
    "utf-8 mark": b"\xef\xbb\xbf" + HEAD.encode(),
    "utf-16": HEAD.encode("utf-16"),
    "utf-16 without mark": HEAD.encode("utf-16-le"),
    "invalid utf-8": HEAD.encode() + b"# \xff\n",
    "recursive alias": (HEAD + "x: &x [*x]\n").encode(),
    "unknown alias": (HEAD + "x: *y\n").encode(),
    "many aliases": (HEAD + "x: &x y\nz: [" + "*x," * 100 + "]\n").encode(),
    "many anchors": b"".join(b"- &a%d x\n" % number for number in range(15_000)),
    "many documents": b"--- {}\n" * 1_000,
    "many broken documents": b"--- ]\n" * 1_000,
    "many directives": b"%TAG !a! b\n" * 10_000 + b"---\n",
    "many problems": (HEAD + "".join(f"x{number}: 1\n" for number in range(1_000))).encode(),
    "merge key": (HEAD + "<<: {a: b}\n").encode(),
    "duplicate key": (HEAD + "kind: Task\n").encode(),
    "mapping as key": (HEAD + "? {a: b}\n: c\n").encode(),
    "tab indent": (HEAD + "x:\n\ty: 1\n").encode(),
    "not a mapping": b"just words\n",
    "nan": (HEAD.replace("prompt: x", "prompt: x, priority: .nan")).encode(),
    "infinity": (HEAD.replace("prompt: x", "prompt: x, priority: .inf")).encode(),
    "path as name": HEAD.replace("name: a", "name: ../../a").encode(),
    "newline in name": HEAD.replace("name: a", 'name: "a\\n"').encode(),
    "long name": HEAD.replace("name: a", "name: " + "a" * 64).encode(),
    "long prompt": HEAD.replace("prompt: x", "prompt: " + "a" * 70_000).encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_git_8_hostile_input_is_refused_quickly_with_a_place(name):
    started = time.process_time()
    loaded = manifests.parse(HOSTILE[name], "bad.yaml")
    assert time.process_time() - started < 1
    assert loaded.problems
    for problem in loaded.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert len(str(problem)) < 600
        assert str(problem).isprintable()


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
