"""The manifests of simulated control repos. Few texts, used again and again: each is parsed once a process."""

from __future__ import annotations

CHECKS = (("make test",), ("make test", "make lint"), ("make test sometimes",), ("make test slowly",), ("make lint",))
PROTECTED = ("ci/**",)
PIPELINES = ("quick", "chain", "report", "strict")
RUNS_MAX = 10  # of a task, by its default: each stage takes its failure edge for itself
_HEAD = "apiVersion: orchctl.dev/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n{more}spec:\n"
_CODER = "  - name: {name}\n    role: coder\n    timeout: 3m\n    gates:\n    - checks: {{}}\n"
_MERGE = "  - name: merge\n    merge: {}\n"
_STAGES = {
    "quick": _CODER.format(name="implement") + "    onFailure: {goto: implement, limit: 2}\n" + _MERGE,
    "chain": _CODER.format(name="implement")
    + _CODER.format(name="polish")
    + "    onFailure: {goto: implement, limit: 1}\n"
    + _MERGE,
    "report": "  - name: look\n    role: coder\n    timeout: 2m\n",
    "strict": _CODER.format(name="implement") + "    onFailure: {goto: implement, limit: 0}\n" + _MERGE,
}
BROKEN = (
    "kind: [",
    "apiVersion: orchctl.dev/v1alpha1\nkind: Task\nmetadata:\n  name: {name}\nspec:\n  promt: typo\n",
    "apiVersion: orchctl.dev/v1alpha1\nkind: Task\nmetadata:\n  name: {name}\nspec: {{prompt: 5}}\n",
    "apiVersion: orchctl.dev/v1alpha1\nkind: Task\nmetadata: {{name: {name}}}\nspec:\n  prompt: &a [*a]\n",
    "",
    "apiVersion: orchctl.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: {name}}}\nspec: {{stages: []}}\n",
)


def pipeline(name: str) -> str:
    return _head("Pipeline", name) + f"  stages:\n{_STAGES[name]}"


def agent(name: str) -> str:
    return _head("Agent", name) + "  backend: command\n  command: [agent]\n"


def project(name: str, checks: tuple[str, ...], *, limit: int, keep: str) -> str:
    """`site` is the control repo itself."""
    said = _head("Project", name)
    if name != "site":
        said += f"  repo: {{url: /repos/{name}, branch: main}}\n"
    said += f"  limits: {{sessions: {limit}}}\n  worktrees: {{keep: {keep}}}\n  defaults: {{agents: [worker]}}\n"
    said += f"  guardrails: {{protectedPaths: ['{PROTECTED[0]}']}}\n"
    listed = [f"  - name: c{place}\n    run: {run}\n    timeout: 1m\n" for place, run in enumerate(checks)]
    return said + (f"  checks:\n{''.join(listed)}" if checks else "")


def task(name: str, project_name: str, pipeline_name: str, *, draft: int = 0) -> str:
    return (
        _head("Task", name)
        + f"  project: {project_name}\n  pipeline: {pipeline_name}\n  timeout: 30m\n"
        + f"  prompt: do {name}, draft {draft}\n  priority: {draft}\n"
    )


def _head(kind: str, name: str) -> str:
    return _HEAD.format(kind=kind, name=name, more="")
