"""Facts as tests want them: a project, the built-in pipelines and a task, without any file."""

from __future__ import annotations

import json
from typing import Any

from orchctl.api import kinds
from orchctl.core import actions, events
from orchctl.core.ids import Key, key_of
from orchctl.core.judgements import Principal
from orchctl.kit import digest
from orchctl.testing import worlds

CHECKS: list[dict[str, Any]] = [{"name": "unit", "run": "make test"}]
STAGES: list[dict[str, Any]] = [
    {
        "name": "implement",
        "role": "coder",
        "gates": [{"checks": {}}],
        "onFailure": {"goto": "implement", "limit": 2},
    },
    {"name": "merge", "merge": {}},
]


def admitted(kind: str, name: str, spec: dict[str, Any], generation: int = 1, by: str = "") -> events.ObjectAdmitted:
    namespace = "" if kind in kinds.CLUSTER_KINDS else "default"
    text = digest.canonical_json(spec)
    return events.ObjectAdmitted(
        key_of(kind, namespace, name),
        uid=f"uid-{kind}-{name}",
        generation=generation,
        spec_digest=digest.sha256_hex(text),
        spec=text,
        path=f"manifests/{name}.yaml",
        line=1,
        blob="b" * 40,
        principal=Principal(by) if by else None,
    )


def revision() -> events.RevisionObserved:
    commit = worlds.oid("control")
    return events.RevisionObserved(
        Key("Source//control"), ref="refs/heads/main", commit=commit, tree=worlds.oid("t"), roots=("manifests",)
    )


def catalogue(stages: list[dict[str, Any]] | None = None) -> list[events.Event]:
    return [
        revision(),
        admitted("Pipeline", "change", {"stages": stages or STAGES}),
        admitted("Role", "coder", {"system": "You write code."}),
        admitted("Agent", "script", {"backend": "script"}),
    ]


class Meddled(worlds.World):
    """A world in which other things happen too: the given facts, once, together with the first such effect."""

    def meddle(self, when: type[actions.Effect], *facts: events.Event) -> None:
        self._when, self._facts = when, list(facts)

    def execute(self, action: actions.Action) -> list[events.Event]:
        found = super().execute(action)
        if isinstance(action.do, self._when):
            found += self._facts
            self._facts = []
        return found


def project(checks: list[dict[str, Any]] | None = None, **spec: Any) -> events.ObjectAdmitted:
    return admitted("Project", "shop", {"checks": CHECKS if checks is None else checks, **spec})


def task(name: str = "fix", **spec: Any) -> events.ObjectAdmitted:
    return admitted("Task", name, {"prompt": "Fix the login.\n\nWith a test.", **spec})


def bench(*facts: events.Event, world: worlds.World | None = None) -> worlds.Bench:
    """A bench with the catalogue, then the facts, run until it rests."""
    made = worlds.Bench(world=world or worlds.World())
    made.give(*catalogue())
    made.give(*facts)
    return made


def body(made: worlds.Bench, key: str) -> dict[str, Any]:
    from orchctl.core import views

    loaded: dict[str, Any] = json.loads(views.row(made.machine.state, made.object(key)).body)
    return loaded
