"""When templates are rendered, with what, and what the agent is told. The world only marks what it renders."""

from __future__ import annotations

import json
from typing import Any

from orchctl.core import actions, events
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = "Task/default/fix"
STAGES: list[dict[str, Any]] = [
    {"name": "implement", "role": "coder", "gates": [{"checks": {}}], "prompt": "Do ${{ task.prompt }}, in full."},
    {"name": "merge", "merge": {}},
]


def bench(system: str, stages: list[dict[str, Any]] | None = None, world: worlds.World | None = None) -> worlds.Bench:
    made = worlds.Bench(world=world or worlds.World())
    made.give(*builders.catalogue(stages), builders.admitted("Role", "coder", {"system": system}, generation=2))
    made.give(builders.project(), builders.task(title="Login"))
    return made


def of(made: worlds.Bench, kind: type[actions.Effect]) -> list[Any]:
    return [effect for effect in made.world.done if isinstance(effect, kind)]


def test_a_stage_without_templates_has_no_such_step() -> None:
    made = bench("You write code. {{ not }} a template.")
    assert of(made, actions.RenderPrompt) == []
    assert of(made, actions.RunAgent)[0].prompt.startswith("You write code. {{ not }} a template.\n\nFix the login.")


def test_a_tasks_own_prompt_is_never_a_template() -> None:
    made = builders.bench(builders.project(), builders.task(prompt="Explain ${{ github.ref }}."))
    assert of(made, actions.RenderPrompt) == []
    assert "Explain ${{ github.ref }}." in of(made, actions.RunAgent)[0].prompt


def test_templates_are_rendered_before_the_session_and_the_agent_gets_the_result() -> None:
    made = bench("You are in ${{ project.name }}.", STAGES)
    (rendering,) = of(made, actions.RenderPrompt)
    assert dict(rendering.texts) == {
        "system of role coder": "You are in ${{ project.name }}.",
        "prompt of stage implement": "Do ${{ task.prompt }}, in full.",
    }
    assert json.loads(rendering.roots) == {
        "task": {
            "name": "fix",
            "namespace": "default",
            "title": "Login",
            "prompt": "Fix the login.\n\nWith a test.",
            "labels": {},
        },
        "project": {"name": "shop"},
        "params": {},
        "stages": {},
        "feedback": "",
    }
    (run,) = of(made, actions.RunAgent)
    assert run.prompt == "You are in < project.name >.\n\nDo < task.prompt >, in full.\n"
    order = [type(one.event).__name__ for one in made.log]
    assert order.index("PromptRendered") < order.index("SessionCreated")
    assert builders.body(made, TASK)["status"]["summary"] == "Merged"


def test_the_plan_is_pinned_as_it_was_written() -> None:
    (started,) = bench("You are in ${{ project.name }}.").recorded(events.TaskStarted)
    assert isinstance(started, events.TaskStarted)
    assert started.plan.stages[0].system == "You are in ${{ project.name }}."


def test_only_the_texts_with_expressions_are_rendered() -> None:
    made = bench("You write code.", STAGES)
    assert [name for name, _ in of(made, actions.RenderPrompt)[0].texts] == ["prompt of stage implement"]
    assert of(made, actions.RunAgent)[0].prompt.startswith("You write code.\n\nDo < task.prompt >")


def test_it_happens_once_in_each_cycle_with_the_feedback_of_that_cycle() -> None:
    world = worlds.World(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0)
    made = bench("Hi ${{ task.name }}.", world=world)
    renderings = of(made, actions.RenderPrompt)
    feedback = [json.loads(one.roots)["feedback"] for one in renderings]
    assert len(renderings) == 3
    assert feedback[0] == ""
    assert "output of" in feedback[1]
    assert len(of(made, actions.RunAgent)) == 3
    digests = made.recorded(events.PromptRendered)
    assert len({one.digest for one in digests if isinstance(one, events.PromptRendered)}) == 1


def test_feedback_that_a_template_has_placed_is_not_told_twice() -> None:
    class Placing(worlds.World):
        def execute(self, action: actions.Action) -> list[events.Event]:
            if not isinstance(action.do, actions.RenderPrompt):
                return super().execute(action)
            said = json.loads(action.do.roots)["feedback"]
            texts = tuple((name, f"Last time: {said}") for name, _ in action.do.texts)
            return [events.PromptRendered(action.object, action.key, digest="d", texts=texts)]

    made = bench(
        "Last time: ${{ feedback }}",
        world=Placing(exits=lambda effect: 1 if isinstance(effect, actions.RunCheck) else 0),
    )
    sessions = made.recorded(events.SessionCreated)
    prompt = sessions[1].prompt if isinstance(sessions[1], events.SessionCreated) else ""
    assert prompt.count("output of") == 1
    assert "Your earlier work" not in prompt


def test_a_template_that_cannot_be_rendered_fails_the_task_with_what_was_said() -> None:
    said = "system of role coder: there is no `nmae` here; there is: labels, name"
    world = worlds.World(fail=lambda effect: f"permanent: {said}" if isinstance(effect, actions.RenderPrompt) else "")
    made = bench("Hi ${{ task.nmae }}.", world=world)
    task = made.object(TASK).task
    assert task is not None
    assert task.ended is not None
    assert (task.ended.outcome, task.ended.reason, task.ended.message) == ("Failed", "RenderPromptFailed", said)
    assert of(made, actions.RunAgent) == [], "the raw text is never used instead"


def test_a_worker_that_could_not_be_started_is_tried_again() -> None:
    tries: list[actions.Effect] = []

    def once(effect: actions.Effect) -> str:
        if isinstance(effect, actions.RenderPrompt):
            tries.append(effect)
            return "transient: busy" if len(tries) == 1 else ""
        return ""

    made = bench("Hi ${{ task.name }}.", world=worlds.World(fail=once))
    made.wait(60.0)
    assert tries[0] == tries[1]
    assert builders.body(made, TASK)["status"]["summary"] == "Merged"
