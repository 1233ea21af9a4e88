"""The examples: each file loads, refers to nothing that is not there, and is marked in the table as what it is."""

import re
from pathlib import Path

import pytest

from orchctl.adapters import manifests
from orchctl.adapters.manifests import catalog

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FILES = sorted((EXAMPLES / "use-cases").glob("*.yaml"))
FIRST_LINE = b"# yaml-language-server: $schema=../../crds/schemas/all.json\n"


def test_there_are_twelve_and_the_table_lists_them():
    rows = re.findall(r"^\| `([^`]+)` .*\| (done|not yet) \|$", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert [name for name, _ in rows] == [file.name for file in FILES]
    assert len(FILES) == 12


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_free_of_errors_and_short(file):
    data = file.read_bytes()
    loaded = manifests.parse(data, file.name)
    assert loaded.problems == ()
    assert manifests.check_references(loaded.documents) == ()
    assert data.startswith(FIRST_LINE)
    assert (EXAMPLES / "../crds/schemas/all.json").is_file()
    assert data.count(b"\n") <= 60


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_table_says_whether_it_works_today(file):
    built_in = {(each.kind, each.name): each for each in catalog.documents()}
    documents = list(manifests.parse(file.read_bytes(), file.name).documents)
    for document in list(documents):
        used = [built_in.get((each.kind, each.name)) for each in document.references if each.kind == "Pipeline"]
        documents += [each for each in used if each is not None]
    asks_for_more = any(set(each.unsupported) - set(each.harmless) for each in documents)
    (line,) = [line for line in (EXAMPLES / "README.md").read_text().splitlines() if f"`{file.name}`" in line]
    assert line.endswith("| not yet |" if asks_for_more else "| done |")
