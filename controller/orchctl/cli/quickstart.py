"""`orchctl quickstart`: one task from prompt to merge in a throw-away project, offline, in a few seconds.

It uses only what everybody uses, a commit and a controller, and ends by showing that the merged code is right.
"""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from orchctl.app import companion, quickstart
from orchctl.app.read import failures
from orchctl.cli import arguments, following, get
from orchctl.cli.context import Context

MERGED_S = 60.0
FINISH_S = 10.0


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "quickstart",
        "Make a small project with a bug, let a task fix it, and watch it being checked and merged. Offline.",
        "  orchctl quickstart\n  orchctl quickstart --dir ~/orchctl-demo",
    )
    made.add_argument("--dir", metavar="DIR", help="where (default: a new folder in the temporary folder)")
    options = made.parse_args(words)
    started = time.monotonic()
    named = Path(context.cwd, options.dir).absolute() if options.dir else None
    folder = named or Path(tempfile.mkdtemp(prefix="orchctl-quickstart-"))
    sample = quickstart.Sample(folder, context.environ)
    _show_bug(sample, context)
    with following.interruptible():
        try:
            is_merged = _get_merged(sample, context)
        except KeyboardInterrupt:
            context.warn(f"\nStopped; the project is in {folder}. Go on there with `orchctl controller`.")
            return failures.INTERRUPTED
    if not is_merged:
        return failures.FAILED
    return _show_fix(sample, started, context)


def _show_bug(sample: quickstart.Sample, context: Context) -> None:
    sample.make()
    _title(context, f"A project with a bug, in {sample.folder}")
    _show_test(sample, context)
    commit = sample.commit_task()
    _title(context, f"A task that asks for the fix: task/{quickstart.TASK}, commit {commit[:8]}")
    context.say(f"  {quickstart.PROMPT.splitlines()[0]}")
    _title(context, "The controller does it: agent, check, merge")


def _get_merged(sample: quickstart.Sample, context: Context) -> bool:
    place = sample.place
    with companion.Companion(place, context.environ) as ours:
        ended = following.follow(place, arguments.DEFAULT_NAMESPACE, quickstart.TASK, context, ours, MERGED_S)
        if ended.view is not None and ended.view.succeeded:
            ours.finish(FINISH_S)
            return True
        context.warn(f"error: the task was not merged{' within 60 s' if ended.timed_out else ''}:")
        for line in following.why_lines(place, arguments.DEFAULT_NAMESPACE, quickstart.TASK, context.now()):
            context.warn(f"  {line}")
        for line in ours.last_words():
            context.warn(f"  controller: {line}")
        context.warn(f"The project is in {sample.folder}.")
    return False


def _show_fix(sample: quickstart.Sample, started: float, context: Context) -> int:
    _title(context, "Merged on main")
    context.say_all(f"  {line}".rstrip() for line in sample.last_commit().splitlines())
    passed = _show_test(sample, context)
    context.say()
    context.say("  $ orchctl get tasks")
    get.run(["tasks", "--repo", str(sample.folder)], context)
    if not passed:
        context.warn("error: the merged code does not pass its test")
        return failures.FAILED
    _title(context, f"Done in {time.monotonic() - started:.1f} s. Try next")
    context.say_all(f"  {line}" for line in _next_steps(sample, context))
    return failures.OK


def _next_steps(sample: quickstart.Sample, context: Context) -> list[str]:
    orchctl = quickstart.command(context.environ)
    steps = [
        f"cd {shlex.quote(str(sample.folder))}",
        f"{orchctl} describe task/{quickstart.TASK}    # stages, checks, conditions, events",
        f"{orchctl} logs {quickstart.TASK}             # what the agent and the check printed",
    ]
    agents = quickstart.real_agents(context.environ)
    if agents:
        steps.append(f'{orchctl} run --agent {agents[0]} "Add a function that prints a receipt, with a test"')
    else:
        steps.append(f'{orchctl} run --agent claude "..."    # with claude, codex, opencode or gemini on PATH')
    return steps


def _show_test(sample: quickstart.Sample, context: Context) -> bool:
    passed, lines = sample.test()
    context.say(f"  $ {shlex.join(['python', *sample.test_command[1:]])}")
    context.say_all(f"    {line}" for line in lines)
    context.output.flush()
    return passed


def _title(context: Context, title: str) -> None:
    context.say()
    context.say(f"== {title}")
    context.output.flush()
