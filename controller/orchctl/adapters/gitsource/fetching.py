"""Fetches one ref of a remote again and again, in a thread of its own: the loop must never wait for a network (F19).

Started by whoever builds a controller. Each try has a deadline after which it is killed; failures are tried again less
and less often, spread by chance so that many controllers do not come back at once. Must never raise for what a remote
does: what came of the last try is a report.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from orchctl.adapters.gitsource import commands, repository
from orchctl.core.ports import WorldError
from orchctl.kit import text

FIRST_S = 900.0  # for all of the history
DEADLINE_S = 60.0
BACKOFF_S_MAX = 300.0
SPREAD = 0.3
STOP_TIMEOUT_S = 5.0
SAID_MAX = 300
_SECRET = re.compile(r"://[^/@\s]+@")
_ANSWERED = re.compile(
    r"Permission denied|Host key verification failed|[Aa]uthentication failed|could not read (?:Username|Password)"
    r"|returned error: 4\d\d|find remote ref|does not appear to be a git repository|[Rr]epository .*not found"
    r"|repository '.*' does not exist|access denied"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    git_dir: Path
    remote: str  # an address, or the name of a remote of that repo
    ref: str  # there
    into: str  # the ref here
    shown: str  # the remote as people may see it


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    tries: int = 0
    message: str = ""  # of a try that failed, else nothing
    offline: bool = False  # nothing answered
    synced_at: float = 0.0  # wall time of the last try that went well, 0 for never


class Fetcher:
    def __init__(
        self,
        target: Target,
        stamp: Path,
        interval_s: float = 10.0,
        deadline_s: float | None = None,
    ) -> None:
        self.target = target
        self.interval_s = interval_s  # may be set at any time
        self.changed: Callable[[], None] = lambda: None  # called in the fetching thread
        self._stamp = stamp  # a file whose time says when a fetch went well last, also in an earlier process
        self._deadline_s = deadline_s
        self._report = Report(synced_at=_time_of(stamp))
        self._failures = 0  # in a row
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def report(self) -> Report:
        return self._report

    def start(self) -> None:
        assert self._thread is None, "a fetcher is started once"
        self._thread = threading.Thread(target=self._run, name="fetcher", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """A try under way is killed, and there is no other. From any thread, at once."""
        self._stop.set()

    def stop(self) -> None:
        self.cancel()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def once(self) -> None:
        """One try, and the report of it."""
        before = self._report
        try:
            message = self._fetch()
        except WorldError as error:
            message = str(error)
        except commands.Stopped:
            return
        if not message:
            self._failures = 0
            with contextlib.suppress(OSError):
                self._stamp.touch()
            self._report = Report(before.tries + 1, synced_at=time.time())
        else:
            self._failures += 1
            offline = _ANSWERED.search(message) is None
            self._report = Report(before.tries + 1, message, offline, before.synced_at)
        if before.tries == 0 or before.message != message:
            self.changed()

    def pause_s(self) -> float:
        """How long to wait after the last try."""
        if not self._failures:
            return self.interval_s
        longest = max(self.interval_s, BACKOFF_S_MAX)
        backoff_s = min(longest, self.interval_s * 2.0 ** min(self._failures - 1, 16))
        return backoff_s * random.uniform(1.0 - SPREAD, 1.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.once()
            self._stop.wait(self.pause_s())

    def _fetch(self) -> str:
        """Why it failed, or nothing."""
        target = self.target
        before = repository.ControlRepo.open(target.git_dir).resolve(target.into)
        done = commands.run(
            target.git_dir,
            (
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-prune",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--no-auto-maintenance",
                "--",
                target.remote,
                f"+{target.ref}:{target.into}",
            ),
            deadline_s=self._deadline_s or (FIRST_S if before is None else DEADLINE_S),
            stop=self._stop,
        )
        if done.code:
            return sentence(done.err)
        if repository.ControlRepo.open(target.git_dir).resolve(target.into) != before:
            self.changed()
        return ""


def sentence(complaint: str) -> str:
    """What git said, as one line that anybody may see: most of it comes from the other side."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))] or lines
    words = (line.removeprefix("fatal: ").removeprefix("error: ") for line in [*lines[:1], *telling])
    said = "; ".join(dict.fromkeys(words)) or "git said nothing"
    return text.one_line(without_secrets(said), SAID_MAX)


def without_secrets(said: str) -> str:
    return _SECRET.sub("://", said)


def _time_of(stamp: Path) -> float:
    with contextlib.suppress(OSError):
        return stamp.stat().st_mtime
    return 0.0
