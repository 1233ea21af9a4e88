"""argparse as every verb uses it: one parser per verb, made on demand, and options that mean the same everywhere."""

from __future__ import annotations

import argparse

from orchctl.app.read import failures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

HELP_COLUMNS = 100
DEFAULT_NAMESPACE = "default"


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help of a fixed width: golden files stay stable, and asking the terminal would cost an import per start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=HELP_COLUMNS)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`-n, --namespace NAME` on every version of Python; older ones repeat the NAME."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, action.dest.upper())
        return f"{', '.join(action.option_strings)} {value}"


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise failures.CommandError(f"{message}: see `{self.prog} --help`", failures.USAGE)


def parser(usage: str, description: str, examples: str) -> Parser:
    """`usage` is the verb and what follows it; argparse would lay it out differently in each version."""
    made = Parser(
        prog=f"orchctl {usage.split()[0]}",
        usage=f"orchctl {usage} [OPTIONS]",
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    made.add_argument("--repo", metavar="DIR", help="the control repo (default: around the current folder)")
    return made


def add_namespace(made: Parser) -> None:
    made.add_argument("-n", "--namespace", default=DEFAULT_NAMESPACE, metavar="NAME", help="default: default")
