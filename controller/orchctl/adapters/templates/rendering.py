"""Renders templates by handing them to a worker process that is ended when it takes too much of anything.

Called by the effects, from any thread. A value is inserted as data and never read as a template again. A failure
names the field and the cause; there is no rendering in part and no falling back to the raw text.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchctl.adapters.templates import spilling
from orchctl.api import templates
from orchctl.core import ports
from orchctl.kit import digest, text

DEADLINE_S = 3.0
REAP_S = 10.0  # a killed process is gone long before
INPUT_BYTES_MAX = 8 * 1024 * 1024
ANSWER_BYTES_MAX = 2 * 1024 * 1024  # above what the worker may write
COMPLAINT_BYTES_MAX = 4096
PROGRAM = Path(__file__).with_name("worker.py")
_OUT_OF_TIME = (signal.SIGXCPU, signal.SIGALRM)


@dataclasses.dataclass(frozen=True, slots=True)
class Rendered:
    texts: dict[str, str]
    digest: str  # of the texts and their names


def digest_of(texts: Mapping[str, str]) -> str:
    return digest.sha256_hex(json.dumps(dict(texts), sort_keys=True))


class Renderer:
    def __init__(self, python: str) -> None:
        self._python = python

    def render(self, texts: Mapping[str, str], roots: Mapping[str, Any], folder: Path) -> Rendered:
        """All texts of one plan, by field name. Values over 16 KiB are written to `folder`; their paths are inserted.

        Raises `PermanentError` for what rendering again would not change.
        """
        pieces = {field: _pieces(field, template) for field, template in texts.items()}
        given = json.dumps({"texts": pieces, "roots": spilling.spilled(dict(roots), folder)}).encode()
        if len(given) > INPUT_BYTES_MAX:
            raise ports.PermanentError(f"{_named(texts)}: the values for the template are larger than 8 MiB")
        answer = _Run(self._python, _named(texts)).answer(given)
        if "cause" in answer:
            where = f" in `{_shown(answer.get('expression'))}`" if answer.get("expression") else ""
            raise ports.PermanentError(f"{_shown(answer.get('field'))}: {_shown(answer['cause'])}{where}")
        done = answer.get("texts")
        if (
            not isinstance(done, dict)
            or list(done) != list(texts)
            or not all(isinstance(v, str) for v in done.values())
        ):
            raise ports.PermanentError(f"{_named(texts)}: the render worker gave an answer of another form")
        # A lone surrogate could be neither recorded nor told to an agent.
        sound = {field: made.encode("utf-8", "replace").decode() for field, made in done.items()}
        return Rendered(sound, digest_of(sound))


def _pieces(field: str, template: str) -> list[tuple[str, str]]:
    """The template cut up, so that jinja never sees what stands around the expressions."""
    flaws = templates.check(template)
    if flaws:
        raise ports.PermanentError(f"{field}: {flaws[0].message}")
    pieces, position = [], 0
    for expression in templates.expressions(template):
        pieces.append(("text", template[position : expression.offset]))
        pieces.append(("expression", expression.source))
        position = expression.end
    pieces.append(("text", template[position:]))
    return pieces


def _named(texts: Mapping[str, str]) -> str:
    return " and ".join(texts)


def _shown(value: object) -> str:
    return text.one_line(str(value).strip(), 300)


def _libraries() -> list[str]:
    """Where jinja is, for an interpreter that by itself looks neither in the user's packages nor in PYTHONPATH."""
    found = [importlib.util.find_spec(name) for name in ("jinja2", "markupsafe")]
    return [str(Path(spec.origin).parents[1]) for spec in found if spec is not None and spec.origin is not None]


class _Run:
    """One worker, from start to end."""

    def __init__(self, python: str, what: str) -> None:
        self._python = python
        self._what = what

    def answer(self, given: bytes) -> dict[str, Any]:
        with _memory("input") as source, _memory("answer") as sink, _memory("complaint") as complaint:
            with open(source, "wb", closefd=False) as file:
                file.write(given)
            os.lseek(source, 0, os.SEEK_SET)
            code = self._ended(source, sink, complaint)
            if code is None:  # its own limits end a template first, so this says the machine is overloaded
                raise ports.TransientError(f"{self._what}: rendering it was not done in time")
            if -code in _OUT_OF_TIME:
                raise ports.PermanentError(f"{self._what}: rendering it takes longer than a template may")
            if code:
                said = _read(complaint, COMPLAINT_BYTES_MAX).decode("utf-8", "replace").strip().splitlines()
                because = f": {_shown(said[-1])}" if said else ""
                how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
                raise ports.PermanentError(f"{self._what}: the render worker {how}{because}")
            return self._decoded(_read(sink, ANSWER_BYTES_MAX))

    def _ended(self, source: int, sink: int, complaint: int) -> int | None:
        """The exit code, or None when it had to be killed at the deadline."""
        argv = [self._python, "-I", "-B", str(PROGRAM), *_libraries()]
        try:
            worker = subprocess.Popen(argv, stdin=source, stdout=sink, stderr=complaint, env={}, cwd="/")
        except OSError as error:
            raise ports.TransientError(f"{self._what}: the render worker cannot be started: {error}") from error
        try:
            return worker.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            worker.kill()
            worker.wait(REAP_S)

    def _decoded(self, data: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ports.PermanentError(f"{self._what}: the render worker's answer cannot be read") from error
        return answer if isinstance(answer, dict) else {}


@contextlib.contextmanager
def _memory(name: str) -> Iterator[int]:
    """A file without a name: unlike a pipe it cannot block either side, and its size has a limit."""
    handle = os.memfd_create(f"template-{name}", os.MFD_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _read(handle: int, bytes_max: int) -> bytes:
    """From the beginning; the offset of the descriptor is the worker's too."""
    return os.pread(handle, bytes_max, 0)
