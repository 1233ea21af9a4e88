"""The entry of `orchctl`: finds the verb, runs it, turns every user's mistake into one sentence and an exit code.

The one place that catches broadly nothing: a bug still shows its traceback, a mistake never does.
"""

from __future__ import annotations

import os
import sys

from orchctl.app.read import failures
from orchctl.cli import verbs
from orchctl.cli.context import Context
from orchctl.kit import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None, context: Context | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    surroundings = context or Context()
    try:
        code = run(words, surroundings)
        surroundings.output.flush()
    except failures.CommandError as error:
        surroundings.warn(f"error: {text.sanitise(str(error))}")
        return error.code
    except KeyboardInterrupt:
        return failures.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough. Python would complain again when it flushes at exit, so give it a place to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failures.FAILED
    return code


def run(words: list[str], context: Context) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        return help_for(words[1:], context)
    if words[0] == "--version":
        words[0] = "version"
    verb = verbs.VERBS.get(words[0])
    if verb is None:
        raise failures.CommandError(unknown(words[0]), failures.USAGE)
    # A plain import of a name from our own table; importlib would cost every start more than the verb itself.
    module = __import__(verb.module, fromlist=["run"])
    try:
        return int(module.run(words[1:], context))
    except SystemExit as done:  # argparse has printed the help that was asked for
        return done.code if isinstance(done.code, int) else failures.OK


def help_for(words: list[str], context: Context) -> int:
    if words:
        return run([words[0], "--help"], context)
    context.output.write(verbs.help_text())
    return failures.OK


def unknown(word: str) -> str:
    near = text.did_you_mean(word, verbs.VERBS)
    hint = f"did you mean `orchctl {near}`?" if near else "see `orchctl --help`"
    return f"there is no verb {text.one_line(word)!r}: {hint}"
