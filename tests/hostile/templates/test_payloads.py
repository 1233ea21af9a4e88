"""T8: no text in a template field runs code, changes what it is given or holds the controller up.

Judged twice: as the controller does it, and in the worker alone, as if the check before it were not there. And once in
a plain jinja environment, to show that the payloads are what they say they are.
"""

from __future__ import annotations

import copy
import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import jinja2
import pytest

from orchctl.adapters.templates import rendering
from orchctl.api import templates
from orchctl.core import ports
from tests.hostile.templates import payloads

LIMIT_S = 1.5
ROOTS = {
    "task": {
        "name": "fix",
        "prompt": "${{ 9 * 9 }} {{ 9 * 9 }} {% set x = 9 %}",
        "labels": {"team": "a"},
        "tags": ["b", "a"],
    },
    "feedback": "x" * 16_000,
    "params": {},
}
SEEN = "${{ task|tojson }}"
LEAKED = re.compile(r"<class|<bound|<built-in|<function|<module|0x[0-9a-f]{6}|root:")


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def armed(name: str, mark: Path) -> str:
    return payloads.ALL[name].replace("MARK", str(mark))


def test_t8_there_are_enough_of_them() -> None:
    assert len(payloads.ALL) >= 60


@pytest.mark.parametrize("name", payloads.ALL)
def test_t8_a_payload_is_refused_or_rendered_as_harmless_text(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    roots = copy.deepcopy(ROOTS)
    renderer = rendering.Renderer(sys.executable)
    before, begun = children_cpu_s(), time.process_time()
    made, refusal = {}, ""
    try:
        made = renderer.render({"field": armed(name, mark), "seen": SEEN}, roots, tmp_path / "values").texts
    except ports.PermanentError as error:
        refusal = str(error)
    if refusal:
        assert refusal.startswith("field")
        assert len(refusal) < 1000
    else:
        assert json.loads(made["seen"]) == ROOTS["task"]
        assert not LEAKED.search(made["field"])
    assert not mark.exists()
    assert roots == ROOTS
    assert children_cpu_s() - before < LIMIT_S
    assert time.process_time() - begun < LIMIT_S


@pytest.mark.parametrize("name", payloads.ALL)
def test_t8_the_check_alone_is_quick_and_says_where(name: str) -> None:
    text = payloads.ALL[name]
    begun = time.process_time()
    flaws = templates.check(text)
    assert time.process_time() - begun < LIMIT_S
    assert all(0 <= flaw.offset < len(text) and "\n" not in flaw.message for flaw in flaws)
    assert len(flaws) <= 5 * templates.EXPRESSIONS_MAX
    if name in (payloads.CODE | payloads.MUTATION) and not name.startswith("block-"):
        assert flaws


@pytest.mark.parametrize("name", payloads.ALL)
def test_t8_without_the_check_the_worker_still_holds(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = armed(name, mark)
    sources = re.findall(r"\$\{\{(.*?)\}\}", text, re.DOTALL) or [text]
    pieces = [["expression", source] for source in sources]
    given = {"texts": {"field": pieces, "seen": [["expression", "task|tojson"]]}, "roots": ROOTS}
    before = children_cpu_s()
    done = subprocess.run(
        [sys.executable, "-I", "-B", str(rendering.PROGRAM)],
        input=json.dumps(given).encode(),
        capture_output=True,
        env={},
        timeout=30,
        check=False,
    )
    used = children_cpu_s() - before
    assert not mark.exists()
    assert used < LIMIT_S
    if done.returncode == 0:
        answer = json.loads(done.stdout)
        assert not LEAKED.search(json.dumps(answer.get("texts")))
        assert "cause" in answer or json.loads(answer["texts"]["seen"]) == ROOTS["task"]


def plain() -> jinja2.Environment:
    return jinja2.Environment(variable_start_string="${{", variable_end_string="}}")


def test_t8_control_a_plain_environment_runs_code(tmp_path: Path) -> None:
    fell = []
    for name in payloads.CODE:
        mark = tmp_path / name
        try:
            plain().from_string(armed(name, mark)).render(copy.deepcopy(ROOTS))
        except (jinja2.TemplateError, TypeError):
            continue
        finally:
            fell += [name] if mark.exists() else []
    assert len(fell) >= 15, fell


def test_t8_control_a_plain_environment_changes_its_input() -> None:
    changed = []
    for name, text in payloads.MUTATION.items():
        roots = copy.deepcopy(ROOTS)
        plain().from_string(text).render(roots)
        changed += [name] if roots != ROOTS else []
    assert len(changed) >= 8, changed
