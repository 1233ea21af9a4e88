"""Checks on sizes, names and words. Each takes sources and gives its findings; none reads a file."""

import ast
import re

from tests.tidy.sources import Sources, nodes, tree

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 6

# Spelled backwards, so that this file does not find itself.
BANNED_WORDS_BACKWARDS = (
    "ODOT",
    "EMXIF",
    "won rof",
    "noitatnemelpmi laer a ni",
    "redlohecalp",
    "noisses krow",
    "tnatsissa IA",
)
BANNED_PATHS = "/work" + r"/(main|shared)|/tmp" + "/brief"
BANNED_WORDS = re.compile(rf"\b({'|'.join(word[::-1] for word in BANNED_WORDS_BACKWARDS)}|X{{3}})\b|{BANNED_PATHS}")
BANNED_NAME_PARTS = {
    "manager", "helper", "helpers", "utils", "util", "enhanced", "v2", "new", "simple", "fixed", "backup", "optimized",
    "misc", "common",
}  # fmt: skip
# A verb's module and its help are called as the verb is.
SAID_BY_A_VERB = {"controller/orchctl/cli/backup.py", "tests/golden/help-backup.txt"}
TOP_LEVEL = {
    ".ci", ".editorconfig", ".git", ".github", ".gitignore", ".setup",
    "LICENSE", "Makefile", "README.md", "controller", "crds", "docs", "examples", "manifests", "pyproject.toml",
    "tests",
}  # fmt: skip


def long_modules(sources: Sources) -> list[str]:
    return [
        f"{source.path}: {lines} lines, {MODULE_LINES_MAX} allowed"
        for source in sources
        if (lines := len(source.text.splitlines())) > MODULE_LINES_MAX
    ]


def long_functions(sources: Sources) -> list[str]:
    return [
        f"{source.path}:{node.lineno}: {node.name} has {lines} lines, {FUNCTION_LINES_MAX} allowed"
        for source, node in nodes(sources)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def many_parameters(sources: Sources) -> list[str]:
    """More than six means a dataclass is missing. Tests take fixtures, so only the package is looked at."""
    found = []
    for source, node in nodes(sources):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = len([one for one in given if one.arg not in ("self", "cls")])
            if count > PARAMETERS_MAX:
                found.append(f"{source.path}:{node.lineno}: {node.name} takes {count}, {PARAMETERS_MAX} allowed")
    return found


def banned_words(sources: Sources) -> list[str]:
    return [
        f"{source.path}:{number}: {match.group(0)!r}"
        for source in sources
        for number, line in enumerate(source.text.splitlines(), 1)
        if (match := BANNED_WORDS.search(line))
    ]


def banned_names(paths: list[str]) -> list[str]:
    return [
        f"{path}: {part!r} says nothing about what is in it"
        for path in paths
        if path not in SAID_BY_A_VERB
        for part in re.split(r"[/._-]", path)
        if part in BANNED_NAME_PARTS
    ]


def missing_docstrings(sources: Sources) -> list[str]:
    """An empty file needs none."""
    return [f"{s.path}: no module docstring" for s in sources if s.text.strip() and ast.get_docstring(tree(s)) is None]


def unknown_entries(entries: list[str]) -> list[str]:
    return [f"{entry}: not a known entry of the top level" for entry in entries if entry not in TOP_LEVEL]


def skipped_tests(sources: Sources) -> list[str]:
    """A test runs or is not there: what cannot run on a machine is a failure with a reason."""
    banned = {"skip", "skipif", "xfail", "skipTest", "importorskip"}
    return [
        f"{source.path}:{node.lineno}: {node.attr}"
        for source, node in nodes(sources)
        if isinstance(node, ast.Attribute) and node.attr in banned and _is_of_pytest(node)
    ]


def _is_of_pytest(node: ast.Attribute) -> bool:
    value: ast.expr = node.value
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name) and value.id in ("pytest", "mark", "self", "unittest")
