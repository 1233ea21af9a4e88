"""P4: cold load of 10,000 manifests with limits, positions and validation; the floor is PyYAML's C loader + pydantic.

The floor parses YAML 1.1, keeps no positions and takes duplicate keys: it is what most tools do, not what we promise.
Warm: the same from the cache that a start reads, its opening included; the floor is our own cold load.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from orchctl.adapters import manifests
from orchctl.adapters.manifests import cache
from orchctl.api import registry
from orchctl.core.ids import Oid
from tests.bench import harness

COUNT = 10_000
ROUNDS = 3
WARM_MAX = 0.5  # of the cold load
TASK = """\
apiVersion: orchctl.dev/v1alpha1
kind: Task
metadata:
  name: task-%d
  labels: {team: core, milestone: m1}
spec:
  project: shop
  pipeline: quickfix
  title: Change number %d
  agents: [claude, codex]
  priority: 10
  timeout: 4h
  prompt: |
    Change number %d in the module of that number.
    Add a test that fails first.
    Keep the public names as they are.
"""


def figures(folder: Path) -> Iterable[harness.Figure]:
    texts = [(TASK % (n, n, n)).encode() for n in range(COUNT)]
    model = registry.MODELS["Task"]

    def ours() -> None:
        assert all(len(manifests.parse(text, "m.yaml").documents) == 1 for text in texts)

    def floor() -> None:
        for text in texts:
            model.model_validate(yaml.load(text, Loader=yaml.CSafeLoader), strict=False)

    yield harness.compare("cold-load-10k", ours, floor, goal=2.0, runs=ROUNDS)

    oids = [Oid(f"{n:040x}") for n in range(COUNT)]
    filled = cache.ParseCache(folder / "cache.db")
    for oid, text in zip(oids, texts, strict=True):
        filled.keep(oid, manifests.parse(text, "m.yaml"))
    filled.close()

    def warm() -> None:
        opened = cache.ParseCache(folder / "cache.db")
        assert all(opened.find(oid, "m.yaml") is not None for oid in oids)
        opened.drop_all_but(oids)
        opened.close()

    yield harness.compare("warm-load-10k", warm, ours, goal=WARM_MAX, runs=ROUNDS)
