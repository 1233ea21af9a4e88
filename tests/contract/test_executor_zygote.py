"""The zygote of the local executor: it may die at any time, and it ends with its owner."""

from __future__ import annotations

import os
import signal

import pytest

from orchctl.adapters.executors import starter
from orchctl.core import ports
from tests.contract.executor_place import WAIT_FOR_GO, Place, alive


@pytest.fixture
def warm_place(tmp_path):
    made = Place(tmp_path, warm=True)
    yield made
    assert made.clean_up() == [], "processes outlived the attempts"


def test_a_killed_zygote_touches_no_shim_and_is_replaced(warm_place):
    warm_place.start(warm_place.python(WAIT_FOR_GO + "until('go')", number=1))
    first = warm_place.executor.zygote_pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert warm_place.finish(warm_place.spec("true", number=2)).phase is ports.Phase.SUCCEEDED
    assert warm_place.executor.zygote_pid() not in (None, first)
    (warm_place.work / "go").touch()
    assert warm_place.ended(warm_place.attempt(1)).phase is ports.Phase.SUCCEEDED


def test_close_ends_the_zygote_and_leaves_attempts_running(warm_place):
    warm_place.start(warm_place.python(WAIT_FOR_GO + "until('go')"))
    zygote = warm_place.executor.zygote_pid()
    assert zygote is not None
    warm_place.executor.close()
    assert not alive(zygote)
    assert warm_place.executor.observe(warm_place.attempt()).phase is ports.Phase.RUNNING
    (warm_place.work / "go").touch()
    assert warm_place.ended(warm_place.attempt()).phase is ports.Phase.SUCCEEDED


def test_without_a_zygote_a_fresh_interpreter_starts_the_shim(warm_place, monkeypatch):
    found = starter.program
    monkeypatch.setattr(starter, "program", lambda name: found(name if name != "zygote.py" else "absent.py"))
    assert warm_place.finish(warm_place.spec("true")).phase is ports.Phase.SUCCEEDED
