"""The parse cache as a start uses it: what did not change is neither read nor parsed, and a bad cache is no error."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchctl.adapters import manifests
from orchctl.adapters.manifests import cache, catalog
from orchctl.core import events
from orchctl.core.ids import Oid
from tests.unit.app.control import Control, invalid, kinds_of, role

OID = Oid("a" * 40)
COUNT = 10_000
EXAMPLES = Path(__file__).parents[3] / "examples"
TASK = "apiVersion: orchctl.dev/v1alpha1\nkind: Task\nmetadata: {name: t%d}\nspec: {prompt: %s}\n"


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    made = Control(tmp_path / "control.git", cache_file=tmp_path / "cache.db")
    yield made
    made.close()


def refuse_to_parse(data: bytes, path: str) -> manifests.Loaded:
    raise AssertionError(f"{path} was parsed")


@pytest.mark.slow
def test_a_start_reads_and_parses_nothing_and_one_changed_task_is_one_read_git_2(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"tasks/{n % 100}/t{n}.yaml": TASK % (n, "Do it.") for n in range(COUNT)}
    control.commit(files)
    control.admission.facts(control.machine.state)
    assert control.source.reads == COUNT
    control.restart()
    with monkeypatch.context() as patched:
        patched.setattr(manifests, "parse", refuse_to_parse)
        facts = control.admission.facts(control.machine.state)
    assert control.source.reads == 0
    assert kinds_of(facts).count("ObjectAdmitted") == COUNT

    control.commit({**files, "tasks/7/t7.yaml": TASK % (7, "Do it better.")})
    [revision, admitted] = control.admission.facts(control.machine.state)
    assert isinstance(revision, events.RevisionObserved)
    assert isinstance(admitted, events.ObjectAdmitted)
    assert (admitted.key, control.source.reads) == ("Task/default/t7", 1)


def test_one_changed_file_after_a_restart_is_one_read_and_one_object(control: Control) -> None:
    files = {f"r{n}.yaml": role(f"r{n}") for n in range(300)}
    control.now(files)
    control.restart()
    seq = control.machine.state.seq
    facts = control.now({**files, "r7.yaml": role("r7", "New.")})
    assert (kinds_of(facts), control.source.reads) == (["ObjectAdmitted"], 1)
    assert control.machine.state.seq == seq + 2, "the revision and the one object, nothing else"


def test_problems_are_kept_too_and_name_the_file_they_are_in_now(control: Control) -> None:
    control.now({"a.yaml": invalid("a"), "b.yaml": role("b")})
    control.restart()
    control.now({"x/moved.yaml": invalid("a"), "b.yaml": role("b")})
    assert control.source.reads == 0
    assert control.object("a").problems[0].startswith("manifests/x/moved.yaml:8:")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:6_000])


def _scribble(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4_096:] = b"\xff" * (len(data) - 4_096)
    file.write_bytes(data)


def _other_table(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("DROP TABLE parsed")
        db.execute("CREATE TABLE parsed(something TEXT)")


@pytest.mark.parametrize(
    "harm", [Path.unlink, _cut, _scribble, _other_table, lambda file: file.write_bytes(b"not a database" * 1_000)]
)
def test_a_cache_that_is_missing_or_broken_is_made_anew(
    control: Control, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    files = {f"r{n}.yaml": role(f"r{n}") for n in range(100)}
    control.now(files)
    control.close()
    harm(tmp_path / "cache.db")
    control.restart()
    assert control.take_in() == []
    control.restart()
    assert control.take_in() == []
    control.restart()
    assert control.take_in() == []
    assert control.source.reads == 0, "whole again"


def test_no_cache_at_all_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache.db").mkdir()
    opened = cache.ParseCache(tmp_path / "cache.db")
    opened.keep(OID, manifests.parse(role("a").encode(), "a.yaml"))
    opened.flush()
    opened.drop_all_but([])
    assert opened.find(OID, "a.yaml") is None
    opened.close()


def test_a_changed_byte_is_noticed_and_other_code_does_not_use_what_this_one_parsed(tmp_path: Path) -> None:
    loaded = manifests.parse(role("a").encode(), "a.yaml")
    opened = cache.ParseCache(tmp_path / "cache.db", "one")
    opened.keep(OID, loaded)
    opened.close()
    opened = cache.ParseCache(tmp_path / "cache.db", "one")
    assert opened.find(OID, "a.yaml") == loaded
    opened.close()
    other = cache.ParseCache(tmp_path / "cache.db", "two")
    assert other.find(OID, "a.yaml") is None
    other.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "cache.db", isolation_level=None)) as db:
        db.execute("UPDATE parsed SET data = replace(data, 'Write', 'Wrote')")
    opened = cache.ParseCache(tmp_path / "cache.db", "one")
    assert opened.find(OID, "a.yaml") is None
    opened.close()


def test_what_git_no_longer_holds_is_dropped_at_the_next_start(control: Control, tmp_path: Path) -> None:
    files = {f"r{n}.yaml": role(f"r{n}") for n in range(5)}
    for text in ("One.", "Two.", "Three."):
        control.now({**files, "r0.yaml": role("r0", text)})
    control.restart()
    control.take_in()
    control.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "cache.db")) as db:
        assert db.execute("SELECT count(*) FROM parsed").fetchone() == (5,)


def test_the_version_covers_all_the_code_a_parse_runs_through() -> None:
    """Else a release that judges manifests otherwise would go on with what the one before it made of them."""
    use = "from orchctl.adapters.manifests import catalog; catalog.documents()"  # imports what is put off, too
    listing = f"import json, sys; {use}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, check=True, timeout=60)
    ours = [name.replace(".", "/") for name in json.loads(done.stdout) if name.startswith("orchctl.")]
    covered = [f"orchctl/{source.removesuffix('.py')}" for source in cache.SOURCES]
    bare = ("orchctl/adapters", "orchctl/core")  # packages that import nothing
    assert [name for name in ours if not name.startswith(tuple(covered)) and name not in bare] == []


def test_what_is_found_again_is_what_was_parsed(tmp_path: Path) -> None:
    files = sorted([*catalog.folder().rglob("*.yaml"), *EXAMPLES.rglob("*.yaml")])
    opened = cache.ParseCache(tmp_path / "cache.db")
    for number, file in enumerate(files):
        loaded = manifests.parse(file.read_bytes(), "a.yaml")
        opened.keep(Oid(f"{number:040x}"), loaded)
        opened.flush()
        assert opened.find(Oid(f"{number:040x}"), "a.yaml") == loaded, file
    opened.close()
