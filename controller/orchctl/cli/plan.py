"""`orchctl plan`: what would happen next at a commit, and why not; nothing is begun and nothing is recorded."""

from __future__ import annotations

from orchctl.app.read import failures, resources, tables
from orchctl.cli import arguments
from orchctl.kit import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchctl.app.planning import Planned
    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl plan
  orchctl plan --revision my-branch
  orchctl plan -o json"""
MARKS = {"new": "+", "changed": "~", "moved": ">", "leaves": "-", "refused": "!"}
OID_SHOWN = 12
CELL_CHARACTERS_MAX = 120


def parser() -> arguments.Parser:
    made = arguments.parser(
        "plan", "Show what a controller would do next, what waits for what, and which agent does what.", EXAMPLES
    )
    made.add_argument("--revision", metavar="COMMIT", help="as if the watched ref were there (default: where it is)")
    made.add_argument("-o", "--output", choices=("json",), help="as JSON")
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)

    from orchctl.app import planning

    found = planning.plan(context.place(options.repo), options.revision, context.environ, context.now())
    if options.output:
        import dataclasses
        import json

        context.say(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        context.say_all(_lines(found))
    return failures.INVALID if any(one.what == "refused" for one in found.changes) else failures.OK


def _lines(found: Planned) -> Iterator[str]:
    yield f"At {found.commit[:OID_SHOWN]} of {found.ref}; in force is {found.in_force[:OID_SHOWN] or 'nothing yet'}."
    yield from _manifests(found)
    yield from _tasks(found)
    yield from _agents(found)


def _manifests(found: Planned) -> Iterator[str]:
    if found.changes:
        yield ""
        yield "Manifests:"
        rows = [(MARKS[one.what], resources.label_of(one.key), _short(one.message)) for one in found.changes]
        yield from tables.aligned(rows, "  ")


def _tasks(found: Planned) -> Iterator[str]:
    yield ""
    if not found.steps:
        yield "No task is open."
        return
    rows = [("TASK", "NEXT", "RULE", "WHY")]
    for one in found.steps:
        because = one.because
        done = "; ".join(one.steps) or (f"waits ({because.waiting})" if because and because.waiting else "goes on")
        why = because.text + (f"; {because.unblock}" if because.unblock and not one.steps else "") if because else ""
        rows.append((resources.label_of(one.key), _short(done), because.rule if because else "", _short(why)))
    yield from tables.aligned(rows)


def _agents(found: Planned) -> Iterator[str]:
    if found.shares:
        yield ""
        rows = [("ROLE", "AGENT", "MODEL", "TASKS", "RUNNING")]
        rows += [
            (one.role, one.agent, one.model or tables.NONE, str(len(one.tasks)), str(one.running))
            for one in found.shares
        ]
        yield from tables.aligned(rows)
    if found.blocked:
        yield ""
        yield "Nobody can do yet:"
        said = [(resources.label_of(one.key), _short(one.because.text)) for one in found.blocked if one.because]
        yield from tables.aligned(said, "  ")
    yield ""
    yield from (
        f"{one.used} of {one.limit} sessions of {resources.label_of(one.limited_by)} are in use" for one in found.uses
    )


def _short(said: str) -> str:
    return text.one_line(said, CELL_CHARACTERS_MAX)
