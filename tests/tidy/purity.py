"""Checks on what code may call and import. Each takes sources and gives its findings; none reads a file."""

import ast
import re
import sys

from tests.tidy.sources import Source, Sources, imported, nodes, tree

# What the core must be handed instead: `now`, ids and chance are arguments.
IMPURE_CALLS = {
    "now", "utcnow", "today", "time", "monotonic", "perf_counter", "random", "randint", "choice", "shuffle",
    "uuid1", "uuid4", "urandom", "token_hex", "id", "hash", "open", "print", "input", "getenv",
}  # fmt: skip
# These give the same answer whatever order a set is walked in.
ORDER_BLIND = {"sorted", "len", "any", "all", "sum", "min", "max", "set", "frozenset"}


def impure_calls(sources: Sources) -> list[str]:
    """Bare names and module attributes only: a method of a value that came in as an argument is not chance."""
    found = []
    for source, node in nodes(sources):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id in IMPURE_CALLS:
            found.append(f"{source.path}:{node.lineno}: {function.id}()")
        elif isinstance(function, ast.Attribute) and function.attr in IMPURE_CALLS:
            name = ast.unparse(function)
            if re.match(r"(datetime|date|time|random|uuid|secrets|os)\b", name):
                found.append(f"{source.path}:{node.lineno}: {name}()")
    return found


def set_iterations(sources: Sources) -> list[str]:
    """Walks over a set in an order nobody chose. Sees displays, set(...), frozenset(...) and operators between them."""
    found = []
    for source in sources:
        blind = {
            id(argument)
            for node in ast.walk(tree(source))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ORDER_BLIND
            for argument in node.args
        }
        for node in ast.walk(tree(source)):
            for walked in _walked_by(node, blind):
                if _is_set(walked):
                    found.append(f"{source.path}:{walked.lineno}: {ast.unparse(walked)} is walked in no fixed order")
    return found


def _walked_by(node: ast.AST, blind: set[int]) -> list[ast.expr]:
    if isinstance(node, ast.For):
        return [node.iter]
    if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp) and id(node) not in blind:
        return [generator.iter for generator in node.generators]
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("list", "tuple", "iter", "next", "enumerate", "zip", "map", "filter"):
            return node.args
        if isinstance(node.func, ast.Attribute) and node.func.attr == "join":
            return node.args
    if isinstance(node, ast.Starred):
        return [node.value]
    return []


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left) or _is_set(node.right)
    return False


def shells(sources: Sources) -> list[str]:
    return [
        f"{source.path}:{node.lineno}: shell=True"
        for source, node in nodes(sources)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    ] + [
        f"{source.path}:{node.lineno}: os.{node.attr}"
        for source, node in nodes(sources)
        if isinstance(node, ast.Attribute)
        and node.attr in ("system", "popen")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]


def broad_catches(sources: Sources, allowed: dict[str, str]) -> list[str]:
    """`allowed` names the one boundary of a layer, as file -> why it may. Cleaning up and raising again is no catch."""
    return [
        f"{source.path}:{node.lineno}: {'bare except' if node.type is None else ast.unparse(node.type)}"
        for source, node in nodes(sources)
        if isinstance(node, ast.ExceptHandler)
        and _is_broad(node.type)
        and not _raises_again(node)
        and source.path not in allowed
    ]


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(name, ast.Name) and name.id in ("Exception", "BaseException") for name in names)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def folder_imports(sources: Sources) -> list[str]:
    return [
        f"{source.path}:{line}: {name}"
        for source in sources
        for name, line in imported(source)
        if name.split(".")[0] == "controller"
    ]


def heavy_package_files(sources: Sources) -> list[str]:
    """An __init__.py is paid for by everyone below it, so it imports nothing."""
    return [
        f"{source.path}:{line}: imports {name}"
        for source in sources
        if source.path.endswith("/__init__.py")
        for name, line in imported(source)
    ]


def foreign_imports(sources: Sources, own: str) -> list[str]:
    """Imports that are neither the standard library's nor of the package `own` itself."""
    return [
        f"{source.path}:{line}: {name}"
        for source in sources
        for name, line in imported(source)
        if name.split(".")[0] not in sys.stdlib_module_names and not _is_within(name, own)
    ]


def _is_within(name: str, own: str) -> bool:
    return name == own or name.startswith(own + ".") or own == name + "." + own.rpartition(".")[2]


def imports_of(sources: Sources, package: str) -> list[str]:
    return [
        f"{source.path}:{line}: {name}"
        for source in sources
        for name, line in imported(source)
        if name == package or name.startswith(package + ".")
    ]


def in_folder(sources: Sources, folder: str) -> list[Source]:
    return [source for source in sources if source.path.startswith(folder)]
