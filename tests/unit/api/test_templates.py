"""What may stand in a template and what is said of the rest, at which character."""

import pytest

from orchctl.adapters.templates import worker
from orchctl.api import registry, schema, templated, templates


def said(text: str) -> list[tuple[int, str]]:
    return [(flaw.offset, flaw.message) for flaw in templates.check(text)]


@pytest.mark.parametrize(
    "text",
    [
        "no expression, {{ nor }} {% this %} {# here #} $ {{",
        "Do ${{ task.title }} in ${{project.name}}.",
        "${{ task.labels['app.kubernetes.io/name'] }} ${{ params.list[0] }} ${{ params.list.0 }}",
        "${{ feedback | default('nothing', true) | truncate(200) | upper }}",
        "${{ task.name ~ ': ' ~ task.title }}",
        "${{ 'again' if feedback else 'first' }}",
        "${{ task.name == 'a' and not (params.n >= 3 or 'x' in task.labels) }}",
        "${{ stages.plan is defined }} ${{ diff is not none }}",
        "${{ task.tags|join(',\\n') }} ${{ 'it\\'s' }}",
        "${{ '${{' }} and ${{ '}}' }}",
        "${{\n  task.name\t}}",
    ],
)
def test_what_a_template_may_be(text):
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("a ${{ tsk.name }}", 6, "must be a value that templates have; 'tsk' is none, did you mean 'task'?"),
        ("${{ task.__class__ }}", 9, "must be a name that begins with a letter, not '__class__'"),
        ("${{ task['_x'] }}", 8, "must have a key in [ ] that does not begin with '_'"),
        ("${{ task[task] }}", 8, "must have a text or a whole number in [ ]"),
        ("${{ task[true] }}", 8, "must have a text or a whole number in [ ]"),
        ("${{ task.items() }}", 14, "must not use a call in an expression"),
        ("${{ task|uper }}", 9, "must be a known filter; 'uper' is none, did you mean 'upper'?"),
        ("${{ task|replace('a') }}", 9, "must give filter 'replace' 2 arguments"),
        ("${{ task|upper(1) }}", 9, "must give filter 'upper' 0 arguments"),
        ("${{ task is odd }}", 12, "must be a known test; 'odd' is none"),
        ("${{ [task] }}", 4, "must not use a list in an expression"),
        ("${{ task, task }}", 4, "must be one expression: `,` cannot follow"),
        ("${{ 2 * 3 }}", 6, "must not have `*` in an expression"),
        ("${{ 'a' + 'b' }}", 8, "must not have `+` in an expression; texts are joined with `~`"),
        ("${{ 1.5 }}", 4, "must be a text, a whole number, true, false or none"),
        ("${{ 1234567 }}", 4, "must not have a number of more than 6 digits"),
        ("${{ 1e9 }}", 4, "must be a whole number in digits, or a text in quotes"),
        ("${{ 'a\\x41' }}", 4, "must be a text closed with the same quote"),
        ("ab ${{ task", 3, "must be closed with `}}`; to have it in the text as it is, write ${{ '${{' }}"),
        ("${{ }}", 0, "must not be empty: name a value between `${{` and `}}`"),
        ("${{ task == }}", 4, "must be an expression: unexpected 'end of template'"),
        ("${{ '" + "x" * 4097 + "' }}", 4, "must not have a text of more than 4096 characters in it"),
        ("${{ " + "(" * 17 + "task" + ")" * 17 + " }}", 20, "must not have more than 16 brackets open at once"),
        ("${{ task" + ".a" * 24 + " }}", 4, "must not be nested deeper than 24 levels"),
        ("${{ task" + ".a" * 100 + " }}", 207, "must have at most 200 words and signs in one expression"),
        ("${{ task }}" * 101, 1100, "must have at most 100 expressions"),
        ("ü" * 32_769, 0, "must be at most 64 KiB to be a template"),
    ],
)
def test_what_it_may_not_be(text, offset, message):
    (found,) = said(text)
    assert (found[0], found[1][: len(message)]) == (offset, message)


def test_all_flaws_are_told_in_order_of_place():
    assert [offset for offset, _ in said("${{ foo }} ${{ 3*3 }} ${{ bar ~ baz }} ${{ task.name }} ${{ x")] == [
        4, 16, 26, 32, 56,
    ]  # fmt: skip


def test_an_expression_ends_at_the_first_closing_braces_outside_a_text():
    (first, second) = templates.expressions("a${{ '}}' }}b${{ task }}")
    assert (first.offset, first.end, first.source) == (1, 12, " '}}' ")
    assert second.source == " task "


def test_the_worker_knows_what_the_check_lets_through():
    assert {*worker.FILTERS_OF_JINJA, "tojson"} == set(templates.FILTERS)
    assert set(worker.TESTS_OF_JINJA) == set(templates.TESTS)


@pytest.mark.parametrize("kind", registry.MODELS)
def test_template_fields_are_fields_of_their_kinds(kind: str):
    for path in templated.template_fields(kind):
        field = path[: -1 if path[-1] == templated.EACH else None]
        parent = [0 if part == templated.EACH else part for part in field[:-1]]
        assert field[-1] in schema.known_fields(kind, parent)


def test_nothing_of_a_task_is_a_template():
    assert templated.template_fields("Task") == ()
    assert templated.template_fields("Role") == (("spec", "system"),)


def test_what_is_looked_up_is_told_with_its_place():
    text = "${{ params.a }} ${{ stages['b-c'].output | default(params[\"d\"]) }} ${{ task.params.x ~ 'params.y' }}"
    found = templates.lookups(text, ("params", "stages"))
    assert [(root, token.text, text[token.offset :][:3]) for token, root in found] == [
        ("params", "a", "a }"),
        ("stages", "b-c", "'b-"),
        ("params", "d", '"d"'),
    ]


def test_only_texts_with_an_expression_are_templates():
    stages = [{"prompt": "plain"}, {}, {"prompt": "${{ task.name }}"}, {"prompt": 3}]
    assert list(templated.templates_of("Pipeline", {"spec": {"stages": stages}})) == [
        (("spec", "stages", 2, "prompt"), "${{ task.name }}")
    ]
    assert list(templated.templates_of("Pipeline", {"spec": {"stages": {"prompt": "${{"}}})) == []
    assert list(templated.templates_of("Task", {"spec": {"prompt": "${{ task.name }}"}})) == []
