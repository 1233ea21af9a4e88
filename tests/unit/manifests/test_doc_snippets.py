"""Every manifest shown in the documentation is one that the loader accepts."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from orchctl.adapters import manifests
from tests.tidy.sources import ROOT

FENCED = re.compile(r"^(?P<fence>`{3,})(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
HERE = re.compile(r"<<'(?P<end>[A-Z]+)'\n(?P<body>.*?)^(?P=end)$", re.MULTILINE | re.DOTALL)
KIND = re.compile(r"^\s*[{\"']*kind[\"']?:", re.MULTILINE)

# Shown to make a point and not to be copied: where it stands, and why it is no whole manifest.
ILLUSTRATIVE = {
    "controller/docs/adr/0006-waiting-stops-the-clock.md:4": "two lines of a Task, with dots for a prompt",
}


class Snippet(NamedTuple):
    place: str
    text: str


def pages() -> list[str]:
    found = [ROOT / "README.md", *(ROOT / "controller").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def snippets(page: str, text: str) -> list[Snippet]:
    """YAML blocks, and files that a shell block writes, with a kind in them."""
    found = []
    for block in FENCED.finditer(text):
        parts = [(block.start("body"), block["body"])]
        if block["language"] == "sh":
            parts = [(block.start("body") + here.start("body"), here["body"]) for here in HERE.finditer(block["body"])]
        found += [
            Snippet(f"{page}:{text.count(chr(10), 0, start) + 1}", body) for start, body in parts if KIND.search(body)
        ]
    return found


def all_snippets() -> list[Snippet]:
    return [each for page in pages() for each in snippets(page, (ROOT / page).read_text(encoding="utf-8"))]


@pytest.mark.parametrize("snippet", [pytest.param(each, id=each.place) for each in all_snippets()])
def test_a_manifest_in_the_documentation_is_valid(snippet: Snippet) -> None:
    """It also does what it says: none sets a field that has no behaviour yet."""
    loaded = manifests.parse(snippet.text.encode(), snippet.place)
    if snippet.place in ILLUSTRATIVE:
        assert loaded.problems, "it is a whole manifest and need not be listed"
        return
    assert [str(problem) for problem in loaded.problems] == []
    assert loaded.documents
    assert [document.unsupported for document in loaded.documents] == [()] * len(loaded.documents)


def test_no_manifest_of_the_documentation_is_overlooked() -> None:
    for page in pages():
        text = (ROOT / page).read_text(encoding="utf-8")
        assert len(KIND.findall(text)) == sum(len(KIND.findall(each.text)) for each in snippets(page, text)), page


def test_what_is_listed_as_illustrative_is_there() -> None:
    assert ILLUSTRATIVE.keys() <= {each.place for each in all_snippets()}


def test_snippets_are_found_in_blocks_and_in_files_that_a_shell_writes() -> None:
    text = "a\n```yaml\nkind: Task\n```\n```sh tour\ncat <<'END'\nkind: Role\nEND\n```\n```yaml\nchecks: []\n```\n"
    assert snippets("p.md", text) == [Snippet("p.md:3", "kind: Task\n"), Snippet("p.md:7", "kind: Role\n")]
