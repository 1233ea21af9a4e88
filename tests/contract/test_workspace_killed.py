"""A landing killed at any instant is undone or finished by the next one."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from orchctl.adapters.workspace import GitWorkspace, checkout, landing
from orchctl.core.ids import Oid
from orchctl.core.ports import LandResult, TransientError
from tests.contract.workspace_place import PROJECT, assert_agrees, commit, everything, git, head_of, work

STEPS = ("copy_index", "moves", "dirty", "advance", "advance-2", "rename", "commit", "cleaned")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_and_run_again_it_lands_mrg_5(tmp_path: Path, repo: Path, step: str) -> None:
    workspace = GitWorkspace(tmp_path / "state")
    old = head_of(repo)
    new = everything(workspace, repo)
    (repo / "untracked").write_text("mine\n")
    workspace.close()
    child = os.fork()
    if child == 0:
        try:
            die_at(step)
            GitWorkspace(tmp_path / "state").land(PROJECT, str(repo), "main", new, old)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    again = GitWorkspace(tmp_path / "state")
    land_within(again, repo, new, old)
    again.close()
    assert_agrees(repo, new, "?? untracked")


def die_at(step: str) -> None:
    """In a child: SIGKILL at the step, or after it where it has a `-2`."""

    def dying(*_args: object, **_options: object) -> object:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    match step:
        case "advance-2":
            advance = checkout.Checkout.advance

            def second(self: checkout.Checkout, old: Oid, new: Oid, dry_run: bool) -> tuple[str, ...]:
                found = advance(self, old, new, dry_run)
                return found if dry_run else dying()  # type: ignore[return-value]

            checkout.Checkout.advance = second  # type: ignore[method-assign]
        case "rename":
            rename = Path.rename
            Path.rename = lambda self, to: dying() if self.name == "orchctl-index" else rename(self, to)  # type: ignore[assignment, method-assign, return-value]
        case "commit":
            rename = Path.rename

            def after(self: Path, to: Path) -> Path:
                done = rename(self, to)
                return dying() if self.name == "orchctl-index" else done  # type: ignore[return-value]

            Path.rename = after  # type: ignore[method-assign,assignment]
        case "cleaned":
            unlink = Path.unlink
            Path.unlink = lambda self, **k: dying() if self.name == landing.NOTE else unlink(self, **k)  # type: ignore[assignment, method-assign]
        case _:
            setattr(checkout.Checkout, step, dying)


def land_within(workspace: GitWorkspace, repo: Path, new: Oid, old: Oid, seconds: float = 15) -> None:
    """Land, again while a lock of the killed one is still being let go."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = workspace.land(PROJECT, str(repo), "main", new, old)
        except TransientError:
            assert time.monotonic() < end
            continue
        assert found.result is LandResult.LANDED, found
        return


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("whole", [False, True])
def test_git_killed_within_the_checkout_is_undone_and_landed_mrg_5(
    tmp_path: Path, repo: Path, count: int, whole: bool
) -> None:
    """The user's own smudge filter kills git (and the controller) at its count-th file."""
    tally, armed = tmp_path / "tally", tmp_path / "armed"
    script = tmp_path / "smudge"
    parent = "kill -9 $CONTROLLER;" if whole else ""
    script.write_text(
        f"#!/bin/sh\ncat\n[ -e {armed} ] || exit 0\necho >> {tally}\n"
        f"if [ $(wc -l < {tally}) -ge {count} ]; then {parent} kill -9 0; fi\n"
    )
    script.chmod(0o755)
    old = commit(repo, {".gitattributes": "*.f filter=k\n", **{f"{n}.f": f"old {n}\n" for n in range(5)}})
    git(repo, "config", "filter.k.smudge", str(script))
    workspace = GitWorkspace(tmp_path / "state")
    files: dict[str, str | None] = {f"{n}.f": f"new {n}\n" * 50 for n in range(5)}
    new = work(workspace, repo, {**files, "new.f": "n\n", "b.txt": None})
    workspace.close()
    armed.touch()
    child = os.fork()
    if child == 0:
        try:
            os.environ["CONTROLLER"] = str(os.getpid())
            GitWorkspace(tmp_path / "state").land(PROJECT, str(repo), "main", new, old)
        except TransientError:
            os._exit(7)
        finally:
            os._exit(3)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == (-signal.SIGKILL if whole else 7)
    armed.unlink()
    again = GitWorkspace(tmp_path / "state")
    land_within(again, repo, new, old)
    again.close()
    assert_agrees(repo, new)


def test_a_torn_landing_of_an_older_merge_is_undone_first(tmp_path: Path, repo: Path) -> None:
    """Killed half way, then another merge is landed: nothing of the first one stays."""
    workspace = GitWorkspace(tmp_path / "state")
    old = head_of(repo)
    first = work(workspace, repo, {"a.txt": "first\n", "only-first": "1\n"})
    second = work(workspace, repo, {"a.txt": "second\n"}, "two")
    workspace._lander._send(workspace._hubs.path(PROJECT), str(repo), f"{first}:refs/orch/landing/{first}")
    landing._write_note(repo / ".git" / landing.NOTE, landing._Target("refs/heads/main", old, first))
    (repo / "a.txt").write_text("fir")
    (repo / "only-first").write_text("1\n")
    (repo / ".git/index.lock").write_text(f"{landing._LOCK_MARK}{tmp_path}/gone.lock\n")
    (repo / ".git/refs/heads/main.lock").write_text(f"{second}\n")
    land_within(workspace, repo, second, old)
    workspace.close()
    assert_agrees(repo, second)
    assert not (repo / "only-first").exists()


@pytest.mark.parametrize("step", ["commit", "rename"])
def test_another_merge_lands_where_an_earlier_one_was_killed_mrg_5(tmp_path: Path, repo: Path, step: str) -> None:
    workspace = GitWorkspace(tmp_path / "state")
    old = head_of(repo)
    first = everything(workspace, repo)
    second = work(workspace, repo, {"a.txt": "second\n", "run.sh": "#!/bin/sh\ntrue\n"}, "two")
    workspace.close()
    child = os.fork()
    if child == 0:
        try:
            die_at(step)
            GitWorkspace(tmp_path / "state").land(PROJECT, str(repo), "main", first, old)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    again = GitWorkspace(tmp_path / "state")
    land_within(again, repo, second, old)
    again.close()
    assert_agrees(repo, second)
    assert not (repo / "deep").exists()
    assert (repo / "dir/c.txt").read_text() == "c\n"


def test_log_9_the_locks_of_makers_that_are_gone_are_removed_and_those_held_stay(tmp_path: Path) -> None:
    owners = tmp_path / "state/owners"
    gone = GitWorkspace(tmp_path / "state")
    fd = os.dup(gone._owner.fd)  # as a git of it that still runs has it
    os.close(gone._owner.fd)
    (owners / f"{'0' * 16}.lock").touch()
    (owners / f".{'1' * 16}").touch()
    (owners / "notes.txt").touch()
    workspace = GitWorkspace(tmp_path / "state")
    workspace.sweep()
    assert {path.name for path in owners.iterdir()} == {gone._owner.path.name, workspace._owner.path.name, "notes.txt"}
    os.close(fd)
    workspace.sweep()
    assert {path.name for path in owners.iterdir()} == {workspace._owner.path.name, "notes.txt"}
    workspace.close()
