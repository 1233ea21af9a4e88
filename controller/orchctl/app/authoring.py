"""Writes manifests for people: the Project of `orchctl init`, the Task of `orchctl run`.

Guesses from the files at hand and says what it guessed; asks nothing and overwrites nothing.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from orchctl.api import kinds
from orchctl.app import committing
from orchctl.app.read import failures, locate, yamltext
from orchctl.kit import names, text

MANIFESTS = "manifests"
PROJECT_FILE = f"{MANIFESTS}/project.yaml"
PROMPT_BYTES_MAX = 128 * 1024
NAMES_TRIED_MAX = 1000
NAME_STEM_MAX = names.NAME_LENGTH_MAX - len(f"-{NAMES_TRIED_MAX}")
OF_ONE_RUN = ("suspend", "shutdown", "startAfter", "deadline")
SUBJECT_CHARACTERS_MAX = 72
GUESS_BYTES_MAX = 256 * 1024
NO_CHECKS = """\
# Checks run on every change before it may be merged; without any, nothing is verified. For example:
#   checks:
#   - {name: unit, run: make test, timeout: 10m}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Initialised:
    path: str
    created: bool
    project: str
    checks: tuple[str, ...]  # the commands that were found


@dataclasses.dataclass(frozen=True, slots=True)
class TaskWish:
    """What `orchctl run` was asked for."""

    prompt: str
    name: str | None = None
    agents: tuple[str, ...] = ()
    project: str | None = None
    pipeline: str | None = None
    namespace: str = kinds.DEFAULT_NAMESPACE


def initialise(place: locate.Place) -> Initialised:
    if place.worktree is None:
        raise failures.CommandError(
            f"{place.root} is a bare repository: commit {PROJECT_FILE} to it from a clone", failures.USAGE
        )
    root = Path(place.worktree)
    project = names.slug(root.resolve().name, fallback="project")
    checks = guess_checks(root)
    path = root / PROJECT_FILE
    content = _project_text(project, checks)
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(content)
    except FileExistsError:
        return Initialised(PROJECT_FILE, False, project, checks)
    return Initialised(PROJECT_FILE, True, project, checks)


def guess_checks(root: Path) -> tuple[str, ...]:
    """The commands this project is most likely tested by, from files that say so; the first is called `unit`."""
    found: list[str] = []
    if any(line.startswith("test:") for line in _text_of(root / "Makefile").splitlines()):
        return ("make test",)
    if (root / "pyproject.toml").exists() or (root / "setup.py").exists():
        found.append("pytest -q" if _mentions_pytest(root) else "python3 -m unittest")
    elif (root / "tests").is_dir() and any((root / "tests").glob("test_*.py")):
        found.append("pytest -q")
    if "test" in _npm_scripts(root):
        found.append("npm test")
    if (root / "Cargo.toml").exists():
        found.append("cargo test")
    if (root / "go.mod").exists():
        found.append("go test ./...")
    return tuple(found)


def _mentions_pytest(root: Path) -> bool:
    """unittest needs nothing installed; pytest is the guess wherever its traces are."""
    has_traces = any((root / name).exists() for name in ("conftest.py", "pytest.ini", "tests", "test"))
    return has_traces or "pytest" in _text_of(root / "pyproject.toml")


def _npm_scripts(root: Path) -> Mapping[str, object]:
    try:
        package = json.loads(_text_of(root / "package.json") or "{}")
    except ValueError:
        return {}
    scripts = package.get("scripts") if isinstance(package, dict) else None
    return scripts if isinstance(scripts, dict) else {}


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(GUESS_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return ""


def _project_text(project: str, checks: tuple[str, ...]) -> str:
    manifest: dict[str, object] = {
        "apiVersion": kinds.API_VERSION,
        "kind": "Project",
        "metadata": {"name": project},
        "spec": {},
    }
    if not checks:
        return yamltext.dump(manifest) + NO_CHECKS
    titles = ["unit", *(command.split()[0] for command in checks[1:])]
    manifest["spec"] = {"checks": [{"name": title, "run": run} for title, run in zip(titles, checks, strict=True)]}
    return yamltext.dump(manifest)


def commit_task(place: locate.Place, wish: TaskWish, ref: str | None) -> tuple[str, committing.Committed]:
    """Writes and commits the Task; returns its name and the commit."""
    _check(wish)
    branch = committing.ControlBranch(place, ref)
    name = _free_name(branch, wish)
    message = f"Add task {name}\n\n{text.one_line(wish.prompt, 500)}\n"
    return name, branch.add(_task_path(name, wish.namespace), _task_text(name, wish), message[:4096])


@dataclasses.dataclass(frozen=True, slots=True)
class Draft:
    """A manifest that is written and not committed yet."""

    name: str
    path: str
    content: str
    message: str
    branch: committing.ControlBranch

    def commit(self) -> committing.Committed:
        return self.branch.add(self.path, self.content, self.message)


def rerun(
    place: locate.Place, of: str, namespace: str, spec: Mapping[str, object], name: str | None, ref: str | None
) -> Draft:
    """Another task that asks for the same: without what was said about when and whether the first one runs."""
    branch = committing.ControlBranch(place, ref)
    wish = TaskWish(prompt=str(spec.get("prompt", "")), name=name, namespace=namespace)
    _check(wish)
    taken = _free_name(branch, wish, of)
    kept = {field: value for field, value in spec.items() if field not in OF_ONE_RUN and value not in ([], {}, None)}
    content = _manifest(taken, namespace, kept)
    return Draft(taken, _task_path(taken, namespace), content, f"Add task {taken}\n\nAs task {of}.\n", branch)


def _check(wish: TaskWish) -> None:
    if not wish.prompt.strip():
        raise failures.CommandError("the prompt is empty: say what should be done", failures.USAGE)
    if len(wish.prompt.encode("utf-8", "replace")) > PROMPT_BYTES_MAX:
        raise failures.CommandError(
            f"the prompt is over {PROMPT_BYTES_MAX // 1024} KiB: put it into a file of the"
            " project and point the agent there",
            failures.USAGE,
        )
    for label, name in (("--name", wish.name), ("--namespace", wish.namespace)):
        if name is not None and not names.is_name(name):
            raise failures.CommandError(
                f"{label} must be lower-case letters, digits and dashes, at most {names.NAME_LENGTH_MAX},"
                f" not {text.one_line(name)!r}",
                failures.USAGE,
            )


def _free_name(branch: committing.ControlBranch, wish: TaskWish, of: str = "") -> str:
    """`of` is the task this is another one of: its own name is not free, wherever its manifest is."""
    if wish.name is not None:
        path = _task_path(wish.name, wish.namespace)
        if branch.has(path):
            raise failures.CommandError(
                f"task/{wish.name} exists already ({path}): choose another --name", failures.CONFLICT
            )
        return wish.name
    base = (of or names.slug(wish.prompt.strip().splitlines()[0]))[:NAME_STEM_MAX].rstrip("-")
    for number in range(2 if of else 1, NAMES_TRIED_MAX):
        name = base if number == 1 else f"{base}-{number}"
        if not branch.has(_task_path(name, wish.namespace)):
            return name
    raise failures.CommandError(f"every name from {base} on is taken: give one with --name", failures.CONFLICT)


def _task_path(name: str, namespace: str) -> str:
    folder = "" if namespace == kinds.DEFAULT_NAMESPACE else f"{namespace}/"
    return f"{MANIFESTS}/tasks/{folder}{name}.yaml"


def _task_text(name: str, wish: TaskWish) -> str:
    spec: dict[str, object] = {}
    if wish.project:
        spec["project"] = wish.project
    if wish.pipeline:
        spec["pipeline"] = wish.pipeline
    if wish.agents:
        spec["agents"] = list(wish.agents)
    spec["prompt"] = wish.prompt
    return _manifest(name, wish.namespace, spec)


def _manifest(name: str, namespace: str, spec: Mapping[str, object]) -> str:
    metadata = {"name": name}
    if namespace != kinds.DEFAULT_NAMESPACE:
        metadata["namespace"] = namespace
    return yamltext.dump({"apiVersion": kinds.API_VERSION, "kind": "Task", "metadata": metadata, "spec": spec})
