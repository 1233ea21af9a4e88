"""Files cut off anywhere: nothing is removed because a file could not be read (GIT-3, GIT-5).

What GIT-5 promises, as far as a cut file goes. Pruning goes by what a file can be read to name:

- A file that is not YAML to its end (a quote, a bracket, a character cut in two) names nobody knows what, so whatever
  was in force from it stays, also objects of documents that a reader might believe to be complete or gone.
- The same holds for a file with a document that does not say which object it is: no kind, no name, no apiVersion.
- A file that is YAML to its end, each document of which says which object it is or that it is none of ours, no longer
  names what it does not name. That is how a person removes an object, so it may leave: a cut between two documents
  cannot be told from a removal, and GIT-5 does not promise to.
- A cut that leaves a valid manifest with a shorter spec is an edit.

Which of these a text is, is asked of a generic YAML loader here, not of the code under test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from orchctl.adapters import manifests
from orchctl.core import events
from orchctl.core.ids import Key, key_of
from orchctl.core.state import Desired, Object
from tests.property import amounts
from tests.unit.app.control import Control, both, key, role

HEAD = "apiVersion: orchctl.dev/v1alpha1\n"
NAMES = ("a", "ab", "abc", "b", "bc", "c", "coder")  # cut short, some are others
PATHS = ("1.yaml", "2.yaml", "d/3.yml", "4.yaml")
STYLES = (
    role,
    lambda name: f"{role(name)}  access: ReadOnly\n",
    lambda name: role(name, '"Quoted, with \\"quotes\\" and an é."', "a: b"),
    lambda name: role(name, "|\n    Literal\n\n      text\n    of lines"),
    lambda name: f"{HEAD}spec: {{system: 'It''s in braces'}}\nkind: Role\nmetadata:\n  name: {name}\n",
    lambda name: f'{{"spec": {{"system": "ä€"}}, "metadata": {{"name": "{name}"}}, "kind": "Role", {json_head()}}}\n',
    lambda name: f'# What it does: "quoted\n{HEAD}kind: Role\nmetadata: {{name: {name}}}\nspec: {{system: x}} # end\n',
)
GROUP = "orchctl.dev"


def json_head() -> str:
    return '"apiVersion": "orchctl.dev/v1alpha1"'


ROLES = strategies.lists(
    strategies.tuples(
        strategies.sampled_from(NAMES), strategies.sampled_from(PATHS), strategies.integers(0, len(STYLES) - 1)
    ),
    min_size=1,
    max_size=len(NAMES),
    unique_by=lambda each: each[0],
)
CUTS = strategies.lists(
    strategies.dictionaries(strategies.sampled_from(PATHS), strategies.integers(0, 1_000), min_size=1),
    min_size=1,
    max_size=3,
)


def named(data: bytes) -> set[Key] | None:
    """The objects a text names, or None if a generic loader cannot read it to its end or tell what each is."""
    try:
        documents = list(YAML(typ="safe", pure=True).load_all(data.decode()))
    except (YAMLError, UnicodeDecodeError):
        return None
    found: set[Key] = set()
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict) or not isinstance(document.get("apiVersion"), str):
            return None
        if document["apiVersion"].split("/")[0] != GROUP:
            continue
        metadata = document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if document.get("kind") != "Role" or not isinstance(name, str):
            return None
        found.add(key_of("Role", "default", name))
    return found


class Cut:
    """A control repo in which files are cut off and made whole again."""

    def __init__(self, folder: Path, whole: Mapping[str, bytes]) -> None:
        self.control = Control(folder)
        self.whole = whole
        self.commit(whole)
        self.first = self.in_force()

    def commit(self, files: Mapping[str, bytes]) -> list[events.Event]:
        texts = {path: data.decode("utf-8", "surrogateescape") for path, data in files.items()}
        return self.control.now({"keep.yaml": role("keep"), "more.yaml": role("more"), **texts})

    def in_force(self) -> dict[Key, Desired]:
        objects = self.control.machine.state.objects.values()
        return {obj.key: obj.desired for obj in objects if obj.desired is not None and not obj.withdrawn}

    def objects(self) -> Mapping[Key, Object]:
        return self.control.machine.state.objects

    def cut(self, files: Mapping[str, bytes]) -> None:
        """Commit files some of which are cut, and check what became of each object."""
        before = self.in_force()
        self.commit(files)
        after = self.in_force()
        names = {path: named(data) for path, data in files.items()}
        for gone in before.keys() - after.keys():
            path = before[gone].path.removeprefix("manifests/")
            said = names.get(path)
            assert said is not None, f"{gone} was removed though {path} cannot be read: {files[path]!r}"
            assert gone not in said, f"{gone} was removed though {path} names it: {files[path]!r}"
        specs = {
            (document.key, document.spec_json)
            for path, data in files.items()
            for document in manifests.parse(data, path).documents
        }
        for there in before.keys() & after.keys():
            old, now = before[there], after[there]
            assert now.uid == old.uid
            assert now.generation == old.generation + (now.spec != old.spec)
            assert now.spec == old.spec or (there, now.spec) in specs
        self.check_whole(files, names, after)

    def check_whole(
        self, files: Mapping[str, bytes], names: Mapping[str, set[Key] | None], after: Mapping[Key, Desired]
    ) -> None:
        """An object of a file that is not cut is as that file says, unless a cut one has come to name it too."""
        for found, desired in self.first.items():
            path = desired.path.removeprefix("manifests/")
            if files.get(path) != self.whole.get(path):
                continue
            if any(found in (said or set()) or said is None for other, said in names.items() if other != path):
                assert found in after
                continue
            assert (after[found].spec, after[found].path) == (desired.spec, desired.path)
            assert self.objects()[found].problems == ()

    def mend(self) -> None:
        """With all files whole again, everything is as at first, and only what had been removed is another object."""
        before = self.in_force()
        self.commit(self.whole)
        after = self.in_force()
        assert after.keys() == self.first.keys()
        for found, desired in self.first.items():
            assert (after[found].spec, after[found].path) == (desired.spec, desired.path)
            assert self.objects()[found].problems == ()
            assert found not in before or after[found].uid == before[found].uid
        self.control.restart()
        assert self.control.take_in() == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("truncation")


@amounts.tried()
def test_git_5_a_file_cut_off_anywhere_removes_only_what_it_can_be_read_not_to_name(
    folder: Path, examples: int
) -> None:
    """GIT-3 as well: what stays keeps its uid and its last good spec; made whole again, all is as it was."""

    @amounts.of(examples)
    @hypothesis.given(roles=ROLES, cuts=CUTS, restarts=strategies.integers(0, 7))
    def holds(roles: list[tuple[str, str, int]], cuts: list[dict[str, int]], restarts: int) -> None:
        documents: dict[str, list[str]] = {}
        for name, path, style in roles:
            documents.setdefault(path, []).append(STYLES[style](name))
        whole = {path: both(*texts).encode() for path, texts in documents.items()}
        with tempfile.TemporaryDirectory(dir=folder) as place:
            repo = Cut(Path(place), whole)
            for number, cut in enumerate(cuts):
                if restarts >> number & 1:
                    repo.control.restart()
                repo.cut({path: data[: cut[path] % len(data)] if path in cut else data for path, data in whole.items()})
            repo.mend()

    holds()


THREE = both(role("a"), role("b", '"Quoted."'), role("c", "Café"))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        pytest.param(both(role("a"), role("b", '"Quoted."')), {"c"}, id="between two documents: a removal"),
        pytest.param(both(role("a"), "apiVersion: orch"), {"b", "c"}, id="not ours, as far as it says"),
        pytest.param(both(role("a"), HEAD), set(), id="no kind"),
        pytest.param(both(role("a"), HEAD + "kind: Ro"), set(), id="half a kind"),
        pytest.param(both(role("a"), HEAD + "kind: Role\nmetadata:\n  name:"), set(), id="no name"),
        pytest.param(THREE[: THREE.index("Quoted.")], set(), id="in a quoted text"),
        pytest.param(THREE.encode()[:-2].decode("utf-8", "surrogateescape"), set(), id="in a character"),
        pytest.param("\ufeff" + THREE, set(), id="with a byte-order mark"),
        pytest.param(THREE + "#\0\n", set(), id="with a control character"),
        pytest.param(THREE + "#" + "x" * 256 * 1024, set(), id="too large"),
        pytest.param(both(role("a"), "a: [" * 40), set(), id="too deep"),
    ],
)
def test_git_5_what_leaves_when_a_file_of_three_changes(tmp_path: Path, text: str, gone: set[str]) -> None:
    control = Control(tmp_path)
    keep = {f"{name}.yaml": role(name) for name in ("k", "l", "m")}
    control.now({**keep, "three.yaml": THREE})
    facts = control.now({**keep, "three.yaml": text})
    assert {fact.key for fact in facts if isinstance(fact, events.ObjectWithdrawn)} == {key(name) for name in gone}
