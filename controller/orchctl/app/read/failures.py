"""The exit codes and the one exception that commands end with when the user, not we, has to act.

Raised anywhere below the command line, shown by `cli.main` as one sentence on stderr, never with a traceback.
Imports nothing: it is on the path of every fast command.
"""

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
INVALID = 4
CONFLICT = 5
TERMINAL = 6  # the object ended in a way that makes what was waited for impossible
NOT_RUNNING = 8  # no controller, or it cannot be reached
TIMEOUT = 124
INTERRUPTED = 130


class CommandError(Exception):
    """One sentence a person can act on, and the exit code that goes with it."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
