"""The branch of a control repo that is elsewhere, for a verb that writes to it: read fresh, and pushed to.

The mirror is only where the commit is made. What counts is the remote: a push that is based on something old is refused
by it, whoever else pushes, and the mirror follows.
"""

from __future__ import annotations

from pathlib import Path

from orchctl.adapters.gitsource import fetching, remotes, repository
from orchctl.app.read import failures
from orchctl.app.read.locate import Place
from orchctl.core import ports

PUSH = ("push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")


def default_ref(place: Place) -> str:
    """The remote's default branch; makes the mirror when there is none."""
    assert place.remote is not None
    try:
        remotes.make_mirror(Path(place.git_dir), place.remote)
        return remotes.settle_head(Path(place.git_dir), place.remote)
    except ports.WorldError as error:
        raise failures.CommandError(str(error)) from error


def refresh(place: Place, ref: str) -> None:
    """Fetch the branch; CommandError when that does not work. A branch that is not there yet is none."""
    assert place.remote is not None
    try:
        remotes.make_mirror(Path(place.git_dir), place.remote)
        target = remotes.target_of(repository.ControlRepo.open(place.git_dir), ref)
    except ports.WorldError as error:
        raise failures.CommandError(str(error)) from error
    assert target is not None
    one = fetching.Fetcher(target, Path(place.git_dir) / "fetched")
    one.once()
    said = one.report().message
    if said and "find remote ref" not in said:
        raise failures.CommandError(f"{target.shown} cannot be fetched: {said}")


def push_words(place: Place, ref: str, commit: str, tip: str) -> tuple[str, ...]:
    """git's words that move the branch there from `tip`, empty for a branch that is to be made, to `commit`."""
    assert place.remote is not None
    return (*PUSH, f"--force-with-lease={ref}:{tip}", "--", place.remote, f"{commit}:{ref}")
