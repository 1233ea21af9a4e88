"""Kills a real controller at a chosen point, by wrapping its ports: `python -m orchctl.testing.crashes --at POINT ...`.

A point is `Effect:n:moment`: the n-th occurrence of an effect, and one of four moments around it; or `Fact:n:moment`:
the n-th turn with a fact of that class from outside (a commit, a request, the end of an attempt), and one of two
moments around its record. `--nth` counts points instead of naming one. Production modules know nothing of this; what is
wrapped is what every controller records with and acts by. With `--list FILE` nothing is killed and each point that was
passed is written to the file.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import sys
from collections.abc import Callable

from orchctl.app import driver, scouting, serve
from orchctl.core import actions, events, views
from orchctl.core.ids import ActionKey, AttemptId, Key
from orchctl.core.state import State

MOMENTS = ("before-intent", "after-intent", "after-effect", "after-outcome")
RECORD = ("before-record", "after-record")
Passed = Callable[[str], None]


class _Counting:
    """Gives each action its number among those of its effect, the same one whoever asks."""

    def __init__(self) -> None:
        self._numbers: dict[ActionKey, int] = {}
        self._counts: dict[str, int] = {}
        self._verbs: dict[ActionKey, str] = {}

    def name(self, action: actions.Action) -> str:
        if action.key not in self._numbers:
            self._counts[action.do.verb] = self._counts.get(action.do.verb, 0) + 1
            self._numbers[action.key] = self._counts[action.do.verb]
            self._verbs[action.key] = action.do.verb
        return f"{action.do.verb}:{self._numbers[action.key]}"

    def known(self, key: ActionKey) -> str | None:
        return f"{self._verbs[key]}:{self._numbers[key]}" if key in self._numbers else None


class _Recorder:
    def __init__(self, inner: driver.Recorder, counting: _Counting, passed: Passed) -> None:
        self._inner, self._counting, self._passed = inner, counting, passed
        self._facts: dict[str, int] = {}

    def append(
        self, batch: tuple[events.Recorded, ...], rows: list[views.Row], removed: list[Key], after: State
    ) -> None:
        found = [one.event for one in batch]
        intents = [self._counting.name(event.action) for event in found if isinstance(event, events.ActionStarted)]
        outcomes = [self._counting.known(event.action) for event in found if isinstance(event, events.Outcome)]
        facts = [
            self._named(name) for name in dict.fromkeys(type(one).__name__ for one in found if _is_from_outside(one))
        ]
        for name in facts:
            self._passed(f"{name}:before-record")
        for name in intents:
            self._passed(f"{name}:before-intent")
        self._inner.append(batch, rows, removed, after)
        for name in facts:
            self._passed(f"{name}:after-record")
        for name in intents:
            self._passed(f"{name}:after-intent")
        for known in outcomes:
            if known is not None:
                self._passed(f"{known}:after-outcome")

    def _named(self, name: str) -> str:
        self._facts[name] = self._facts.get(name, 0) + 1
        return f"{name}:{self._facts[name]}"


def _is_from_outside(event: events.Event) -> bool:
    """Neither decided by the core nor an outcome, which is a moment of its effect."""
    return not isinstance(event, (events.Decision, events.Outcome))


class _Doer:
    def __init__(self, inner: driver.Doer, counting: _Counting, passed: Passed) -> None:
        self._inner, self._counting, self._passed = inner, counting, passed

    def execute(self, action: actions.Action) -> list[events.Event]:
        facts = self._inner.execute(action)
        self._passed(f"{self._counting.name(action)}:after-effect")
        return facts

    def look(self, key: Key, attempt: AttemptId, backend: str) -> events.Event | None:
        return self._inner.look(key, attempt, backend)

    def exit_fd(self, attempt: AttemptId) -> int | None:
        return self._inner.exit_fd(attempt)

    def target_is_clean(self, do: actions.LandWork) -> bool:
        return self._inner.target_is_clean(do)

    def look_for(self, look: scouting.Look) -> list[events.Event]:
        return self._inner.look_for(look)


def wrapped(passed: Passed) -> Callable[[serve.Parts], serve.Parts]:
    """The wrapping for `serve.run_controller`; `passed` hears of every point, in the thread that passes it."""
    counting = _Counting()

    def wrap(parts: serve.Parts) -> serve.Parts:
        return serve.Parts(_Recorder(parts.recorder, counting, passed), _Doer(parts.doer, counting, passed))

    return wrap


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m orchctl.testing.crashes")
    parser.add_argument("--repo", required=True)
    parser.add_argument("--at", default="", help="Effect:n:moment or Fact:n:moment")
    parser.add_argument("--nth", type=int, default=0, help="the point that is passed as the n-th")
    parser.add_argument("--list", default="", help="write the points that were passed to this file")
    options = parser.parse_args(argv)

    order = itertools.count(1)  # `next` of it is safe between threads

    def passed(point: str) -> None:
        if options.list:
            with open(options.list, "a", encoding="utf-8") as stream:
                stream.write(f"{point}\n")
        if next(order) == options.nth or point == options.at:
            os.kill(os.getpid(), signal.SIGKILL)

    return serve.run_controller(
        serve.Wish(options.repo, until_idle=True), lambda line: print(line, flush=True), wrapped(passed)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
