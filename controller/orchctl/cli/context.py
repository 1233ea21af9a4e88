"""What surrounds one command: streams, environment, folder and clock, handed to every verb.

Nothing below the command line looks at `sys` or the clock by itself, so that tests hold all of it.
"""

from __future__ import annotations

import os
import sys
import time

from orchctl.app.read import locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TextIO


class Context:
    __slots__ = ("cwd", "environ", "error", "now", "output", "source")

    def __init__(
        self,
        output: TextIO | None = None,
        error: TextIO | None = None,
        environ: Mapping[str, str] | None = None,
        cwd: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.output = output or sys.stdout
        self.error = error or sys.stderr
        self.source = sys.stdin
        self.environ = os.environ if environ is None else environ
        self.cwd = cwd or os.getcwd()
        self.now = now

    def say(self, line: str = "") -> None:
        self.output.write(line + "\n")

    def say_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.output.write(line + "\n")

    def warn(self, line: str) -> None:
        """A hint or warning; the answer itself goes to `output`."""
        self.error.write(line + "\n")

    def place(self, repo: str | None) -> locate.Place:
        """The control repo of this command: --repo, else ORCHCTL_REPO, else around the current folder."""
        named = repo or self.environ.get("ORCHCTL_REPO") or "."
        where = named if locate.is_remote(named) else os.path.join(self.cwd, named)
        return locate.locate(where, self.environ)

    @property
    def is_terminal(self) -> bool:
        return self.output.isatty()
