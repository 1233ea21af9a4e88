"""The program that evaluates the expressions of templates and nothing else: JSON on stdin, JSON on stdout.

Run by the renderer as `python -I -B`, without environment, with the folders of jinja as arguments, and never imported
by it. It limits itself before it reads its input; whatever goes wrong after that ends this process only. Expressions
see JSON data: looking something up is looking up a key, never an attribute of a Python object.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

CPU_LIMIT_S = 1
MEMORY_BYTES_MAX = 256 * 1024 * 1024
WALL_LIMIT_S = 4
OUTPUT_BYTES_MAX = 256 * 1024  # of all texts together
RECORD_BYTES_MAX = 6 * OUTPUT_BYTES_MAX + 64 * 1024  # as JSON, each character an escape
CAUSE_LENGTH_MAX = 500
KEYS_SHOWN_MAX = 20


def limit() -> None:
    """Hard limits: what runs here cannot lift them again."""
    signal.alarm(WALL_LIMIT_S)  # ends this process also when nobody waits for it any more
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S + 1))  # told by its signal, else killed
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_FSIZE, RECORD_BYTES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    limit()
    sys.path += sys.argv[1:]  # last: they only matter where jinja is found nowhere else

import jinja2  # noqa: E402  # its import is already under the limits
import jinja2.debug  # noqa: E402  # wanted when an expression fails: no file can be opened then
from jinja2 import filters, sandbox, tests  # noqa: E402


class Failed(Exception):
    """The cause, as a person can act on it."""


class Missing(jinja2.StrictUndefined):
    """A value that is not there, which any use but a test for it fails on."""

    __slots__ = ()
    roots: ClassVar[Mapping[str, Any]] = {}  # of the one rendering this process is for

    @property
    def _undefined_message(self) -> str:
        return self._undefined_hint or f"there is no `{self._undefined_name}` here{_instead(dict(self.roots))}"


class Expressions(sandbox.ImmutableSandboxedEnvironment):
    """The sandbox with everything taken out that templates have no use for."""

    def __init__(self, roots: Mapping[str, Any]) -> None:
        super().__init__(autoescape=False, optimized=False, undefined=Missing, cache_size=0)  # no HTML
        self.roots = roots
        self.globals = {}
        self.filters = {name: filters.FILTERS[name] for name in FILTERS_OF_JINJA} | {"tojson": as_json}
        self.tests = {name: tests.TESTS[name] for name in TESTS_OF_JINJA}

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, jinja2.Undefined):
            return str(obj)  # which raises and names what is missing
        if type(obj) is dict and type(argument) is str and argument in obj:
            return obj[argument]
        if type(obj) in (list, str) and type(argument) is int and 0 <= argument < len(obj):
            return obj[argument]
        return self.undefined(hint=f"there is no `{argument}` here{_instead(obj)}", obj=obj, name=str(argument))

    def call(self, *_args: Any, **_named: Any) -> Any:
        raise jinja2.exceptions.SecurityError("nothing can be called")

    def evaluate(self, source: str) -> str:
        value = self.compile_expression(source, undefined_to_none=False)(**self.roots)
        if isinstance(value, str | jinja2.Undefined):
            return str(value)
        return as_json(value)


FILTERS_OF_JINJA = (
    "default", "first", "indent", "join", "last", "length", "lower", "replace", "trim", "truncate", "upper",
)  # fmt: skip
TESTS_OF_JINJA = ("boolean", "defined", "mapping", "none", "number", "sequence", "string", "undefined")


def as_json(value: Any) -> str:
    """Jinja's own filter makes HTML of it."""
    if isinstance(value, jinja2.Undefined):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _instead(obj: Any) -> str:
    if type(obj) is dict:
        names = ", ".join(sorted(obj)[:KEYS_SHOWN_MAX])
        return f"; there is: {names}" if names else "; it is empty"
    if type(obj) is list:
        return f"; the list has {len(obj)} items"
    return f"; it is a {'text' if type(obj) is str else 'plain value'}"


def render(texts: dict[str, list[list[str]]], roots: dict[str, Any]) -> dict[str, Any]:
    """Each text is a list of pieces: ["text", as it is] or ["expression", source]."""
    environment = Expressions(roots)
    Missing.roots = roots
    done: dict[str, str] = {}
    size = 0
    for field, pieces in texts.items():
        made: list[str] = []
        for kind, piece in pieces:
            try:
                made.append(_evaluated(environment, piece) if kind == "expression" else piece)
                size += len(made[-1].encode("utf-8", "surrogatepass"))
                if size > OUTPUT_BYTES_MAX:
                    raise Failed(f"the text becomes longer than {OUTPUT_BYTES_MAX // 1024} KiB")
            except Failed as failed:
                return {"field": field, "expression": piece if kind == "expression" else "", "cause": str(failed)}
        done[field] = "".join(made)
    return {"texts": done}


def _evaluated(environment: Expressions, source: str) -> str:
    """Limits of space and depth end an expression here; that of time ends the process."""
    try:
        return environment.evaluate(source)
    except jinja2.UndefinedError as error:
        raise Failed(str(error)[:CAUSE_LENGTH_MAX]) from error
    except (MemoryError, OverflowError):
        raise Failed("it needs more memory than a template may have") from None
    except (jinja2.TemplateError, TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise Failed(f"{type(error).__name__}: {str(error)[:CAUSE_LENGTH_MAX]}") from error


def main() -> int:
    given = json.load(sys.stdin.buffer)
    Expressions({}).evaluate("'loads what the first expression needs, such as codecs'")
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))  # nothing is opened from here on
    answer = render(given["texts"], given["roots"])
    sys.stdout.buffer.write(json.dumps(answer).encode())
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
