"""Where a module can be broken in a small way, and the module with one of these places broken. Pure."""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Callable, Iterator

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Mod: ast.Mult,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """One place, by its number in the walk of the module, and what becomes of it."""

    number: int
    line: int
    before: str
    after: str


def sites(source: str) -> list[Site]:
    """Every place that can be broken, in the order of the walk: the same source gives the same list."""
    return [
        Site(number, node.lineno, _text(node), _text(broken))
        for number, (node, broken) in enumerate(_breakable(ast.parse(source)))
    ]


def broken(source: str, number: int) -> ast.Module:
    """The module with that place broken."""
    tree = ast.parse(source)
    node, replacement = next(pair for index, pair in enumerate(_breakable(tree)) if index == number)
    changed = _Replacing(node, replacement).visit(tree)
    assert isinstance(changed, ast.Module)
    return ast.fix_missing_locations(changed)


class _Replacing(ast.NodeTransformer):
    def __init__(self, wanted: ast.AST, replacement: ast.AST) -> None:
        self._wanted = wanted
        self._replacement = replacement

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._wanted:
            return ast.copy_location(self._replacement, node)
        return self.generic_visit(node)


def _breakable(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, ast.expr | ast.stmt]]:
    """(node, what it becomes) of all places in functions: what a module says at import is mostly text and tables."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in _own(function):
            for make in _MAKERS:
                replacement = make(node)
                if replacement is not None and isinstance(node, ast.expr | ast.stmt):
                    yield node, replacement


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function's body: not those of functions within it, nor of annotations, nor of asserts."""
    pending: list[ast.AST] = list(reversed(function.body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.Assert):
            continue
        yield node
        children = [
            child
            for name, value in ast.iter_fields(node)
            if name not in ("annotation", "returns")
            for child in (value if isinstance(value, list) else [value])
            if isinstance(child, ast.AST)
        ]
        pending += reversed(children)


def _comparison(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.Compare) or type(node.ops[0]) not in _COMPARISONS:
        return None
    changed = copy.deepcopy(node)
    changed.ops[0] = _COMPARISONS[type(node.ops[0])]()
    return changed


def _junction(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.BoolOp):
        return None
    changed = copy.deepcopy(node)
    changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return changed


def _negation(node: ast.AST) -> ast.expr | None:
    return copy.deepcopy(node.operand) if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) else None


def _arithmetic(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATORS or _is_text(node):
        return None
    changed = copy.deepcopy(node)
    changed.op = _OPERATORS[type(node.op)]()
    return changed


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(one, ast.JoinedStr | ast.Tuple | ast.List) or _is_str(one) for one in sides)


def _is_str(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _constant(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.Constant):
        return None
    if isinstance(node.value, bool):
        return ast.Constant(not node.value)
    return ast.Constant(node.value + 1) if isinstance(node.value, int | float) else None


def _condition(node: ast.AST) -> ast.stmt | None:
    """An `if` that is never taken."""
    if not isinstance(node, ast.If):
        return None
    changed = copy.copy(node)
    changed.test = ast.Constant(value=False)
    return changed


def _nothing(node: ast.AST) -> ast.stmt | None:
    """A call or an assignment to an attribute or item that does not happen."""
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    is_store = isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple)
    return ast.Pass() if is_call or is_store or isinstance(node, ast.AugAssign) else None


def _result(node: ast.AST) -> ast.stmt | None:
    """A function that finds nothing."""
    if not isinstance(node, ast.Return) or node.value is None:
        return None
    if isinstance(node.value, ast.Constant) or _is_str(node.value):
        return None
    return ast.Return(ast.Constant(None))


def _named(node: ast.AST) -> ast.expr | None:
    """A call without its last named argument: the default takes its place, or the call fails."""
    if not isinstance(node, ast.Call) or not node.keywords or node.keywords[-1].arg is None:
        return None
    if isinstance(node.keywords[-1].value, ast.JoinedStr) or _is_str(node.keywords[-1].value):
        return None
    changed = copy.deepcopy(node)
    changed.keywords.pop()
    return changed


_MAKERS: tuple[Callable[[ast.AST], ast.expr | ast.stmt | None], ...] = (
    _comparison,
    _junction,
    _negation,
    _arithmetic,
    _constant,
    _condition,
    _nothing,
    _result,
    _named,
)


def _text(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()[0][:100]
