"""Which parameters and stages the templates of a Pipeline may name: what it declares, and what came before.

Called by the loader once a manifest and its templates are valid by themselves. Other kinds do not know what their
templates will meet, so there it is told when they are rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchctl.api import templated, templates
from orchctl.kit import text as texts


def flaws(kind: str, value: Mapping[str, Any], path: templated.Path, text: str) -> Iterator[templates.Flaw]:
    """`value` is the manifest as it is written, `path` that of the template in it."""
    if kind != "Pipeline":
        return
    spec = value["spec"]
    params = [each["name"] for each in spec.get("params", ())]
    earlier = _names(spec, path)
    for token, root in templates.lookups(text, ("params", "stages")):
        known = params if root == "params" else earlier
        if token.text not in known:
            what = "a parameter the pipeline declares" if root == "params" else "an earlier stage"
            near = texts.did_you_mean(token.text, known)
            hint = f", did you mean '{near}'?" if near else f": there is {', '.join(known) or 'none'}"
            shown = texts.one_line(token.text, templates.WORD_SHOWN_MAX)
            yield templates.Flaw(token.offset, f"must be {what}; '{shown}' is none{hint}")


def _names(spec: Mapping[str, Any], path: templated.Path) -> Sequence[str]:
    """The stages that are behind by then: `finally` comes after all others."""
    _, where, index, *_ = path
    assert isinstance(index, int)
    stages = [each["name"] for each in spec["stages"]]
    if where == "stages":
        return stages[:index]
    return [*stages, *(each["name"] for each in spec["finally"][:index])]
