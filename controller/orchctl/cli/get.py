"""`orchctl get`: lists objects from the ledger, controller or not."""

from __future__ import annotations

from orchctl.api import kinds
from orchctl.app.read import failures, resources, rows, tables
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl get tasks                     every task of the default namespace
  orchctl get tasks -A -o wide          of all namespaces, with reasons and branches
  orchctl get task/fix-login -o yaml    one, with spec and status
  orchctl get all                       every kind"""
NEVER_RAN = "No controller has run here yet: start one with `orchctl controller`."


def parser() -> arguments.Parser:
    made = arguments.parser(
        "get (KIND[,KIND..] [NAME..] | KIND/NAME.. | all)", "List objects, or show some of them.", EXAMPLES
    )
    made.add_argument("resources", nargs="+", metavar="WHAT", help="tasks, t, task/NAME, tasks,sessions, all")
    arguments.add_namespace(made)
    made.add_argument("-A", "--all-namespaces", action="store_true", help="of every namespace")
    made.add_argument("-o", "--output", choices=("wide", "json", "yaml", "name"), help="default: a table")
    made.add_argument("--no-headers", action="store_true", help="a table without its titles")
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    targets = resources.parse(options.resources)
    path = context.place(options.repo).ledger
    if path is None:
        return _no_ledger(targets, options, context)
    with rows.Reader(path) as reader:
        if options.output in ("json", "yaml"):
            return _documents(targets, options, reader, context)
        if options.output == "name":
            return _names(targets, options, reader, context)
        return _tables(targets, options, reader, context)


def _no_ledger(targets: Sequence[resources.Target], options: argparse.Namespace, context: Context) -> int:
    for target in targets:
        if target.name is not None:
            raise failures.CommandError(
                f"{resources.not_found(target, options.namespace, None)}: no controller has run here yet,"
                " start one with `orchctl controller`",
                failures.NOT_FOUND,
            )
    if options.output in ("json", "yaml"):
        context.output.write(_list_text([], 0, options.output))
    context.warn(f"No resources found. {NEVER_RAN}")
    return failures.OK


def _namespace(target: resources.Target, options: argparse.Namespace) -> str | None:
    """None means every one: asked for, or the kind has none."""
    if options.all_namespaces or target.kind is resources.MANIFEST:
        return None
    return target.kind.namespace(options.namespace)


def _key(target: resources.Target, options: argparse.Namespace) -> str:
    return f"{target.kind.kind}/{resources.namespace_of(target.kind, options.namespace)}/{target.name}"


def _records(
    target: resources.Target, options: argparse.Namespace, reader: rows.Reader, columns: str
) -> Iterator[Sequence[object]]:
    if target.name is None:
        yield from reader.select(target.kind.kind, _namespace(target, options), columns)
        return
    row = reader.select_one(_key(target, options), columns)
    if row is None:
        raise resources.not_found(target, options.namespace, reader)
    yield row


def _tables(
    targets: Sequence[resources.Target], options: argparse.Namespace, reader: rows.Reader, context: Context
) -> int:
    with_label = len({target.kind.kind for target in targets}) > 1
    shown = 0
    for kind in dict.fromkeys(target.kind for target in targets):
        table = tables.Table(
            kind, wide=options.output == "wide", with_namespace=options.all_namespaces, now=context.now()
        )
        lines = [] if options.no_headers else [table.titles]
        for target in targets:
            if target.kind is kind:
                lines += [table.cells(row) for row in _records(target, options, reader, table.sql)]
        if len(lines) <= (0 if options.no_headers else 1):
            continue
        if with_label:
            column = 1 if options.all_namespaces else 0
            for row in lines[0 if options.no_headers else 1 :]:
                row[column] = f"{kind.singular}/{row[column]}"
            if shown and not options.no_headers:
                context.say()
        context.say_all(tables.aligned(lines))
        shown += 1
    if not shown:
        where = "" if options.all_namespaces else f" in namespace {options.namespace}"
        context.warn(f"No resources found{where}.")
    return failures.OK


def _names(
    targets: Sequence[resources.Target], options: argparse.Namespace, reader: rows.Reader, context: Context
) -> int:
    for target in targets:
        for row in _records(target, options, reader, "NULL"):
            context.say(f"{target.kind.singular}.{kinds.API_GROUP}/{tables.shown(row[1])}")
    return failures.OK


def _documents(
    targets: Sequence[resources.Target], options: argparse.Namespace, reader: rows.Reader, context: Context
) -> int:
    version = reader.head()
    bodies = [str(row[2]) for target in targets for row in _records(target, options, reader, "body")]
    if len(targets) == 1 and targets[0].name is not None:
        context.output.write(_one_text(bodies[0], options.output))
    else:
        context.output.write(_list_text(bodies, version, options.output))
    return failures.OK


def _one_text(body: str, form: str) -> str:
    import json

    return _text(json.loads(body), form)


def _list_text(bodies: Sequence[str], version: int, form: str) -> str:
    import json

    items = [json.loads(body) for body in bodies]
    metadata = {"resourceVersion": str(version)}
    return _text({"apiVersion": "v1", "kind": "List", "items": items, "metadata": metadata}, form)


def _text(value: object, form: str) -> str:
    """ASCII only in JSON, escapes in YAML: neither can carry a control sequence to a terminal."""
    if form == "json":
        import json

        return json.dumps(value, indent=2) + "\n"
    from orchctl.app.read import yamltext

    return yamltext.dump(value)
