"""Fixtures of the command line's tests: a filled ledger, a command to call, golden files."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchctl.cli import main
from orchctl.cli.context import Context
from tests.unit.cli import ledger_fixture

GOLDEN = Path(__file__).parents[2] / "golden"


class Result:
    def __init__(self, code: int, output: str, error: str) -> None:
        self.code = code
        self.output = output
        self.error = error


Command = Callable[..., Result]


@pytest.fixture
def state_home(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = ledger_fixture.make_repo(tmp_path / "control")
    ledger_fixture.name_repo(folder)
    return folder


@pytest.fixture
def ledger(repo: Path, state_home: Path) -> Iterator[ledger_fixture.Ledger]:
    made = ledger_fixture.Ledger(state_home / "orchctl" / ledger_fixture.UID)
    ledger_fixture.fill(made)
    yield made
    made.close()


@pytest.fixture
def orchctl(repo: Path, state_home: Path) -> Command:
    """The command, in this process, with a fixed clock."""

    def call(*words: str, cwd: Path = repo, environ: dict[str, str] | None = None) -> Result:
        output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
        error = io.StringIO()
        surroundings = dict(os.environ) | {"XDG_STATE_HOME": str(state_home)} | (environ or {})
        context = Context(output, error, surroundings, str(cwd), lambda: ledger_fixture.NOW)
        code = main.main(words, context)
        output.flush()
        data = output.buffer.getvalue()
        return Result(code, data.decode("utf-8", "surrogateescape"), error.getvalue())

    return call


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares with a file of tests/golden; UPDATE_GOLDEN=1 writes it instead."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run with UPDATE_GOLDEN=1"
        assert text == path.read_text(encoding="utf-8"), f"{path} differs: run with UPDATE_GOLDEN=1 and review"

    return check
