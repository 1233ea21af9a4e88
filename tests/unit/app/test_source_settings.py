"""What the Settings in git say about the source: paths, and what may leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchctl.core import accept, events, sources
from orchctl.core.ids import SOURCE, Oid
from tests.unit.app.control import BROKEN, Control, key, kinds_of, role

HEAD = "apiVersion: orchctl.dev/v1alpha1\nkind: Settings\nmetadata: {name: default}\nspec:\n  source: "
CONFIG = "{paths: [config]}"
WHERE = "manifests/settings.yaml"


def settings(source: str) -> str:
    return f"{HEAD}{source}\n"


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path / "control.git")


def roles(control: Control) -> set[str]:
    return control.names() - {"default", "control"}


def settle(control: Control) -> None:
    """Looks until nothing is news: what is said must come to an end."""
    for _ in range(5):
        if not control.take_in():
            return
    pytest.fail("every look finds something new")


def many(count: int, folder: str = "manifests") -> dict[str, str]:
    return {f"{folder}/r{n}.yaml": role(f"r{n}") for n in range(count)}


# --- paths ------------------------------------------------------------------------------------------------------


def test_git_1_settings_name_the_folders_and_count_from_their_own_commit_on(control: Control) -> None:
    control.all_now({"manifests/a.yaml": role("a"), "config/b.yaml": role("b")})
    assert roles(control) == {"a"}
    control.all_now({WHERE: settings("{paths: [manifests, ./config/]}"), **many(1), "config/b.yaml": role("b")})
    assert roles(control) == {"r0", "b"}
    assert control.machine.state.revision is not None
    assert control.machine.state.revision.roots == ("manifests", "config")
    settle(control)


def test_git_1_settings_stay_in_force_outside_of_the_paths_they_name(control: Control) -> None:
    files = {WHERE: settings(CONFIG), "config/b.yaml": role("b"), "manifests/a.yaml": role("a")}
    control.all_now(files)
    settle(control)
    assert roles(control) == {"b"}
    control.restart()
    settle(control)
    assert roles(control) == {"b"}
    control.all_now({**files, "manifests/broken.yaml": BROKEN, "manifests/note.yaml": role("note")})
    assert roles(control) == {"b"}, "nothing but Settings is taken from a folder that is not named"
    assert control.machine.state.revision is not None
    assert set(control.machine.state.revision.roots) == {"config", "manifests"}, "no agent may write them there"


def test_git_5_manifests_that_move_together_with_the_settings_stay_what_they_are(control: Control) -> None:
    control.all_now({WHERE: settings("{}"), **many(4)})
    uids = {name: control.object(name).desired.uid for name in roles(control)}  # type: ignore[union-attr]
    control.all_now({WHERE: settings(CONFIG), **many(4, "config")})
    settle(control)
    assert {name: control.object(name).desired.uid for name in roles(control)} == uids  # type: ignore[union-attr]
    control.all_now({"config/settings.yaml": settings(CONFIG), **many(4, "config")})
    settle(control)
    assert len(roles(control)) == 4, "the Settings moved to where they say"
    control.restart()
    settle(control)
    assert len(roles(control)) == 4


@pytest.mark.parametrize("where", ["nowhere/settings.yaml", "manifests/settings.yaml"])
def test_git_5_paths_that_no_longer_name_a_folder_withdraw_nothing_unasked(control: Control, where: str) -> None:
    files = many(3, "config")
    control.all_now({WHERE: settings(CONFIG), **files, "manifests/own.yaml": role("own")})
    settle(control)
    facts = control.all_now({where: settings("{paths: [other]}"), **files, "manifests/own.yaml": role("own")})
    settle(control)
    assert roles(control) >= {"r0", "r1", "r2"}, kinds_of(facts)
    blocked = control.machine.state.blocked
    if where == WHERE:
        assert blocked is not None
        assert "no longer below `source.paths`, but still in git" in blocked.message
        control.machine.step([confirm(control)], events.Now(at=2_000_000_000.0, t=1_000.0))
        control.take_in()
        settle(control)
        assert roles(control) == set()


def test_git_5_settings_that_are_removed_leave_what_they_named_in_place(control: Control) -> None:
    """The defaults return, and with them other paths: that is no reason to withdraw what is still in git."""
    control.all_now(
        {WHERE: settings("{paths: [manifests, config]}"), **many(3, "config"), "manifests/a.yaml": role("a")}
    )
    control.all_now({**many(3, "config"), "manifests/a.yaml": role("a")})
    settle(control)
    assert sources.SETTINGS not in control.machine.state.objects
    assert roles(control) == {"a", "r0", "r1", "r2"}
    assert control.machine.state.blocked is not None
    assert control.machine.state.blocked.reason == "Outside"


def test_git_3_settings_that_cannot_be_read_stay_as_they_were(control: Control) -> None:
    files = many(2, "config")
    control.all_now({WHERE: settings(CONFIG), **files})
    for bad in (BROKEN, settings("{paths: ['**']}"), settings("{paths: []}")):
        control.all_now({WHERE: bad, **files})
        settle(control)
        assert roles(control) == {"r0", "r1"}
        assert control.machine.state.objects[sources.SETTINGS].problems
    control.restart()
    settle(control)
    assert roles(control) == {"r0", "r1"}


def test_git_4_two_settings_that_name_each_others_folder_come_to_rest(control: Control) -> None:
    control.all_now(
        {
            WHERE: settings("{paths: [b]}"),
            "b/settings.yaml": settings("{paths: [c]}"),
            "c/c.yaml": role("c"),
            **many(1, "b"),
        }
    )
    settle(control)
    assert roles(control) == {"r0"}, "those of the default folder count"
    control.all_now({"b/settings.yaml": settings("{paths: [c]}"), "c/c.yaml": role("c"), **many(1, "b")})
    settle(control)
    control.restart()
    settle(control)
    assert "r0" in roles(control)


# --- prune ------------------------------------------------------------------------------------------------------


def confirm(control: Control) -> events.PruneConfirmed:
    blocked = control.machine.state.blocked
    assert blocked is not None
    return events.PruneConfirmed(SOURCE, revision=Oid(blocked.revision), token="t", actor="me")


def test_git_5_the_only_object_is_kept_until_a_person_says_so(control: Control) -> None:
    control.now({"a.yaml": role("a")})
    [blocked] = control.now({})
    assert isinstance(blocked, events.PruneBlocked)
    assert blocked.message.startswith("role/a, the only object, vanished from git")
    assert f"`orchctl prune --confirm {blocked.revision[:12]}`" in blocked.message
    control.machine.step([confirm(control)], events.Now(at=2_000_000_000.0, t=1_000.0))
    control.take_in()
    assert roles(control) == set()


def test_git_5_all_may_leave_where_the_settings_allow_it(control: Control) -> None:
    """Of what they say, what the last commit with Settings said counts."""
    control.all_now({WHERE: settings("{prune: {allowEmpty: true}}"), **many(5)})
    control.all_now({})
    settle(control)
    assert control.names() == set()


@pytest.mark.parametrize(("percent", "left", "goes"), [(90, 2, True), (20, 9, False), (100, 1, True), (0, 11, False)])
def test_git_5_how_many_of_more_than_ten_may_leave_is_set(
    control: Control, percent: int, left: int, goes: bool
) -> None:
    said = {WHERE: settings(f"{{prune: {{maxPercent: {percent}}}}}")}
    control.all_now({**said, **many(12)})
    control.all_now({**said, **many(left)})
    assert len(roles(control)) == (left if goes else 12)


def test_git_5_a_higher_limit_lets_go_what_was_kept(control: Control) -> None:
    control.all_now({WHERE: settings("{}"), **many(12)})
    control.all_now({WHERE: settings("{}"), **many(2)})
    assert len(roles(control)) == 12
    control.all_now({WHERE: settings("{prune: {maxPercent: 95}}"), **many(2)})
    assert len(roles(control)) == 2


def test_git_5_with_pruning_off_nothing_leaves_and_no_confirmation_changes_that(control: Control) -> None:
    off = {WHERE: settings("{prune: {enabled: false}}")}
    control.all_now({**off, **many(3)})
    [blocked] = control.all_now({**off, **many(2)})
    assert isinstance(blocked, events.PruneBlocked)
    assert "role/r2 is gone from git and kept: `source.prune.enabled` of the Settings is false" in blocked.message
    assert "--confirm" not in blocked.message
    refused = accept.accept(control.machine.state, confirm(control))
    assert isinstance(refused, accept.Stale)
    assert "prune.enabled" in refused.reason
    control.restart()
    settle(control)
    control.all_now({})
    settle(control)
    assert roles(control) == {"r0", "r1", "r2"}, "the Settings themselves do not leave either"
    control.all_now({WHERE: settings("{}"), **many(2)})
    settle(control)
    assert roles(control) == {"r0", "r1"}
    assert key("r2") not in control.machine.state.objects


def test_git_5_the_only_object_may_make_room_for_another(control: Control) -> None:
    control.now({"a.yaml": role("a")})
    control.now({"a.yaml": role("b")})
    assert roles(control) == {"b"}


def test_git_1_settings_of_another_folder_are_still_read_when_they_name_a_third_one(control: Control) -> None:
    control.all_now({WHERE: settings(CONFIG), **many(1, "config")})
    control.all_now({"config/settings.yaml": settings(CONFIG), **many(1, "config")})
    settle(control)
    third = {"config/settings.yaml": settings("{paths: [other]}"), "other/c.yaml": role("c"), **many(1, "config")}
    control.all_now(third)
    settle(control)
    assert "c" in roles(control)
    control.all_now({**third, "config/settings.yaml": settings("{paths: [other], interval: 3s}")})
    settle(control)
    assert sources.in_force(control.machine.state).interval_s == 3
