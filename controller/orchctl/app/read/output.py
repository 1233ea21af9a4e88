"""The attempts behind a task or session and what they printed, for `orchctl logs`.

Reads the raw logs that shims write, by offset, while they grow. Never waits: the caller polls, and decides when it
has seen the end.
"""

from __future__ import annotations

import codecs
import os

from orchctl.app.read import body
from orchctl.kit import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchctl.app.read.body import Body
    from orchctl.app.read.rows import Reader, Record

NEVER = float("inf")
CHUNK_BYTES = 64 * 1024
PHASE_ENDS = ("Succeeded", "Failed", "Cancelled", "Lost")
GATE_ENDS = ("Passed", "Failed", "Lost")
LINE_CHARACTERS_MAX = 64 * 1024  # a longer line is shown in pieces, so that memory stays bounded


class Attempt:
    """One process that ran for the object: what it was for, and where its output is."""

    __slots__ = ("folder", "identifier", "is_closed", "title")

    def __init__(self, identifier: str, title: str, is_closed: bool, state_dir: str) -> None:
        self.identifier = identifier
        self.title = title
        self.is_closed = is_closed  # the ledger has its end
        self.folder = os.path.join(state_dir, "sessions", identifier)

    @property
    def started_at(self) -> float:
        """Its launch record is written once, before it starts."""
        try:
            return os.stat(os.path.join(self.folder, "launch.json")).st_mtime
        except FileNotFoundError:
            return NEVER

    @property
    def has_ended(self) -> bool:
        return os.path.exists(os.path.join(self.folder, "exit.json"))


def attempts(record: Record, reader: Reader, state_dir: str) -> list[Attempt]:
    """In the order they were started; those that were not yet come last, as the ledger has them."""
    found: dict[str, Attempt] = {}
    status = body.of(record).at("status")
    if record.kind == "Session":
        _add_session(found, record.name, status, state_dir)
    for name in status.words("sessions"):
        session = reader.find("Session", record.namespace, name)
        if session is not None:
            _add_session(found, name, body.of(session).at("status"), state_dir)
    for gate in status.each("gates"):
        title = f"{gate.text('stage')} check {gate.text('name')}"
        _add(found, gate.text("attemptId"), title, gate.text("state") in GATE_ENDS, state_dir)
    return sorted(found.values(), key=lambda attempt: attempt.started_at)


def _add_session(found: dict[str, Attempt], name: str, status: Body, state_dir: str) -> None:
    for attempt in status.each("attempts"):
        title = f"{name} {attempt.text('purpose')}"
        _add(found, attempt.text("id"), title, attempt.text("phase") in PHASE_ENDS, state_dir)


def _add(found: dict[str, Attempt], identifier: str, title: str, is_closed: bool, state_dir: str) -> None:
    is_safe = identifier and "/" not in identifier and identifier not in (".", "..")
    if is_safe and identifier not in found:
        found[identifier] = Attempt(identifier, title, is_closed, state_dir)


class Tail:
    """Reads one attempt's raw log from where it stopped, as text made safe to show, whole lines where possible."""

    __slots__ = ("_decoder", "_offset", "_path", "_pending")

    def __init__(self, attempt: Attempt) -> None:
        self._path = os.path.join(attempt.folder, "raw.log")
        self._offset = 0
        self._pending = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> Iterator[str]:
        """What was added since the last call, in lines that end with a newline."""
        for chunk in self._chunks():
            *whole, self._pending = (self._pending + self._decoder.decode(chunk)).split("\n")
            for line in whole:
                yield _safe(line)
            while len(self._pending) > LINE_CHARACTERS_MAX:
                yield _safe(self._pending[:LINE_CHARACTERS_MAX])
                self._pending = self._pending[LINE_CHARACTERS_MAX:]

    def rest(self) -> Iterator[str]:
        """The last line when the attempt ended without a newline."""
        pending, self._pending = self._pending + self._decoder.decode(b"", True), ""
        if pending:
            yield _safe(pending)

    def raw(self) -> Iterator[bytes]:
        """What was added since the last call, byte for byte."""
        yield from self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        try:
            stream = open(self._path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            return
        with stream:
            stream.seek(self._offset)
            while chunk := stream.read(CHUNK_BYTES):
                self._offset += len(chunk)
                yield chunk


def _safe(line: str) -> str:
    return text.sanitise(line.removesuffix("\r")) + "\n"
