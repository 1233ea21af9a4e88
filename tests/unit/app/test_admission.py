"""Admission: commits to facts, one bad file at a time, by identity and never by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchctl.core import events
from tests.unit.app import control as controls
from tests.unit.app.control import BROKEN, BUILTIN, Control, both, essence, invalid, key, kinds_of, role


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path / "control.git")


def many(count: int, start: int = 0) -> dict[str, str]:
    return {f"r{n}.yaml": role(f"r{n}") for n in range(start, start + count)}


# --- GIT-3 ------------------------------------------------------------------------------------------------------


def test_a_bad_edit_keeps_the_last_good_spec_and_its_siblings_go_on_git_3(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    before = essence(control.object("a"))
    facts = control.now({"a.yaml": invalid("a"), "b.yaml": role("b", "Better.")})
    assert sorted(kinds_of(facts)) == ["ObjectAdmitted", "ObjectRejected"]
    assert essence(control.object("a")) == before
    assert control.object("a").problems[0].startswith("manifests/a.yaml:8:")
    assert control.generation("b") == 2
    assert kinds_of(control.now({"a.yaml": role("a"), "b.yaml": role("b", "Better.")})) == ["ObjectAdmitted"]
    assert control.object("a").problems == ()
    assert control.generation("a") == 1


def test_broken_yaml_of_a_file_with_two_objects_keeps_both_git_3(control: Control) -> None:
    control.now({"two.yaml": both(role("a"), role("b")), "c.yaml": role("c")})
    facts = control.now({"two.yaml": BROKEN, "c.yaml": role("c")})
    assert kinds_of(facts) == ["ObjectRejected", "ObjectRejected"]
    assert control.names() == {"a", "b", "c"}
    assert control.object("a").problems == control.object("b").problems != ()
    control.now({"two.yaml": role("a"), "c.yaml": role("c")})
    assert control.names() == {"a", "c"}
    assert control.object("a").problems == ()


def test_the_readable_half_of_a_broken_file_goes_on_git_3(control: Control) -> None:
    control.now({"two.yaml": both(role("a"), role("b")), "c.yaml": role("c")})
    control.now({"two.yaml": both(role("a", "Better."), invalid("b")), "c.yaml": role("c")})
    assert control.generation("a") == 2
    assert control.object("a").problems == ()
    assert control.object("b").problems != ()
    assert control.generation("b") == 1


def test_what_was_never_valid_is_shown_and_then_admitted_as_the_first_generation_git_3(control: Control) -> None:
    control.now({"a.yaml": invalid("a"), "b.yaml": role("b")})
    assert control.object("a").desired is None
    assert control.object("a").problems != ()
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    assert control.generation("a") == 1
    assert control.object("a").problems == ()


def test_what_was_never_valid_leaves_with_its_file(control: Control) -> None:
    control.now({"a.yaml": invalid("a"), "b.yaml": role("b")})
    assert kinds_of(control.now({"b.yaml": role("b")})) == ["ObjectWithdrawn"]
    assert control.names() == {"b"}


def test_a_file_nobody_can_identify_is_shown_as_itself_until_it_is_fixed_git_3(control: Control) -> None:
    control.now({"x/odd name.yaml": BROKEN, "b.yaml": role("b")})
    [pseudo] = [found for found in control.machine.state.objects if found.startswith("Manifest/default/")]
    assert "manifests/x/odd name.yaml:" in control.machine.state.objects[pseudo].problems[0]
    control.now({"x/odd name.yaml": role("a"), "b.yaml": role("b")})
    assert control.names() == {"a", "b"}


def test_a_file_too_large_to_be_read_keeps_what_it_held(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    control.now({"a.yaml": "#" * (2 * 1024 * 1024), "b.yaml": role("b")})
    assert control.names() == {"a", "b"}
    assert "bytes" in control.object("a").problems[0]


# --- GIT-4 ------------------------------------------------------------------------------------------------------


def test_moving_splitting_and_joining_files_changes_no_identity_git_4(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    uids = {name: control.object(name).desired.uid for name in "ab"}  # type: ignore[union-attr]
    for files in (
        {"z/moved.yaml": role("a"), "b.yaml": role("b")},
        {"joined.yaml": both(role("b"), role("a"))},
        {"1.yaml": role("b"), "2.yml": role("a")},
        {"2.yml": role("b"), "1.yaml": role("a")},
    ):
        assert set(kinds_of(control.now(files))) == {"ObjectAdmitted"}
        for name, uid in uids.items():
            desired = control.object(name).desired
            assert desired is not None
            assert (desired.uid, desired.generation) == (uid, 1)
            assert control.object(name).problems == ()


def test_two_files_with_one_identity_are_both_named_and_the_first_stays_git_4(control: Control) -> None:
    control.now({"z.yaml": role("a", "First."), "b.yaml": role("b")})
    control.now({"z.yaml": role("a", "First."), "a.yaml": role("a", "Second."), "b.yaml": role("b")})
    [problem] = control.object("a").problems
    assert "manifests/a.yaml:1:1: error: " in problem
    assert "manifests/z.yaml:1:1" in problem
    assert '"First."' in control.object("a").desired.spec  # type: ignore[union-attr]
    control.now({"a.yaml": role("a", "Second."), "b.yaml": role("b")})
    assert '"Second."' in control.object("a").desired.spec  # type: ignore[union-attr]
    assert control.object("a").problems == ()
    assert control.generation("a") == 2


def test_a_second_file_that_breaks_no_longer_counts_as_one_with_that_identity_git_4(control: Control) -> None:
    control.now({"a.yaml": role("a"), "z.yaml": role("a")})
    control.now({"a.yaml": role("a"), "z.yaml": invalid("a")})
    [problem] = control.object("a").problems
    assert problem.startswith("manifests/z.yaml:8:")
    control.restart()
    assert control.take_in() == []


def test_one_identity_twice_in_one_file_is_said_too_git_4(control: Control) -> None:
    control.now({"a.yaml": both(role("a", "First."), role("a", "Second.")), "b.yaml": role("b")})
    [problem] = control.object("a").problems
    assert problem.startswith("manifests/a.yaml:9:1: error: ")
    assert "manifests/a.yaml:1:1, which stays in force" in problem


# --- GIT-5 ------------------------------------------------------------------------------------------------------


def test_a_removed_manifest_withdraws_its_object_git_5(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    assert control.now({"b.yaml": role("b")}) == [events.ObjectWithdrawn(key("a"))]
    assert control.names() == {"b"}


def test_the_same_name_later_is_another_object_git_5(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    first = control.object("a").desired
    control.now({"b.yaml": role("b")})
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    again = control.object("a").desired
    assert first is not None
    assert again is not None
    assert first.uid != again.uid
    assert again.generation == 1


def test_the_same_commit_again_brings_another_object_too_git_5(control: Control) -> None:
    """Attempts are named by the uid and start once ever: an old uid would bring back old results."""
    first_commit = control.commit({"a.yaml": role("a"), "b.yaml": role("b")})
    control.take_in()
    first = control.object("a").desired
    control.now({"b.yaml": role("b")})
    control.repo.references.create(controls.MAIN, first_commit, force=True)
    control.take_in()
    again = control.object("a").desired
    assert first is not None
    assert again is not None
    assert first.uid != again.uid


@pytest.mark.parametrize("count", [1, 2, 10, 30])
def test_nothing_is_ever_pruned_to_zero_git_5(control: Control, count: int) -> None:
    control.now(many(count))
    assert kinds_of(control.now({})) == ["PruneBlocked"]
    assert len(control.names()) == count


def test_a_prune_of_more_than_half_is_blocked_said_once_and_done_once_it_is_smaller_git_5(control: Control) -> None:
    control.now(many(12))
    [blocked] = control.now(many(5))
    assert isinstance(blocked, events.PruneBlocked)
    assert blocked.keys == tuple(sorted(key(f"r{n}") for n in range(5, 12)))
    assert control.take_in() == []
    assert control.take_in() == []  # a look without a new commit forgets nothing
    assert control.now({**many(5), "note.yaml": "# nothing\n"}) == []
    facts = control.now(many(7))
    assert kinds_of(facts) == ["PruneLifted", *["ObjectWithdrawn"] * 5]
    assert control.names() == {f"r{n}" for n in range(7)}


def test_half_of_more_than_ten_and_most_of_ten_may_go_git_5(control: Control) -> None:
    control.now(many(12))
    assert kinds_of(control.now(many(6))) == ["ObjectWithdrawn"] * 6
    control.now(many(10))
    assert kinds_of(control.now(many(1))) == ["ObjectWithdrawn"] * 9


def test_a_blocked_prune_is_still_known_after_a_restart_git_5(control: Control) -> None:
    control.now(many(12))
    control.now(many(5))
    control.restart()
    assert control.take_in() == [], "said once, also by another controller"
    assert control.machine.state.blocked is not None
    control.now(many(7))
    assert control.machine.state.blocked is None
    assert control.names() == {f"r{n}" for n in range(7)}


def test_a_missing_root_folder_withdraws_nothing_git_5(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    assert kinds_of(control.now({})) == ["PruneBlocked"]
    assert control.names() == {"a", "b"}
    assert kinds_of(control.now({"a.yaml": role("a"), "b.yaml": role("b")})) == ["PruneLifted"]


# --- built-ins --------------------------------------------------------------------------------------------------


def test_a_built_in_is_overridden_by_name_and_comes_back(tmp_path: Path) -> None:
    control = Control(tmp_path / "control.git", BUILTIN)
    control.now({"b.yaml": role("b")})
    builtin = control.object("coder").desired
    assert builtin is not None
    assert builtin.path == "builtin:roles/coder.yaml"
    control.now({"b.yaml": role("b"), "mine.yaml": role("coder", "Mine.")})
    assert '"Mine."' in control.object("coder").desired.spec  # type: ignore[union-attr]
    control.now({"b.yaml": role("b"), "mine.yaml": invalid("coder")})
    assert '"Mine."' in control.object("coder").desired.spec  # type: ignore[union-attr]
    control.now({"b.yaml": role("b")})
    back = control.object("coder")
    assert back.desired is not None
    assert (back.desired.path, back.desired.spec_digest) == (builtin.path, builtin.spec_digest)
    assert back.desired.generation == 3
    assert back.problems == ()
    control.restart()
    assert control.take_in() == []


def test_built_ins_are_there_before_the_ref_is_and_are_never_pruned(tmp_path: Path) -> None:
    control = Control(tmp_path / "control.git", BUILTIN)
    assert kinds_of(control.take_in()) == ["ObjectAdmitted"]
    assert control.take_in() == []
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    assert control.names() == {"a", "b", "coder"}
    control.now({"b.yaml": role("b")})
    assert control.names() == {"b", "coder"}


# --- generations ------------------------------------------------------------------------------------------------


def test_only_the_spec_moves_the_generation(control: Control) -> None:
    control.now({"a.yaml": role("a")})
    for text in (role("a", labels="team: x"), "# a comment\n" + role("a"), role("a").replace("Write", "'Write") + "'"):
        text = text.replace("'\n'", "'\n")
        control.now({"a.yaml": text.replace("code.\n'", "code.'\n")})
        assert control.object("a").problems == ()
        assert control.generation("a") == 1
    assert control.object("a").desired.line == 1  # type: ignore[union-attr]
    control.now({"a.yaml": role("a", "Other.", "team: x")})
    assert control.generation("a") == 2
    assert control.object("a").desired.labels == (("team", "x"),)  # type: ignore[union-attr]


# --- restarts, refs and history ---------------------------------------------------------------------------------

AWKWARD = {
    "a.yaml": role("a"),
    "again.yaml": role("a", "Twice."),
    "two.yaml": both(role("b"), invalid("c")),
    "same.yaml": both(role("d"), role("d", "Twice.")),
    "broken.yaml": BROKEN,
}


def test_a_restart_over_an_unchanged_tree_yields_nothing(control: Control) -> None:
    control.now(AWKWARD)
    control.now({**AWKWARD, "two.yaml": BROKEN, "a.yaml": invalid("a")})
    for _ in range(2):
        state = control.machine.state.objects
        control.restart()
        assert control.take_in() == []
        assert control.machine.state.objects == state
    assert "which stays in force" in " ".join(control.object("d").problems)


def test_a_restart_takes_in_what_git_did_meanwhile(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b"), "c.yaml": role("c"), "d.yaml": role("d")})
    changed = {"a.yaml": role("a", "New."), "b.yaml": invalid("b"), "moved.yaml": role("c"), "e.yaml": role("e")}
    control.commit(changed)
    control.restart()
    facts = control.take_in()
    found = {(type(fact).__name__, fact.key.rpartition("/")[2]) for fact in facts}
    assert found == {
        ("RevisionObserved", "control"),
        ("ObjectAdmitted", "a"),
        ("ObjectRejected", "b"),
        ("ObjectAdmitted", "c"),
        ("ObjectAdmitted", "e"),
        ("ObjectWithdrawn", "d"),
    }
    assert (control.generation("a"), control.generation("b"), control.generation("c")) == (2, 1, 1)


def test_a_ref_that_is_missing_at_the_start_withdraws_nothing_until_it_is_back(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    control.repo.references.delete(controls.MAIN)
    assert control.take_in() == []
    control.restart()
    assert control.take_in() == []
    assert control.names() == {"a", "b"}
    control.now({"b.yaml": role("b")})
    assert control.names() == {"b"}


def test_a_descendant_is_no_rewritten_history_git_6(control: Control) -> None:
    for text in ("One.", "Two.", "Three."):
        control.commit({"a.yaml": role("a", text)})
        [revision, *_] = control.take_in()
        assert isinstance(revision, events.RevisionObserved)
        assert not revision.rewritten


def test_a_forced_push_is_a_new_level_and_said_to_be_rewritten_git_6(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    control.commit({"a.yaml": role("a", "Other."), "c.yaml": role("c")}, amend=True)
    [revision, *rest] = control.take_in()
    assert isinstance(revision, events.RevisionObserved)
    assert revision.rewritten
    assert sorted(kinds_of(rest)) == ["ObjectAdmitted", "ObjectAdmitted", "ObjectWithdrawn"]
    assert control.names() == {"a", "c"}


def test_history_rewritten_while_nobody_looked_is_noticed_at_the_start_git_6(control: Control) -> None:
    control.now({"a.yaml": role("a")})
    control.commit({"a.yaml": role("a")}, amend=True)
    control.restart()
    [revision] = control.take_in()
    assert isinstance(revision, events.RevisionObserved)
    assert revision.rewritten


def test_a_tree_that_is_gone_from_the_repo_is_compared_in_full_git_6(control: Control) -> None:
    control.now({"a.yaml": role("a"), "b.yaml": role("b")})
    old = str(control.repo.references[controls.MAIN].peel().tree.id)
    control.commit({"b.yaml": role("b", "New.")}, amend=True)
    objects = Path(control.repo.path) / "objects"
    (objects / old[:2] / old[2:]).unlink()
    control.source.repo = type(control.source.repo).open(control.repo.path)
    control.take_in()
    assert control.names() == {"b"}
    assert control.generation("b") == 2


def test_one_changed_file_of_two_thousand_costs_one_read(control: Control) -> None:
    files = many(2_000)
    control.commit(files)
    control.take_in()
    assert control.source.reads == 2_000
    control.source.reads = 0
    assert kinds_of(control.now({**files, "r7.yaml": role("r7", "New.")})) == ["ObjectAdmitted"]
    assert control.source.reads == 1
    control.take_in()
    assert control.source.reads == 1
