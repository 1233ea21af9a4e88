"""Every tidy check finds the bad input it is there for, and leaves the good one beside it alone."""

import pytest

from tests.tidy import purity, shape
from tests.tidy.sources import Source


def one(text: str, path: str = "controller/orchctl/core/a.py") -> list[Source]:
    return [Source(path, text)]


def test_sizes():
    assert shape.long_modules(one("x = 1\n" * 401))
    assert not shape.long_modules(one("x = 1\n" * 400))
    assert shape.long_functions(one("def f():\n" + "    x = 1\n" * 70))
    assert not shape.long_functions(one("def f():\n" + "    x = 1\n" * 69))
    assert shape.many_parameters(one("def f(a, b, c, d, e, *, g, h): ..."))
    assert not shape.many_parameters(one("def f(self, a, b, c, d, *, e, g): ..."))


@pytest.mark.parametrize("word", [word[::-1] for word in shape.BANNED_WORDS_BACKWARDS] + ["/work" + "/main/x"])
def test_banned_words(word):
    assert shape.banned_words(one(f"x = 1  # {word}\n"))
    assert not shape.banned_words(one("x = 1  # forward, known\n"))


@pytest.mark.parametrize("path", ["a/task_manager.py", "a/b_utils.py", "a/v2/x.py", "a/core-new.py", "simple_x.py"])
def test_banned_names(path):
    assert shape.banned_names([path])
    assert not shape.banned_names(["a/renewal.py", "a/fixedpoint.py", "a/management.py"])


def test_docstrings_entries_and_skips():
    assert shape.missing_docstrings(one("x = 1\n"))
    assert not shape.missing_docstrings(one("")) + shape.missing_docstrings(one('"""Why."""\n'))
    assert shape.unknown_entries(["notes.txt"])
    assert not shape.unknown_entries(["Makefile", "tests"])
    assert shape.skipped_tests(one("import pytest\n@pytest.mark.xfail\ndef test_a(): ...\n"))
    assert shape.skipped_tests(one("import pytest\ndef test_a(): pytest.skip('no')\n"))
    assert not shape.skipped_tests(one("def test_a(reader): reader.skip(3)\n"))


@pytest.mark.parametrize("call", ["time.time()", "datetime.now()", "random()", "uuid.uuid4()", "id(x)", "hash(x)"])
def test_impure_calls(call):
    assert purity.impure_calls(one(f"y = {call}\n"))
    assert not purity.impure_calls(one("y = view.now + f.digest(x)\n"))


@pytest.mark.parametrize(
    "text",
    [
        "for x in {1, 2}: pass",
        "for x in set(y): pass",
        "z = [x for x in frozenset(y)]",
        "z = list({1, 2})",
        "z = tuple(set(a) - b)",
        "z = ','.join({a, b})",
        "z = [*set(a)]",
    ],
)
def test_walks_over_sets(text):
    assert purity.set_iterations(one(text))


@pytest.mark.parametrize(
    "text",
    ["for x in sorted({1, 2}): pass", "z = x in {1, 2}", "z = any(x for x in {1, 2})", "z = len(set(a) | b)"],
)
def test_uses_of_sets_without_an_order(text):
    assert not purity.set_iterations(one(text))


def test_shells_and_catches():
    assert purity.shells(one("run(x, shell=True)"))
    assert purity.shells(one("run(x, shell=y)"))
    assert purity.shells(one("import os\nos.system(x)"))
    assert not purity.shells(one("run(['sh', '-c', x], shell=False)"))
    bad = one("try:\n  f()\nexcept:\n  g()\n"), one("try:\n  f()\nexcept (OSError, Exception):\n  g()\n")
    for sources in bad:
        assert purity.broad_catches(sources, {})
        assert not purity.broad_catches(sources, {sources[0].path: "the boundary of a layer"})
    assert not purity.broad_catches(one("try:\n  f()\nexcept BaseException:\n  g()\n  raise\n"), {})
    assert not purity.broad_catches(one("try:\n  f()\nexcept OSError:\n  g()\n"), {})


def test_imports():
    assert purity.folder_imports(one("from controller.orchctl import core"))
    assert purity.folder_imports(one("def f():\n    import controller"))
    assert not purity.folder_imports(one("from orchctl.cli import controller"))
    assert purity.heavy_package_files(one("import json\n", "controller/orchctl/api/__init__.py"))
    assert not purity.heavy_package_files(one("import json\n"))
    shim = "orchctl.shim"
    assert purity.foreign_imports(one("import msgspec"), shim)
    assert purity.foreign_imports(one("from orchctl.kit import text"), shim)
    assert not purity.foreign_imports(one("import os\nfrom orchctl.shim import records"), shim)
    assert purity.imports_of(one("from orchctl import shim"), shim)
    assert not purity.imports_of(one("from orchctl import shimmer"), shim)
