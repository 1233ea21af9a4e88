"""Follows a task until it has ended and draws its progress: a live table on a terminal, lines elsewhere.

Called by `run` and `quickstart`. Polls the ledger; every wait has a deadline, and a controller of ours that ends
early is noticed.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator

from orchctl.app import companion
from orchctl.app.read import locate, progress, rows, why
from orchctl.cli.context import Context

POLL_S = 0.1
WORDS_OF_STATE = {"Passed": "green", "Failed": "red", "Running": "cyan", "Waiting": "yellow"}


class Ended:
    """How following ended: the last view, and whether time or the controller ran out."""

    __slots__ = ("controller_gone", "timed_out", "view")

    def __init__(self, view: progress.View | None, *, timed_out: bool = False, controller_gone: bool = False) -> None:
        self.view = view
        self.timed_out = timed_out
        self.controller_gone = controller_gone


def follow(
    place: locate.Place, namespace: str, name: str, context: Context, ours: companion.Companion | None, timeout_s: float
) -> Ended:
    started = time.monotonic()
    draw: Callable[[progress.View, float], None]
    with _drawing(context) as draw:
        while True:
            # Asked before looking: whatever it wrote before it ended is then certainly seen.
            gone = ours is not None and ours.exit_code is not None
            view = progress.look(place.again(), namespace, name, context.now())
            elapsed_s = time.monotonic() - started
            if view is not None:
                draw(view, elapsed_s)
                if view.terminal:
                    return Ended(view)
            if gone:
                return Ended(view, controller_gone=True)
            if elapsed_s > timeout_s:
                return Ended(view, timed_out=True)
            pause()


def pause() -> None:
    """Until the ledger is worth another look."""
    time.sleep(POLL_S)


def why_lines(place: locate.Place, namespace: str, name: str, now: float) -> list[str]:
    path = place.again().ledger
    if path is None:
        return ["the controller has left no ledger"]
    with rows.Reader(path) as reader:
        record = reader.find("Task", namespace, name)
        if record is None:
            return [f"task/{name} was not taken up by the controller"]
        return list(why.lines(record, reader, now))


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM ends a command as ^C does, so that what it started is stopped in good order."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _drawing(context: Context) -> Iterator[Callable[[progress.View, float], None]]:
    if not context.is_terminal or context.environ.get("TERM") == "dumb":
        yield _lines_drawer(context)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    with Live(console=Console(file=context.output), refresh_per_second=10, transient=False) as live:

        def draw(view: progress.View, elapsed_s: float) -> None:
            table = Table.grid(padding=(0, 2))
            for step in view.steps:
                took = "" if step.elapsed_s is None else f"{step.elapsed_s:.0f}s" if step.elapsed_s >= 1 else "<1s"
                state = Text(step.state, style=WORDS_OF_STATE.get(step.state, "dim"))
                table.add_row(Text(f"  {step.title}"), state, Text(took, style="dim"), Text(step.message, style="dim"))
            table.add_row(Text(f"  {view.summary}", style="bold"), Text(f"{elapsed_s:.1f}s"), "", Text(view.waiting))
            live.update(table)

        yield draw


def _lines_drawer(context: Context) -> Callable[[progress.View, float], None]:
    before: progress.View | None = None

    def draw(view: progress.View, elapsed_s: float) -> None:
        nonlocal before
        for line in progress.news(before, view):
            context.say(f"{elapsed_s:5.1f}s  {line}")
        context.output.flush()
        before = view

    return draw
