"""A remote that is slow, silent, gone or well: each try ends, and what came of it is told (F19)."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest

from orchctl.adapters.gitsource import fetching, remotes, repository
from orchctl.core.ports import PermanentError, TransientError
from tests.unit.gitsource import signing

WAIT_S = 20.0


@pytest.fixture
def upstream(tmp_path: Path) -> signing.Signed:
    made = signing.Signed(tmp_path / "upstream")
    made.commit("one")
    return made


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def fetcher(tmp_path: Path, url: str, deadline_s: float = WAIT_S) -> fetching.Fetcher:
    mirror = tmp_path / "mirrors/m.git"
    remotes.make_mirror(mirror, url)
    target = remotes.target_of(repository.ControlRepo.open(mirror), signing.MAIN)
    assert target is not None
    return fetching.Fetcher(target, tmp_path / "stamp", interval_s=0.01, deadline_s=deadline_s)


def head(one: fetching.Fetcher) -> str | None:
    return repository.ControlRepo.open(one.target.git_dir).resolve(one.target.into)


def test_git_2_what_the_remote_has_is_here_after_a_fetch_also_when_rewritten(
    upstream: signing.Signed, tmp_path: Path
) -> None:
    one = fetcher(tmp_path, f"file://{upstream.folder}")
    told: list[None] = []
    one.changed = lambda: told.append(None)
    one.once()
    assert head(one) == upstream.git("rev-parse", "HEAD")
    assert (one.report().message, one.report().tries) == ("", 1)
    assert one.report().synced_at > 0
    assert told
    told.clear()
    one.once()
    assert told == [], "nothing is new"
    upstream.git("commit", "-q", "--amend", "-m", "rewritten")
    upstream.git("tag", "noise")
    one.once()
    assert head(one) == upstream.git("rev-parse", "HEAD")
    assert told
    assert list(pygit2.Repository(str(one.target.git_dir)).references) == [signing.MAIN]
    assert not (one.target.git_dir / "FETCH_HEAD").exists()


@pytest.mark.parametrize("scheme", ["http", "git"])
def test_f19_a_silent_remote_is_given_up_at_the_deadline_and_is_offline(tmp_path: Path, scheme: str) -> None:
    with black_hole() as port:
        one = fetcher(tmp_path, f"{scheme}://127.0.0.1:{port}/control.git", deadline_s=0.5)
        begun = time.monotonic()
        one.once()
        assert time.monotonic() - begun < 5.0
    report = one.report()
    assert report.offline
    assert "took longer than 0.5 s" in report.message
    assert report.synced_at == 0.0


def test_f19_a_fetch_under_way_is_killed_when_the_controller_ends(tmp_path: Path) -> None:
    with black_hole() as port:
        one = fetcher(tmp_path, f"http://127.0.0.1:{port}/control.git", deadline_s=3600.0)
        one.start()
        begun = time.monotonic()
        one.stop()
        assert time.monotonic() - begun < fetching.STOP_TIMEOUT_S


def test_f19_a_dead_remote_keeps_what_was_fetched_and_says_since_when(upstream: signing.Signed, tmp_path: Path) -> None:
    one = fetcher(tmp_path, f"file://{upstream.folder}")
    one.once()
    before, since = head(one), one.report().synced_at
    upstream.folder.rename(tmp_path / "away")
    one.once()
    assert head(one) == before
    assert (one.report().offline, one.report().synced_at) == (False, since)
    assert "does not appear to be a git repository" in one.report().message
    later = fetching.Fetcher(one.target, tmp_path / "stamp")
    assert abs(later.report().synced_at - since) < 2.0, "also known to the next controller"
    (tmp_path / "away").rename(upstream.folder)
    one.once()
    assert one.report().message == ""


def test_f19_a_refused_connection_is_offline_and_a_branch_that_is_gone_is_not(
    upstream: signing.Signed, tmp_path: Path
) -> None:
    with black_hole() as port:
        pass
    closed = fetcher(tmp_path, f"http://127.0.0.1:{port}/control.git")
    closed.once()
    assert closed.report().offline, closed.report().message
    gone = fetcher(tmp_path / "other", f"file://{upstream.folder}")
    upstream.git("branch", "-m", "main", "trunk")
    gone.once()
    assert not gone.report().offline
    assert "main" in gone.report().message


def test_failures_are_tried_less_and_less_often_spread_by_chance_and_not_for_ever_less(tmp_path: Path) -> None:
    one = fetcher(tmp_path, f"file://{tmp_path}/nowhere")
    one.interval_s = 10
    assert one.pause_s() == 10
    pauses = []
    for _ in range(12):
        one.once()
        pauses.append(one.pause_s())
    assert 10 * (1 - fetching.SPREAD) <= pauses[0] <= 10
    assert pauses[2] > pauses[0]
    assert max(pauses) <= fetching.BACKOFF_S_MAX
    assert len({one.pause_s() for _ in range(5)}) > 1
    one.interval_s = 3600
    assert one.pause_s() > fetching.BACKOFF_S_MAX, "who asks seldom is not asked more often because it fails"


def test_git_2_the_thread_fetches_again_and_again(upstream: signing.Signed, tmp_path: Path) -> None:
    one = fetcher(tmp_path, f"file://{upstream.folder}")
    told = threading.Event()
    one.changed = told.set
    one.start()
    try:
        assert told.wait(WAIT_S)
        wanted = upstream.commit("two")
        while head(one) != wanted:
            assert told.wait(WAIT_S)
            told.clear()
    finally:
        one.stop()


def test_a_remote_tracking_branch_of_a_clone_is_fetched_too(upstream: signing.Signed, tmp_path: Path) -> None:
    signing.run(tmp_path, "git", "clone", "-q", str(upstream.folder), "clone")
    signing.run(tmp_path / "clone", "git", "remote", "rename", "origin", "team/up")
    control = repository.ControlRepo.open(tmp_path / "clone")
    target = remotes.target_of(control, "refs/remotes/team/up/main")
    assert target is not None
    upstream.commit("two")
    fetching.Fetcher(target, tmp_path / "stamp").once()
    assert control.resolve("refs/remotes/team/up/main") == upstream.git("rev-parse", "HEAD")
    assert control.resolve("refs/heads/main") != upstream.git("rev-parse", "HEAD")
    for ref in (signing.MAIN, "refs/remotes/other/main", "refs/remotes/team/up/HEAD"):
        assert remotes.target_of(control, ref) is None


def test_the_default_branch_is_asked_for_and_a_remote_that_cannot_tell_is_named(
    upstream: signing.Signed, tmp_path: Path
) -> None:
    upstream.git("branch", "-m", "main", "trunk")
    mirror = tmp_path / "m.git"
    url = f"file://{upstream.folder}"
    remotes.make_mirror(mirror, url)
    assert remotes.settle_head(mirror, url) == "refs/heads/trunk"
    assert repository.ControlRepo.open(mirror).head_branch() == "trunk"
    with pytest.raises(TransientError, match="--ref"):
        remotes.settle_head(mirror, f"file://{tmp_path}/nowhere")


def test_a_mirror_that_was_lost_is_made_again_with_the_same_state(tmp_path: Path) -> None:
    uids = []
    for name in ("a.git", "b.git"):
        remotes.make_mirror(tmp_path / name, "ssh://git@example.com/control.git")
        uids.append(repository.repo_uid(tmp_path / name))
    assert uids[0] == uids[1]
    with pytest.raises(PermanentError, match="not a mirror of"):
        remotes.make_mirror(tmp_path / "a.git", "ssh://git@example.com/other.git")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.git", "b.git"]


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@example.com/x.git",
        "http://example.com/x.git",
        "git://example.com/x.git",
        "http://127.0.0.1.example.com/x.git",
        "http://127.0.0.1@example.com/x.git",
        "ext::sh -c id",
        "ftp://example.com/x.git",
        "--upload-pack=id",
        "ssh://example.com/x\n.git",
    ],
)
def test_addresses_that_would_do_harm_or_say_too_much_are_refused(url: str) -> None:
    with pytest.raises(PermanentError):
        remotes.checked(url)


@pytest.mark.parametrize(
    "url", ["https://example.com/x.git", "ssh://git@example.com:22/x", "git@example.com:x.git", "http://[::1]:8080/x"]
)
def test_usual_addresses_will_do(url: str) -> None:
    assert remotes.checked(url) == url


def test_what_the_other_side_says_is_one_line_without_secrets() -> None:
    said = fetching.sentence("fatal: unable to access 'https://ann:pw@host/x': \x1b[31mno\nerror: second\nhint: x\n")
    assert said == "unable to access 'https://host/x': no; second"
