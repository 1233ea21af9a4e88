"""YAML text to plain data with positions, from the events of libyaml, every limit counted before anything is built.

Called by `loader` only. A generic YAML loader composes first and asks later, which a small hostile file turns into
gigabytes; here the parser is stepped event by event and stopped at the first that is one too many. Nothing is ever
constructed but dict, list, str, int, float, bool and None.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from _ruamel_yaml import (  # type: ignore[import-not-found]  # the C parser has no stubs
    AliasEvent,
    CParser,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from orchctl.adapters.manifests import scalars
from orchctl.kit import text

DEPTH_MAX = 32  # the deepest kind needs 9
ALIASES_MAX = 64
EVENTS_MAX = 20_000  # 256 KiB of ordinary manifests have about 10,000
NODES_MAX = 20_000  # with each alias counted as what it stands for
DOCUMENTS_MAX = 100
_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NO_KEY = object()
_DROPPED_KEY = object()

Place = tuple[int, int]  # line and column, from 0
Marks = dict[int, dict[object, tuple[Any, Any]]]  # id of a container -> key or index -> (mark of key, mark of value)


@dataclasses.dataclass(frozen=True, slots=True)
class Flaw:
    """A problem before the object it belongs to is known. `place` counts from 0."""

    place: Place
    field: str
    message: str
    code: str


@dataclasses.dataclass(slots=True)
class Raw:
    """One document as read: data, places and what is wrong with it. It must not be changed: places go by identity."""

    index: int
    line: int  # of its first content, from 0
    value: object = None
    marks: Marks = dataclasses.field(default_factory=dict)
    flaws: list[Flaw] = dataclasses.field(default_factory=list)
    line_offset: int = 0  # added to the line of every mark


class Refused(Exception):
    """The document cannot be read on. `whole_file`: the limit is one of the file, nothing after it is read."""

    def __init__(self, place: Place, message: str, code: str, *, whole_file: bool = False) -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.code = code
        self.whole_file = whole_file


class _Frame:
    """An open mapping or list."""

    __slots__ = ("anchor", "container", "index_marks", "key", "key_mark", "mark", "nodes_before")

    def __init__(self, container: Any, event: Any, marks: dict[object, tuple[Any, Any]], nodes_before: int) -> None:
        self.container = container
        self.anchor = event.anchor
        self.mark = event.start_mark
        self.index_marks = marks
        self.key: object = _NO_KEY
        self.key_mark: Any = None
        self.nodes_before = nodes_before


@dataclasses.dataclass(slots=True)
class _Spent:
    """What one file has used of its limits."""

    events: int = 0
    aliases: int = 0
    nodes: int = 0
    documents: int = 0


def documents(source: str) -> Iterator[Raw]:
    """Every document of a file. One that cannot be read has `flaws` and no value; those after it are read again."""
    spent = _Spent()
    offset = line_offset = 0
    while True:
        rest = source[offset:]
        composer = _Composer(CParser(rest), spent, line_offset)
        try:
            yield from composer.documents()
            return
        except Refused as refused:
            flaw = Flaw(refused.place, "", refused.message, refused.code)
            whole_file = refused.whole_file
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line, mark.column) if mark else (composer.line, 0)
            flaw = Flaw(place, "", f"must be valid YAML: {_reason(error)}", "yaml_syntax")
            whole_file = False
        except YAMLError as error:
            flaw = Flaw((composer.line, 0), "", f"must be valid YAML: {text.one_line(str(error))}", "yaml_syntax")
            whole_file = True
        yield Raw(index=spent.documents, line=composer.line, flaws=[flaw], line_offset=line_offset)
        spent.documents += 1
        after = max(flaw.place[0], composer.line + 1)
        following = _next_document(rest, after)
        if whole_file or following is None:
            return
        line_offset += rest.count("\n", 0, following)
        offset += following


def _next_document(source: str, line: int) -> int | None:
    """Where the first `---` at or after that line is: in YAML it begins a document wherever it stands at column 0."""
    position = 0
    for _ in range(line):
        position = source.find("\n", position) + 1
        if position == 0:
            return None
    match = _DOCUMENT_START.search(source, position)
    return match.start() if match and match.start() > 0 else None


def _reason(error: MarkedYAMLError) -> str:
    context = f"{error.context}: " if error.context else ""
    # libyaml is stricter than YAML 1.2 here: in [] and {} it wants such a value, a URL say, in quotes.
    hint = "; put the value in quotes" if error.problem == "found unexpected ':'" else ""
    return text.one_line(f"{context}{error.problem or 'it cannot be read'}{hint}")


class _Composer:
    def __init__(self, parser: Any, spent: _Spent, line_offset: int) -> None:
        self.parser = parser
        self.spent = spent
        self.line_offset = line_offset
        self.line = 0  # where the current document begins, for errors that have no place of their own
        self.anchors: dict[str, tuple[object, int]] = {}
        self.stack: list[_Frame] = []
        self.raw = Raw(0, 0)

    def next_event(self) -> Any:
        event = self.parser.get_event()
        self.spent.events += 1
        if self.spent.events > EVENTS_MAX:
            message = f"must have at most {EVENTS_MAX} values in one file; split it"
            raise Refused(_place(event.start_mark), message, "too_large", whole_file=True)
        return event

    def documents(self) -> Iterator[Raw]:
        while True:
            event = self.next_event()
            kind = type(event)
            if kind is StreamEndEvent:
                return
            if kind is DocumentStartEvent:
                self.line = event.start_mark.line
                if self.spent.documents >= DOCUMENTS_MAX:
                    message = f"must have at most {DOCUMENTS_MAX} documents in one file; split it"
                    raise Refused(_place(event.start_mark), message, "too_large", whole_file=True)
                raw = self.compose()
                self.spent.documents += 1
                yield raw

    def compose(self) -> Raw:
        self.raw = raw = Raw(self.spent.documents, self.line, line_offset=self.line_offset)
        self.anchors = {}
        stack = self.stack = []
        while True:
            event = self.next_event()
            kind = type(event)
            if kind is ScalarEvent:
                value: object = self.scalar(event)
                self.spent.nodes += 1
                if event.anchor is not None:
                    self.anchors[event.anchor] = (value, 1)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self.open({} if kind is MappingStartEvent else [], event)
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                frame = stack.pop()
                value = frame.container
                if frame.anchor is not None:
                    self.anchors[frame.anchor] = (value, self.spent.nodes - frame.nodes_before)
                self.attach(value, frame.mark)
                continue
            elif kind is AliasEvent:
                value = self.alias(event)
            else:
                assert kind is DocumentEndEvent, kind
                return raw
            self.attach(value, event.start_mark)

    def open(self, container: dict[str, object] | list[object], event: Any) -> None:
        stack = self.stack
        if len(stack) >= DEPTH_MAX:
            raise Refused(_place(event.start_mark), f"must not be nested deeper than {DEPTH_MAX} levels", "too_deep")
        if stack and stack[-1].key is _NO_KEY and type(stack[-1].container) is dict:
            raise Refused(_place(event.start_mark), "must have a string as key, not a list or mapping", "bad_key")
        if event.tag is not None:
            self.flaw(event, f"must not have a tag; remove '{text.one_line(event.tag, 60)}'", "tag")
        marks: dict[object, tuple[Any, Any]] = {}
        self.raw.marks[id(container)] = marks
        stack.append(_Frame(container, event, marks, self.spent.nodes))
        self.spent.nodes += 1

    def attach(self, value: object, mark: Any) -> None:
        if not self.stack:
            self.raw.value = value
            self.raw.line = mark.line
            return
        frame = self.stack[-1]
        container = frame.container
        if type(container) is list:
            frame.index_marks[len(container)] = (mark, mark)
            container.append(value)
        elif frame.key is _NO_KEY:
            frame.key = self.key(value, mark)
            frame.key_mark = mark
        else:
            if frame.key is not _DROPPED_KEY:
                container[frame.key] = value
                frame.index_marks[frame.key] = (frame.key_mark, mark)
            frame.key = _NO_KEY

    def key(self, value: object, mark: Any) -> object:
        frame = self.stack[-1]
        place = _place(mark)
        if type(value) is not str:
            shown = text.one_line(str(value), 60)
            self.add(place, f"must have a string as key; put {shown} in quotes", "bad_key")
            return _DROPPED_KEY
        if value == "<<":
            self.add(place, "must not use a merge key `<<`; write the fields out", "merge_key")
            return _DROPPED_KEY
        if value in frame.container:
            first = frame.index_marks[value][0].line + self.line_offset + 1
            shown = text.one_line(value, 60)
            self.add(place, f'must not have the key "{shown}" twice; the first is in line {first}', "duplicate_key")
            return _DROPPED_KEY
        return value

    def scalar(self, event: Any) -> object:
        value: str = event.value
        if event.tag is not None:
            self.flaw(event, f"must not have a tag; remove '{text.one_line(event.tag, 60)}'", "tag")
            return value
        if event.style is None or event.style == "":
            try:
                return scalars.resolve(value)
            except scalars.NumberTooLong:
                self.flaw(event, str(scalars.NumberTooLong.__doc__), "out_of_range")
                return 0
        if event.style == '"' and _CONTROL.search(value):
            self.flaw(event, "must not contain control characters", "control_character")
        return value

    def alias(self, event: Any) -> object:
        place = _place(event.start_mark)
        self.spent.aliases += 1
        if self.spent.aliases > ALIASES_MAX:
            raise Refused(
                place, f"must use at most {ALIASES_MAX} aliases in one file", "too_many_aliases", whole_file=True
            )
        if event.anchor not in self.anchors:
            shown = text.one_line(event.anchor, 60)
            raise Refused(place, f"must refer to an anchor that ends before it; there is no &{shown}", "unknown_alias")
        value, nodes = self.anchors[event.anchor]
        self.spent.nodes += nodes
        if self.spent.nodes > NODES_MAX:
            message = f"must have at most {NODES_MAX} values with its aliases written out"
            raise Refused(place, message, "too_large", whole_file=True)
        return value

    def flaw(self, event: Any, message: str, code: str) -> None:
        self.add(_place(event.start_mark), message, code)

    def add(self, place: Place, message: str, code: str) -> None:
        self.raw.flaws.append(Flaw(place, self.field(), message, code))

    def field(self) -> str:
        """The path of where we are, such as `spec.stages[1].gates`."""
        path = ""
        for frame in self.stack:
            if type(frame.container) is list:
                path += f"[{len(frame.container)}]"
            elif type(frame.key) is str:
                path += f".{text.one_line(frame.key, 60)}"
        return path.removeprefix(".")


def _place(mark: Any) -> Place:
    return (mark.line, mark.column)
