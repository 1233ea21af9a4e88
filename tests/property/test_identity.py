"""Valid manifests may be edited, moved, split, joined and reordered: who they are stays (GIT-4)."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

from orchctl.core import events
from orchctl.core.ids import Key, key_of
from tests.property import amounts
from tests.unit.app.control import BUILTIN, Control

PATHS = ("1.yaml", "2.yml", "a/1.yaml", "a/b/3.yaml", "z.yaml")
TEXTS = ("One", "Two", "Zwölf: #12", "x\n\n  y\n")
STYLES = 4
OBJECTS = (
    ("Role", "default", "same"),
    ("Pipeline", "default", "same"),
    ("Agent", "", "same"),
    ("Project", "default", "shop"),
    ("Task", "default", "fix"),
    ("Role", "other", "same"),
    ("Role", "default", "coder"),  # also built in
)


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One object as it is written in a file now."""

    number: int  # in OBJECTS
    text: int = 0  # in TEXTS: another text is another spec
    style: int = 0  # another style is not

    @property
    def key(self) -> Key:
        return key_of(*OBJECTS[self.number])


Files = dict[str, tuple[Item, ...]]


def spec_of(kind: str, text: str) -> dict[str, object]:
    match kind:
        case "Role":
            return {"system": text}
        case "Agent":
            return {"backend": "command", "command": ["agent", text]}
        case "Project":
            return {"checks": [{"name": "unit", "run": text}]}
        case "Pipeline":
            stage = {"name": "work", "role": "coder", "gates": [{"command": {"run": text}}]}
            return {"stages": [stage]}
        case _:
            return {"prompt": text}


def written(item: Item) -> str:
    """The same object in one of several styles, none of which says anything else."""
    kind, namespace, name = OBJECTS[item.number]
    metadata = {"name": name} | ({"namespace": namespace} if namespace not in ("", "default") else {})
    parts = {
        "apiVersion": "orchctl.dev/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec_of(kind, TEXTS[item.text]),
    }
    if item.style == 1:
        return json.dumps(parts, ensure_ascii=False) + "\n"
    if item.style == 2:
        parts = dict(reversed(parts.items()))
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in parts.items()]
    return "# why\n" + "\n".join(lines) + "# end\n" if item.style == 3 else "".join(lines)


def texts_of(files: Files) -> dict[str, str]:
    return {path: "---\n".join(map(written, items)) for path, items in files.items()}


# --- what a person does between two commits -------------------------------------------------------------------------

CHANGES = strategies.tuples(
    strategies.sampled_from(["edit", "restyle", "move", "swap", "split", "join", "reorder", "carry"]),
    strategies.integers(0, 11),
    strategies.sampled_from(PATHS),
)
COMMITS = strategies.tuples(
    strategies.lists(CHANGES, min_size=1, max_size=4),
    strategies.sampled_from(["seen", "seen", "seen", "unseen", "restarted"]),
)


def changed(files: Files, change: tuple[str, int, str]) -> Files:
    """The files after one change. Every object stays in exactly one of them, and no file is empty."""
    what, number, target = change
    path = sorted(files)[number % len(files)]
    items = files[path]
    at = number % len(items)
    one = items[at]
    rest = {found: held for found, held in files.items() if found != path}
    match what:
        case "edit":
            one = dataclasses.replace(one, text=(one.text + 1 + number) % len(TEXTS))
            return rest | {path: (*items[:at], one, *items[at + 1 :])}
        case "restyle":
            one = dataclasses.replace(one, style=(one.style + 1 + number) % STYLES)
            return rest | {path: (*items[:at], one, *items[at + 1 :])}
        case "reorder":
            return rest | {path: (*items[at:], *reversed(items[:at]))}
        case "move" if target not in files:
            return rest | {target: items}
        case "swap" if target in rest:
            return rest | {path: files[target], target: items}
        case "split" if target not in files and at:
            return rest | {path: items[:at], target: items[at:]}
        case "join" if target in rest:
            return rest | {target: (*rest[target], *items)}
        case "carry" if target in rest and len(items) > 1:
            return rest | {path: (*items[:at], *items[at + 1 :]), target: (one, *rest[target])}
        case _:
            return files


class Watched:
    """A control repo, and what each object in it must still be."""

    def __init__(self, folder: Path, files: Files) -> None:
        self.control = Control(folder, BUILTIN)
        self.control.now(texts_of(files))
        self.uid: dict[Key, str] = {}
        self.generation: dict[Key, int] = {}
        self.text: dict[Key, int] = {}
        for items in files.values():
            for item in items:
                desired = self.control.machine.state.objects[item.key].desired
                assert desired is not None
                assert desired.generation == 1
                self.uid[item.key] = desired.uid
                self.generation[item.key] = 1
                self.text[item.key] = item.text
        assert len({*self.uid.values()}) == len(self.uid)

    def check(self, files: Files, facts: list[events.Event]) -> None:
        assert {type(fact) for fact in facts} <= {events.RevisionObserved, events.ObjectAdmitted}
        for path, items in files.items():
            for item in items:
                self.check_item(path, item)

    def check_item(self, path: str, item: Item) -> None:
        obj = self.control.machine.state.objects[item.key]
        assert obj.desired is not None
        if self.text[item.key] != item.text:
            self.generation[item.key] += 1
            self.text[item.key] = item.text
        assert (obj.desired.uid, obj.desired.generation) == (self.uid[item.key], self.generation[item.key])
        assert obj.desired.path == f"manifests/{path}"
        assert json.dumps(TEXTS[item.text], ensure_ascii=False) in obj.desired.spec
        assert (obj.problems, obj.withdrawn) == ((), False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identity")


@amounts.tried()
def test_git_4_where_and_how_a_manifest_is_written_does_not_change_what_it_is(folder: Path, examples: int) -> None:
    """uid always, generation unless the spec changed: whatever is done to files, in one commit or several at once."""

    @amounts.of(examples)
    @hypothesis.given(
        places=strategies.lists(strategies.sampled_from(PATHS), min_size=len(OBJECTS), max_size=len(OBJECTS)),
        commits=strategies.lists(COMMITS, min_size=1, max_size=6),
    )
    def holds(places: list[str], commits: list[tuple[list[tuple[str, int, str]], str]]) -> None:
        files: Files = {}
        for number, path in enumerate(places):
            files[path] = (*files.get(path, ()), Item(number))
        with tempfile.TemporaryDirectory(dir=folder) as place:
            watched = Watched(Path(place), files)
            for changes, how in commits:
                for change in changes:
                    files = changed(files, change)
                watched.control.commit(texts_of(files))
                if how == "restarted":
                    watched.control.restart()
                if how != "unseen":
                    watched.check(files, watched.control.take_in())
            watched.check(files, watched.control.take_in())
            watched.control.restart()
            assert watched.control.take_in() == []

    holds()
