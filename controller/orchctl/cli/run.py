"""`orchctl run "PROMPT"`: writes and commits a Task, then follows it to its end.

When no controller runs for this repo it starts one for as long as it is needed. ^C leaves the task as it is.
"""

from __future__ import annotations

import contextlib

from orchctl.app.read import failures, locate, rows
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from orchctl.app.committing import Committed
    from orchctl.app.companion import Companion
    from orchctl.cli.context import Context
    from orchctl.cli.following import Ended

EXAMPLES = """\
  orchctl run "POST /login fails for a plus sign. Add a test."
  orchctl run --agent claude --name fix-login "Fix the login"
  orchctl run --no-follow - < prompt.md"""
PROMPT_CHARACTERS_MAX = 1024 * 1024
FINISH_S = 10.0  # how long a controller of ours may clean up after the task has ended


def parser() -> arguments.Parser:
    made = arguments.parser(
        "run PROMPT", "Commit a task made from a prompt to the control repo and follow it.", EXAMPLES
    )
    made.add_argument("prompt", metavar="PROMPT", help="what should be done; `-` reads it from standard input")
    made.add_argument(
        "--agent", action="append", default=[], metavar="NAME", help="who does it, in order of preference"
    )
    made.add_argument("--name", help="the task's name (default: made from the prompt)")
    made.add_argument("--project", metavar="NAME", help="default: the only project there is")
    made.add_argument("--pipeline", metavar="NAME", help="default: the project's")
    made.add_argument("--ref", metavar="REF", help="the branch to commit to (default: the controller's, else HEAD's)")
    made.add_argument("--no-follow", action="store_true", help="commit it and return")
    made.add_argument("--timeout", default="2h", metavar="TIME", help="stop following after this (default: 2h)")
    arguments.add_namespace(made)
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    timeout_s = _timeout_s(options.timeout)
    place = context.place(options.repo)

    from orchctl.app import authoring

    prompt = context.source.read(PROMPT_CHARACTERS_MAX) if options.prompt == "-" else options.prompt
    wish = authoring.TaskWish(
        prompt, options.name, tuple(options.agent), options.project, options.pipeline, options.namespace
    )
    is_served = locate.controller(place)[0]
    name, committed = authoring.commit_task(place, wish, options.ref or _served_ref(place))
    context.say(f"task/{name} created ({committed.path}, commit {committed.commit[:8]})")
    context.output.flush()
    if options.no_follow:
        if not is_served:
            context.warn("No controller is running here: start one with `orchctl controller`.")
        return failures.OK
    return _follow(place, name, committed, options, timeout_s, context)


def _follow(
    place: locate.Place,
    name: str,
    committed: Committed,
    options: argparse.Namespace,
    timeout_s: float,
    context: Context,
) -> int:
    from orchctl.app import companion
    from orchctl.cli import following

    ours: Companion | None = None
    with following.interruptible(), contextlib.ExitStack() as stack:
        try:
            if not locate.controller(place.again())[0]:
                ours = stack.enter_context(companion.Companion(place, context.environ, committed.ref))
            ended = following.follow(place, options.namespace, name, context, ours, timeout_s)
            code = _report(ended, place, name, options.namespace, context)
            if ours is not None:
                _let_finish(ours, ended, context)
        except KeyboardInterrupt:
            context.warn(_how_to_resume(name, ours is not None))
            return failures.INTERRUPTED
    return code


def _report(ended: Ended, place: locate.Place, name: str, namespace: str, context: Context) -> int:
    from orchctl.cli import following

    view = ended.view
    if view is not None and view.terminal and view.succeeded:
        merged = f" as {view.merged[:8]}" if view.merged else ""
        context.say(f"task/{name} {view.summary or 'Succeeded'}{merged}")
        return failures.OK
    context.say_all(following.why_lines(place, namespace, name, context.now()))
    if view is not None and view.terminal:
        context.say(f"More: orchctl logs {name}   orchctl describe task/{name}")
        return failures.TERMINAL
    if ended.timed_out:
        context.warn(f"error: task/{name} has not ended in time: watch on with `orchctl logs -f {name}`")
        return failures.TIMEOUT
    return failures.FAILED


def _let_finish(ours: Companion, ended: Ended, context: Context) -> None:
    if not ended.controller_gone and not ended.timed_out:
        ours.finish(FINISH_S)
    if ended.controller_gone and ours.exit_code:
        context.warn(f"error: the controller ended with exit code {ours.exit_code}; it said last:")
        for line in ours.last_words():
            context.warn(f"  {line}")


def _how_to_resume(name: str, was_ours: bool) -> str:
    start = "`orchctl controller` goes on with it, " if was_ours else ""
    return f"\nStopped watching; task/{name} stays as it is: {start}`orchctl logs -f {name}` watches again."


def _served_ref(place: locate.Place) -> str | None:
    """The branch the last controller here read its manifests from."""
    if place.ledger is None:
        return None
    with rows.Reader(place.ledger) as reader:
        ref = reader.meta("ref")
    return ref if ref and ref.startswith("refs/heads/") else None


def _timeout_s(written: str) -> float:
    from orchctl.kit import durations

    try:
        return durations.duration_s(written)
    except ValueError as error:
        raise failures.CommandError(f"--timeout {error}", failures.USAGE) from None
