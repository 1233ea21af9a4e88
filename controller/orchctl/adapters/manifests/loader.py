"""Manifest bytes to validated documents and located problems. Never raises for anything a file can contain.

Called by the git source for each changed blob and by lint for each file. Bounded before it is parsed: size first,
then characters, then events. A bad document costs only itself; all problems of a file are reported at once.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence

import pydantic

from orchctl.adapters.manifests import compose, inside, references, wording
from orchctl.adapters.manifests.problems import PROBLEMS_MAX, Document, Loaded, Problem, Reference, by_position
from orchctl.api import kinds, registry, schema, scopes, support, templated, templates, violations
from orchctl.core.ids import Key, key_of
from orchctl.kit import digest, names, text

__all__ = ["parse", "Document", "Loaded", "Problem"]

FILE_SIZE_MAX = 256 * 1024  # bytes
DIRECTIVES_MAX = 16  # libyaml compares each with all before it
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_KIND = re.compile(r"""^[ {"']{0,8}kind["']?\s{0,8}:\s{0,8}["']?([A-Za-z]{1,63})""", re.MULTILINE)
_METADATA = re.compile(r"""^[ {"']{0,8}metadata["']?\s{0,8}:""", re.MULTILINE)
_LABEL = r"""["']?\s{0,8}:\s{0,8}["']?([a-z0-9][-a-z0-9]{0,62})"""
_NAME = re.compile(r"""(?:^|[\s{,"'])name""" + _LABEL)
_NAMESPACE = re.compile(r"""(?:^|[\s{,"'])namespace""" + _LABEL)
IDENTITY_WINDOW = 2_000  # characters after `metadata:` in which a broken document's name is looked for


def parse(data: bytes, path: str) -> Loaded:
    """Everything good and everything wrong in one manifest file; `path` is only used in what is returned."""
    source = _decoded(data, path)
    if isinstance(source, Problem):
        return Loaded((), (source,))
    documents: list[Document] = []
    problems: list[Problem] = []
    for raw in compose.documents(source):
        found = _Reading(raw, path, source)
        document = found.document()
        if document is not None and not found.problems:
            documents.append(document)
        problems += found.problems
        if len(problems) >= PROBLEMS_MAX:
            break
    problems.sort(key=by_position)
    return Loaded(tuple(documents), tuple(problems[:PROBLEMS_MAX]))


def _decoded(data: bytes, path: str) -> str | Problem:
    if len(data) > FILE_SIZE_MAX:
        shown = data[:FILE_SIZE_MAX].decode("utf-8", "replace")
        message = f"must be at most {FILE_SIZE_MAX // 1024} KiB; this file has {len(data) // 1024} KiB"
        return Problem(path, 1, 1, "", message, "too_large", _identity(shown))
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        message = "must be UTF-8 without a byte-order mark; save the file as plain UTF-8"
        return Problem(path, 1, 1, "", message, "encoding", _identity(data.decode("utf-8", "replace")))
    try:
        source = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        readable = _identity(data.decode("utf-8", "replace"))
        message = f"must be UTF-8; byte 0x{data[error.start]:02x} is not"
        return Problem(path, *_line_column(before, len(before)), "", message, "encoding", readable)
    bad = _UNREADABLE.search(source)
    if bad is not None:
        message = f"must not contain control characters; remove U+{ord(bad[0]):04X}"
        return Problem(path, *_line_column(source, bad.start()), "", message, "control_character", _identity(source))
    if source.count("%") > DIRECTIVES_MAX and len(_DIRECTIVE.findall(source)) > DIRECTIVES_MAX:
        message = f"must have at most {DIRECTIVES_MAX} lines that begin with '%'"
        return Problem(path, 1, 1, "", message, "too_large", _identity(source))
    return source


def _line_column(source: str, position: int) -> tuple[int, int]:
    return source.count("\n", 0, position) + 1, position - (source.rfind("\n", 0, position) + 1) + 1


def _identity(source: str) -> Key | None:
    """Whose text this is, as far as that can be read in text that is not YAML."""
    kind = _KIND.search(source)
    metadata = _METADATA.search(source)
    if kind is None or metadata is None or kind[1] not in kinds.KINDS:
        return None
    window = source[metadata.end() : metadata.end() + IDENTITY_WINDOW]
    name = _NAME.search(window)
    namespace = _NAMESPACE.search(window)
    return _key(kind[1], namespace[1] if namespace else None, name[1] if name else None)


def _key(kind: object, namespace: object, name: object) -> Key | None:
    if not isinstance(kind, str) or kind not in kinds.KINDS or not isinstance(name, str) or not names.is_name(name):
        return None
    written = namespace if isinstance(namespace, str) and names.is_name(namespace) else kinds.DEFAULT_NAMESPACE
    return key_of(kind, kinds.KINDS[kind].namespace(written), name)


class _Reading:
    """One raw document on its way to a Document."""

    def __init__(self, raw: compose.Raw, path: str, source: str) -> None:
        self.raw = raw
        self.path = path
        self.key: Key | None = None
        self.problems: list[Problem] = []
        self.source = source

    def document(self) -> Document | None:
        raw = self.raw
        if raw.value is None:
            if raw.flaws:
                self.key = _identity(self.text_of_document())
                self.report_flaws()
            return None
        if not isinstance(raw.value, dict):
            self.add((raw.line, 0), "", "must be a mapping with apiVersion, kind, metadata and spec", "wrong_type")
            return None
        value: dict[str, object] = raw.value
        metadata = value.get("metadata")
        if isinstance(metadata, dict):
            self.key = _key(value.get("kind"), metadata.get("namespace"), metadata.get("name"))
        if not self.is_ours(value):
            return None
        self.report_flaws()
        kind = value.get("kind")
        if not isinstance(kind, str) or kind not in kinds.KINDS:
            self.add_unknown_kind(kind)
            return None
        return self.validated(kind, value)

    def is_ours(self, value: dict[str, object]) -> bool:
        """False if the document is none of ours, or does not say: the latter is a problem."""
        written = value.get("apiVersion")
        if written == kinds.API_VERSION:
            return True
        if written is None:
            message = f"must be given: add the line `apiVersion: {kinds.API_VERSION}`"
            self.add((self.raw.line, 0), "apiVersion", message, "missing")
            return False
        group = written.split("/", 1)[0] if isinstance(written, str) else kinds.API_GROUP
        if group == kinds.API_GROUP:
            place = self.locate(("apiVersion",))
            self.add(place, "apiVersion", f"must be '{kinds.API_VERSION}'", "unsupported_version")
        return False

    def add_unknown_kind(self, kind: object) -> None:
        if kind is None:
            message = f"must be given: one of {', '.join(kinds.KINDS)}"
            self.add((self.raw.line, 0), "kind", message, "missing")
            return
        near = text.did_you_mean(kind, kinds.KINDS) if isinstance(kind, str) else None
        hint = f", did you mean '{near}'?" if near else ""
        self.add(self.locate(("kind",)), "kind", f"must be one of {', '.join(kinds.KINDS)}{hint}", "unknown_kind")

    def validated(self, kind: str, value: dict[str, object]) -> Document | None:
        if "status" in value:
            message = "must not be in a manifest: the controller writes it; remove it"
            self.add(self.locate(("status",), key=True), "status", message, "status_in_manifest")
            value = {name: each for name, each in value.items() if name != "status"}
        try:
            manifest = registry.MODELS[kind].model_validate_json(json.dumps(value, ensure_ascii=False))
        except pydantic.ValidationError as error:
            found = error.errors(include_url=False)
            for each in found:
                # A list counts its valid entries only: beside a bad entry, "too few" says nothing new.
                if each["type"] == "too_short" and any(len(other["loc"]) > len(each["loc"]) for other in found):
                    continue
                self.add_invalid(kind, each["type"], each["loc"], each.get("ctx", {}), each["msg"])
            return None
        for path, template in templated.templates_of(kind, value):
            for flaw in templates.check(template) or scopes.flaws(kind, value, path, template):
                place = inside.place(self.lines, self.raw.line_offset, self.locate(path), template, flaw.offset)
                self.add(place, field_path(path), flaw.message, "template")
        dumped = manifest.model_dump(mode="json", by_alias=True, exclude_none=True)
        for violation in violations.violations(manifest, dumped):
            self.add(self.locate(violation.path), field_path(violation.path), violation.message, violation.code)
        uses = support.unsupported(manifest)
        metadata = manifest.metadata
        return Document(
            kind=kind,
            namespace=kinds.KINDS[kind].namespace(metadata.namespace),
            name=metadata.name,
            spec_json=digest.canonical_json(dumped["spec"]),
            labels=tuple(sorted(metadata.labels.items())),
            annotations=tuple(sorted(metadata.annotations.items())),
            path=self.path,
            index=self.raw.index,
            line=self.raw.line + self.raw.line_offset + 1,
            references=tuple(self.reference(*each) for each in references.of_spec(kind, dumped["spec"])),
            unsupported=tuple(field_path(use.path) for use in uses),
            harmless=tuple(field_path(use.path) for use in uses if use.harmless),
        )

    def reference(self, path: references.Path, kind: str, name: str) -> Reference:
        line, column = self.locate(path)
        return Reference(field_path(path), line + self.raw.line_offset + 1, column + 1, kind, name)

    def add_invalid(
        self, kind: str, type: str, loc: tuple[str | int, ...], context: wording.Context, message: str
    ) -> None:
        about_key = loc[-1:] == ("[key]",)
        path = loc[:-1] if about_key else loc
        if type == "extra_forbidden":
            known = schema.known_fields(kind, path[:-1])
            said = wording.unknown_field(str(path[-1]), known, in_metadata=path[:1] == ("metadata",))
            self.add(self.locate(path, key=True), field_path(path), said, "unknown_field")
            return
        said, code = wording.describe(type, context, self.value_at(path), message)
        self.add(self.locate(path, key=about_key), field_path(path), said, code)

    def value_at(self, path: Sequence[str | int]) -> object:
        current: object = self.raw.value
        for part in path:
            if isinstance(current, dict):
                current = current.get(part)
            elif isinstance(current, list) and isinstance(part, int) and part < len(current):
                current = current[part]
            else:
                return None
        return current

    def locate(self, path: Sequence[str | int], *, key: bool = False) -> compose.Place:
        """Where the value at a path stands, or its key; for what is missing, the key of the nearest parent."""
        place: compose.Place = (self.raw.line, 0)
        current: object = self.raw.value
        for number, part in enumerate(path):
            marks = self.raw.marks.get(id(current), {}).get(part)
            if marks is None:
                return place
            wanted = marks[1] if number == len(path) - 1 and not key else marks[0]
            place = (wanted.line, wanted.column)
            current = current[part]  # type: ignore[index]  # it has marks, so it is a container
        return place

    @functools.cached_property
    def lines(self) -> list[str]:
        """Those of the whole file."""
        return self.source.split("\n")

    def text_of_document(self) -> str:
        body = "\n".join(self.lines[self.raw.line + self.raw.line_offset :])
        body = body.removeprefix("---")
        following = _DOCUMENT_START.search(body)
        return body[: following.start()] if following else body

    def report_flaws(self) -> None:
        for flaw in self.raw.flaws:
            self.add(flaw.place, flaw.field, flaw.message, flaw.code)

    def add(self, place: compose.Place, field: str, message: str, code: str) -> None:
        line, column = place[0] + self.raw.line_offset + 1, place[1] + 1
        self.problems.append(Problem(self.path, line, column, field, message, code, self.key))


def field_path(path: Sequence[str | int]) -> str:
    """`spec.stages[1].gates[0]`, whatever a file has for keys."""
    return "".join(_parts(path)).removeprefix(".")


def _parts(path: Sequence[str | int]) -> Iterator[str]:
    for part in path:
        if isinstance(part, int):
            yield f"[{part}]"
        elif part.isidentifier() and len(part) <= wording.SHOWN_MAX:  # as almost always, and there are many
            yield f".{part}"
        else:
            yield f".{text.one_line(part, wording.SHOWN_MAX)}"
