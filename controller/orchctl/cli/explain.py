"""`orchctl explain`: what a kind or a field of it is for, from the same schemas editors use."""

from __future__ import annotations

from orchctl.api import kinds
from orchctl.app.read import resources, schemas
from orchctl.cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl explain task
  orchctl explain task.spec.dependsOn
  orchctl explain pipeline.spec.stages --recursive"""
WORDS_WIDTH = 96


def parser() -> arguments.Parser:
    made = arguments.parser("explain KIND[.FIELD..]", "Say what a kind or a field is for.", EXAMPLES)
    made.add_argument("target", metavar="WHAT", help="a kind, and fields of it after dots")
    made.add_argument("--recursive", action="store_true", help="all fields below, without descriptions")
    return made


def run(words: Sequence[str], context: Context) -> int:
    options = parser().parse_args(words)
    word, *path = options.target.split(".")
    kind = resources.kind_called(word)
    if kind.kind not in kinds.KINDS:
        context.say(f"KIND:     {kind.kind}")
        context.say(f"          {kind.description}")
        return 0
    field = schemas.at(kind, path)
    context.say_all(_head(kind, field, path))
    context.say_all(_tree(field) if options.recursive else _fields(field))
    return 0


def _head(kind: kinds.Kind, field: schemas.Field, path: list[str]) -> Iterator[str]:
    yield f"KIND:     {kind.kind}"
    yield f"VERSION:  {kinds.API_VERSION}"
    if path:
        yield f"FIELD:    {'.'.join(path)} <{field.type}>{' -required-' if field.required else ''}"
    elif kind.supported == "no":
        yield "          not supported yet: it is read and checked, and nothing happens because of it"
    yield ""
    yield from _wrapped(str(field.node.get("description", "")), "")
    for note in field.notes:
        yield f"  {note}"
    rules = schemas.rules(field)
    if rules:
        yield ""
        yield "RULES:"
        for rule in rules:
            yield from _wrapped(rule, "  ")


def _fields(field: schemas.Field) -> Iterator[str]:
    listed = list(schemas.below(field))
    if not listed:
        return
    yield ""
    yield "FIELDS:"
    for each in listed:
        yield f"  {each.name} <{each.type}>{' -required-' if each.required else ''}"
        yield from _wrapped(str(each.node.get("description", "")), "    ")
        if each.notes:
            yield from _wrapped("; ".join(each.notes), "    ")


def _tree(field: schemas.Field, indent: str = "  ") -> Iterator[str]:
    if indent == "  ":
        yield ""
        yield "FIELDS:"
    for each in schemas.below(field):
        missing = " (not supported yet)" if each.node.get(schemas.SUPPORTED) is False else ""
        yield f"{indent}{each.name} <{each.type}>{' -required-' if each.required else ''}{missing}"
        yield from _tree(each, indent + "  ")


def _wrapped(text: str, indent: str) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(indent) + len(line) + 1 + len(word) > WORDS_WIDTH:
            yield indent + line
            line = word
        else:
            line = f"{line} {word}".strip()
    if line:
        yield indent + line
