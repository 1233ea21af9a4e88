"""`orchctl logs`: what the agents and checks of a task or session printed, all attempts in order.

`-f` goes from attempt to attempt and ends by itself when the object has ended and all of it was shown. Without a
controller nothing new can start, so it then shows what there is and says so.
"""

from __future__ import annotations

import time

from orchctl.app.read import body, failures, locate, output, resources, rows
from orchctl.cli import arguments, selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl logs fix-login
  orchctl logs fix-login -f
  orchctl logs session/fix-login-implement-1 --raw > session.log"""
POLL_S = 0.1
FOLLOWED_KINDS = ("Task", "Session")


def parser() -> arguments.Parser:
    made = arguments.parser(
        "logs (NAME | KIND/NAME)", "Print the output of a task's or session's attempts, in order.", EXAMPLES
    )
    made.add_argument("target", metavar="WHAT", help="a task or a session")
    made.add_argument("-f", "--follow", action="store_true", help="go on until it has ended")
    made.add_argument("--raw", action="store_true", help="byte for byte, control sequences too")
    arguments.add_namespace(made)
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    target = selection.named([options.target])[0]
    if target.kind.kind not in FOLLOWED_KINDS:
        raise failures.CommandError(f"a {target.kind.singular} has no logs: name a task or a session", failures.USAGE)
    place = context.place(options.repo)
    with selection.open_ledger(place, target) as reader:
        record = selection.one(target, options.namespace, reader, or_session="/" not in options.target)
        printer = Printer(reader, record, place, context, raw=options.raw)
        return printer.follow() if options.follow else printer.show()


def pause() -> None:
    """Until the log or the ledger is worth another look."""
    time.sleep(POLL_S)


class Printer:
    """Prints attempts one after the other, remembering where it is."""

    def __init__(
        self, reader: rows.Reader, record: rows.Record, place: locate.Place, context: Context, *, raw: bool
    ) -> None:
        self._reader = reader
        self._record = record
        self._place = place
        self._context = context
        self._raw = raw
        self._done: set[str] = set()
        self._current: output.Attempt | None = None
        self._tail: output.Tail | None = None

    def show(self) -> int:
        """What there is now."""
        for attempt in self._attempts():
            self._open(attempt)
            self._pump()
            self._close()
        if not self._done:
            self._context.warn(f"{self._label} has printed nothing: no attempt was started.")
        return failures.OK

    def follow(self) -> int:
        while True:
            # Looked at before reading: what was printed before the end is then certainly read.
            is_over = self._is_over()
            alive = locate.controller(self._place)[0]
            moved = self._step()
            if moved:
                continue
            self._context.output.flush()
            if is_over:
                self._close()
                return failures.OK
            if not alive and (self._current is None or self._current.has_ended):
                self._context.warn(f"No controller is running, and {self._label} has not ended: this is all there is.")
                return failures.OK
            pause()

    @property
    def _label(self) -> str:
        return resources.label_of(self._record.key)

    def _is_over(self) -> bool:
        fresh = self._reader.find(self._record.kind, self._record.namespace, self._record.name)
        self._record = fresh or self._record
        return fresh is None or body.is_terminal(body.of(fresh).at("status"))

    def _attempts(self) -> list[output.Attempt]:
        return output.attempts(self._record, self._reader, self._place.state_dir or "")

    def _step(self) -> bool:
        """Print what is new of the current attempt, or go to the next; whether there was anything."""
        if self._current is not None:
            has_ended = self._current.has_ended
            if self._pump():
                return True
            if not has_ended and not self._is_closed():
                return False
            self._close()
            return True
        following = next((attempt for attempt in self._attempts() if attempt.identifier not in self._done), None)
        if following is None:
            return False
        self._open(following)
        return True

    def _is_closed(self) -> bool:
        """The ledger knows of its end although the attempt itself left no record (its shim was lost)."""
        current = self._current.identifier if self._current else ""
        return any(attempt.is_closed for attempt in self._attempts() if attempt.identifier == current)

    def _open(self, attempt: output.Attempt) -> None:
        self._context.output.flush()
        self._context.warn(f"==> {attempt.title} ({attempt.identifier})")
        self._current, self._tail = attempt, output.Tail(attempt)
        self._done.add(attempt.identifier)

    def _pump(self) -> bool:
        assert self._tail is not None
        moved = False
        if self._raw:
            for chunk in self._tail.raw():
                self._context.output.buffer.write(chunk)
                moved = True
            return moved
        for line in self._tail.read():
            self._context.output.write(line)
            moved = True
        return moved

    def _close(self) -> None:
        if self._tail is not None and not self._raw:
            for line in self._tail.rest():
                self._context.output.write(line)
        self._current = self._tail = None
