"""Addresses of one repository: what agents may not write must not depend on how a Project calls it (APP-6)."""

from __future__ import annotations

import pathlib

import pygit2
import pytest

from orchctl.adapters.gitsource import addresses


@pytest.mark.parametrize("bare", [False, True])
def test_app_6_a_folder_is_the_same_repo_by_each_of_its_names(tmp_path: pathlib.Path, bare: bool) -> None:
    repo = tmp_path / "control repo"
    pygit2.init_repository(str(repo), bare=bare).free()
    (tmp_path / "link").symlink_to(repo)
    quoted = str(repo).replace(" ", "%20")
    for name in (f"file://{quoted}", f"file://localhost{quoted}/", f"FILE://{quoted}", f"{tmp_path}/link", f"{repo}/"):
        assert addresses.is_same(name, str(repo)), name
    other = tmp_path / "other"
    pygit2.init_repository(str(other), bare=bare).free()
    assert not addresses.is_same(f"file://{other}", str(repo))
    assert not addresses.is_same(f"file://{tmp_path}/gone", str(repo))


@pytest.mark.parametrize(
    "name",
    ["https://example.com/a/b.git", "https://example.com/a/b/", "https://EXAMPLE.com/a/b", "HTTPS://example.com/a/b"],
)
def test_app_6_an_address_is_the_same_with_and_without_what_git_adds(name: str) -> None:
    assert addresses.is_same(name, "https://example.com/a/b")
    assert not addresses.is_same(name, "https://example.com/a/B")
    assert not addresses.is_same(name, "https://example.com/a/b2")


def test_app_6_addresses_in_the_short_form_are_compared_too() -> None:
    assert addresses.is_same("git@example.com:a/b.git", "git@example.com:a/b")
