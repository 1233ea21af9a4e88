"""Commits what an agent left uncommitted, with ordinary git and no more rights than the agent had.

Run as an attempt in the agent's worktree: filters, LFS and hooks then do what the repository wants, and whatever code
they name runs where the agent's code ran. Argument: the file with the commit message. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

UNFINISHED, GIT_FAILED = 3, 4
IN_PROGRESS = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )


def report(**fields: object) -> None:
    print(json.dumps({"orchctl": "leftovers", **fields}), flush=True)


def refuse(code: int, reason: str) -> int:
    report(committed=False, error=reason)
    return code


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["git gave no reason"])[-1][:300]


def unfinished() -> str | None:
    for name, operation in IN_PROGRESS.items():
        if os.path.exists(git("rev-parse", "--git-path", name).stdout.strip() or name):
            return operation
    return None


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        return refuse(64, "give the file with the commit message")
    inside = git("rev-parse", "--git-dir")
    if inside.returncode != 0:
        return refuse(GIT_FAILED, last_line(inside.stderr))
    operation = unfinished()
    if operation:
        return refuse(UNFINISHED, f"the agent left an unfinished {operation}; finish or abort it in the worktree")
    added = git("add", "-A", "--ignore-errors")
    if git("diff", "--cached", "--quiet").returncode == 0:
        if added.returncode != 0:
            return refuse(GIT_FAILED, last_line(added.stderr))
        report(committed=False)
        return 0
    done = git("commit", "--quiet", "--file", arguments[0])
    hook_refused = done.returncode != 0
    if hook_refused:  # work must not get lost to a hook; gates judge it later
        done = git("commit", "--quiet", "--no-verify", "--file", arguments[0])
    if done.returncode != 0:
        return refuse(GIT_FAILED, last_line(done.stderr))
    commit = git("rev-parse", "HEAD").stdout.strip()
    report(committed=True, commit=commit, hook_refused=hook_refused, skipped_files=added.returncode != 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
