"""What may stand in a template: text with `${{ expression }}` in it, checked without evaluating anything.

Two allow-lists, one after the other: tokens, cut here so that each fault has a place, then the nodes of the tree
jinja makes of them. No call, no loop, no arithmetic and no attribute of a Python object can be written, so what is
left to the render worker's limits is size. Called by the loader at admission and by the renderer once more.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchctl.api import templated
from orchctl.kit import text as texts

if TYPE_CHECKING:
    import jinja2
    from jinja2 import nodes

ROOTS = ("task", "project", "params", "stages", "feedback", "diff", "capsules", "item", "trigger")
# Each filter with how many arguments it needs and how many it may have. Keywords are not among them.
FILTERS = {
    "default": (0, 2),
    "first": (0, 0),
    "indent": (0, 1),
    "join": (0, 1),
    "last": (0, 0),
    "length": (0, 0),
    "lower": (0, 0),
    "replace": (2, 2),
    "tojson": (0, 0),
    "trim": (0, 1),
    "truncate": (0, 3),
    "upper": (0, 0),
}
TESTS = ("boolean", "defined", "mapping", "none", "number", "sequence", "string", "undefined")
TEMPLATE_BYTES_MAX = 64 * 1024
EXPRESSIONS_MAX = 100
TOKENS_MAX = 200  # of one expression
BRACKETS_MAX = 16  # open at once
DEPTH_MAX = 24
STRING_LENGTH_MAX = 4096
DIGITS_MAX = 6
WORD_SHOWN_MAX = 40
CLOSING = "}}"

_TOKEN = re.compile(
    r"""(?P<space>[ \t\n]+)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9]+(?![A-Za-z0-9_]))
    | (?P<string>'(?:[^'\\]|\\[nt\\'"])*'|"(?:[^"\\]|\\[nt\\'"])*")
    | (?P<mark>==|!=|<=|>=|[<>|.,~()\[\]])""",
    re.VERBOSE,
)
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong, and where in the text: characters from its beginning."""

    offset: int
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    offset: int
    kind: str  # name | number | string | mark
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Expression:
    offset: int  # of its `${{`
    end: int  # behind its `}}`
    source: str  # what is between them
    tokens: tuple[Token, ...]


class _Refused(Exception):
    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


def check(text: str) -> list[Flaw]:
    """Everything that keeps the text from being a template, in order of place."""
    if len(text) > TEMPLATE_BYTES_MAX or len(text.encode("utf-8", "surrogatepass")) > TEMPLATE_BYTES_MAX:
        return [Flaw(0, f"must be at most {TEMPLATE_BYTES_MAX // 1024} KiB to be a template")]
    found, flaws = _scan(text)
    for expression in found:
        flaws += _check_tree(expression)
    return sorted(flaws, key=lambda flaw: flaw.offset)


def expressions(text: str) -> list[Expression]:
    """The expressions of a text that `check` finds no flaw in."""
    found, flaws = _scan(text)
    assert not flaws, flaws[0].message
    return found


def lookups(text: str, roots: tuple[str, ...]) -> list[tuple[Token, str]]:
    """Each name that is looked up in one of these roots, in a text that `check` finds no flaw in."""
    found: list[tuple[Token, str]] = []
    for expression in expressions(text):
        tokens = (None, *expression.tokens, None, None)
        for before, root, sign, name in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
            if root is None or sign is None or name is None or root.kind != "name" or root.text not in roots:
                continue
            if before is not None and before.text in (".", "|"):
                continue
            if (sign.text, name.kind) in ((".", "name"), ("[", "string")):
                plain = name.text if name.kind == "name" else name.text[1:-1]
                found.append((dataclasses.replace(name, text=plain), root.text))
    return found


# --- tokens -----------------------------------------------------------------------------------------------------


def _scan(text: str) -> tuple[list[Expression], list[Flaw]]:
    found: list[Expression] = []
    flaws: list[Flaw] = []
    position = text.find(templated.OPENING)
    while position >= 0:
        if len(found) + len(flaws) >= EXPRESSIONS_MAX:
            flaws.append(Flaw(position, f"must have at most {EXPRESSIONS_MAX} expressions"))
            break
        try:
            expression = _expression(text, position)
        except _Refused as refused:
            flaws.append(refused.flaw)
            end = text.find(CLOSING, max(refused.flaw.offset, position))
            if end < 0:
                break
        else:
            found.append(expression)
            end = expression.end - len(CLOSING)
        position = text.find(templated.OPENING, end + len(CLOSING))
    return found, flaws


def _expression(text: str, opening: int) -> Expression:
    start = position = opening + len(templated.OPENING)
    tokens: list[Token] = []
    brackets = 0
    while not text.startswith(CLOSING, position):
        token = _token(text, position, opening)
        position += len(token.text)
        if token.kind == "space":
            continue
        tokens.append(token)
        brackets += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if brackets > BRACKETS_MAX:
            raise _Refused(Flaw(token.offset, f"must not have more than {BRACKETS_MAX} brackets open at once"))
        if len(tokens) > TOKENS_MAX:
            raise _Refused(Flaw(token.offset, f"must have at most {TOKENS_MAX} words and signs in one expression"))
    if not tokens:
        raise _Refused(Flaw(opening, "must not be empty: name a value between `${{` and `}}`"))
    return Expression(opening, position + len(CLOSING), text[start:position], tuple(tokens))


def _token(text: str, position: int, opening: int) -> Token:
    match = _TOKEN.match(text, position)
    if match is None:
        raise _Refused(_unknown_token(text, position, opening))
    token = Token(position, str(match.lastgroup), match[0])
    if token.kind == "number" and len(token.text) > DIGITS_MAX:
        raise _Refused(Flaw(position, f"must not have a number of more than {DIGITS_MAX} digits"))
    if token.kind == "string" and len(token.text) - 2 > STRING_LENGTH_MAX:
        raise _Refused(Flaw(position, f"must not have a text of more than {STRING_LENGTH_MAX} characters in it"))
    return token


def _unknown_token(text: str, position: int, opening: int) -> Flaw:
    rest = text[position : position + WORD_SHOWN_MAX]
    if not rest:
        literally = "; to have it in the text as it is, write ${{ '${{' }}"
        return Flaw(opening, f"must be closed with `{CLOSING}`{literally}")
    if rest[0] in "'\"":
        return Flaw(position, "must be a text closed with the same quote; \\n, \\t, \\\\, \\' and \\\" are its escapes")
    if rest[0].isdigit():
        return Flaw(position, "must be a whole number in digits, or a text in quotes")
    hint = "; texts are joined with `~`" if rest[0] in "+%" else ""
    return Flaw(position, f"must not have `{texts.one_line(rest[0], 8) or '?'}` in an expression{hint}")


# --- the tree ---------------------------------------------------------------------------------------------------


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2  # only paid for where there is a template

    return jinja2.Environment(autoescape=False, optimized=False)  # noqa: S701  # it parses, it never renders


def _check_tree(expression: Expression) -> list[Flaw]:
    from jinja2 import TemplateSyntaxError
    from jinja2.parser import Parser

    begin = expression.tokens[0].offset
    try:
        parser = Parser(_environment(), expression.source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            return [Flaw(begin, f"must be one expression: `{_shown(parser.stream.current.value)}` cannot follow")]
    except TemplateSyntaxError as error:
        return [Flaw(begin, f"must be an expression: {_shown(error.message or '')}")]
    except RecursionError:
        return [Flaw(begin, "must not be nested so deeply")]
    return [Flaw(_place_of(expression, word), message) for word, message in _faults(tree, 1)]


def _shown(value: object) -> str:
    return texts.one_line(str(value), 100)


def _place_of(expression: Expression, word: str) -> int:
    """Of the first token that is this word; trees have no columns."""
    return next((token.offset for token in expression.tokens if token.text == word), expression.tokens[0].offset)


Fault = tuple[str, str]  # the word it is about, and what it must be


def _faults(node: nodes.Node, depth: int) -> Iterator[Fault]:
    from jinja2 import nodes

    if depth > DEPTH_MAX:
        yield "", f"must not be nested deeper than {DEPTH_MAX} levels"
        return
    match node:
        case nodes.Name():
            yield from _of_root(node.name)
        case nodes.Const():
            yield from _of_constant(node.value)
        case nodes.Getattr():
            yield from _of_key(node.attr)
        case nodes.Getitem():
            yield from _of_item(node)
        case nodes.Filter() | nodes.Test():
            yield from _of_call(node)
        case nodes.Compare() | nodes.Operand() | nodes.And() | nodes.Or() | nodes.Not():
            pass
        case nodes.CondExpr() | nodes.Concat():
            pass
        case _:
            yield _sign_of(node), f"must not use {_FORBIDDEN.get(type(node).__name__, 'this form')} in an expression"
            return
    for child in _children(node):
        yield from _faults(child, depth + 1)


_FORBIDDEN = {"Call": "a call", "List": "a list", "Tuple": "a tuple", "Slice": "a slice"}


def _sign_of(node: nodes.Node) -> str:
    return {"Call": "(", "List": "["}.get(type(node).__name__, "")


def _children(node: nodes.Node) -> Iterator[nodes.Node]:
    from jinja2 import nodes

    if isinstance(node, nodes.Getitem):
        yield node.node  # its key has been looked at
        return
    yield from node.iter_child_nodes()


def _of_root(name: str) -> Iterator[Fault]:
    if name not in ROOTS:
        near = texts.did_you_mean(name, ROOTS)
        hint = f", did you mean '{near}'?" if near else f": there is {', '.join(ROOTS)}"
        yield name, f"must be a value that templates have; '{name[:WORD_SHOWN_MAX]}' is none{hint}"


def _of_constant(value: object) -> Iterator[Fault]:
    if isinstance(value, str):
        if len(value) > STRING_LENGTH_MAX:
            yield "", f"must not have a text of more than {STRING_LENGTH_MAX} characters in it"
    elif value is not None and not isinstance(value, bool | int):
        yield "", "must be a text, a whole number, true, false or none"


def _of_key(name: str) -> Iterator[Fault]:
    if _PLAIN_NAME.fullmatch(name) is None:
        yield name, f"must be a name that begins with a letter, not '{name[:WORD_SHOWN_MAX]}'"


def _of_item(node: nodes.Getitem) -> Iterator[Fault]:
    from jinja2 import nodes

    key = node.arg.value if isinstance(node.arg, nodes.Const) else None
    if not isinstance(key, str | int) or isinstance(key, bool):
        yield "[", "must have a text or a whole number in [ ]"
    elif isinstance(key, str) and key.startswith("_"):
        yield "[", "must have a key in [ ] that does not begin with '_'"


def _of_call(node: nodes.Filter | nodes.Test) -> Iterator[Fault]:
    from jinja2 import nodes

    is_filter = isinstance(node, nodes.Filter)
    what, known = ("filter", tuple(FILTERS)) if is_filter else ("test", TESTS)
    if node.name not in known:
        near = texts.did_you_mean(node.name, known)
        hint = f", did you mean '{near}'?" if near else f": there is {', '.join(known)}"
        yield node.name, f"must be a known {what}; '{node.name[:WORD_SHOWN_MAX]}' is none{hint}"
    elif node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        yield node.name, f"must not give names to the arguments of {what} '{node.name}'"
    elif not (bounds := FILTERS[node.name] if is_filter else (0, 0))[0] <= len(node.args or ()) <= bounds[1]:
        counts = " to ".join(str(count) for count in dict.fromkeys(bounds))
        yield node.name, f"must give {what} '{node.name}' {counts} arguments"
    elif is_filter and node.node is None:
        yield node.name, f"must give filter '{node.name}' a value"
