"""Faults inside templates, told at admission where they stand in the file (GIT-4)."""

import pytest

from orchctl.adapters import manifests

ROLE = "apiVersion: orchctl.dev/v1alpha1\nkind: Role\nmetadata: {name: a}\nspec:\n"
TSK = "must be a value that templates have; 'tsk' is none, did you mean 'task'? [template]"


def said(text: str) -> list[str]:
    return [str(problem) for problem in manifests.parse(text.encode(), "a.yaml").problems]


def test_a_fault_in_a_line_of_a_block_is_told_there():
    text = f"{ROLE}  system: |\n    You write code.\n\n      For ${{{{ tsk.name }}}}: ${{{{ 3*3 }}}}\n"
    assert said(text) == [
        f"a.yaml:8:15: error: spec.system: {TSK}",
        "a.yaml:8:33: error: spec.system: must not have `*` in an expression [template]",
    ]


def test_a_fault_in_one_line_is_told_there_however_it_is_quoted():
    for quote in ("", "'", '"'):
        column = 21 + len(quote)
        assert said(f"{ROLE}  system: {quote}for ${{{{ tsk }}}} é{quote}\n") == [
            f"a.yaml:5:{column - 2}: error: spec.system: {TSK}"
        ]


def test_where_yaml_changes_the_text_the_field_is_told():
    assert said(f"{ROLE}  system: >\n    for\n    ${{{{ tsk }}}}\n") == [f"a.yaml:5:11: error: spec.system: {TSK}"]
    assert said(f'{ROLE}  system: "\\u0041 ${{{{ tsk }}}}"\n') == [f"a.yaml:5:11: error: spec.system: {TSK}"]
    anchored = f"{ROLE}  system: &x |\n    ${{{{ tsk }}}}\n"
    assert said(anchored) == [f"a.yaml:5:11: error: spec.system: {TSK}"]


def test_the_place_is_right_behind_a_document_that_cannot_be_read():
    text = f"a: [\n---\n{ROLE}  system: |-\n   ${{{{ tsk }}}}"
    assert said(text)[1] == f"a.yaml:8:8: error: spec.system: {TSK}"


def test_stage_prompts_are_templates_and_task_prompts_are_not():
    stages = "  stages:\n  - {name: a, role: coder, prompt: ok}\n  - {name: b, role: coder, prompt: 'x ${{ tsk }}'}\n"
    assert said(ROLE.replace("Role", "Pipeline") + stages) == [f"a.yaml:7:43: error: spec.stages[1].prompt: {TSK}"]
    assert said(f"{ROLE.replace('Role', 'Task')}  prompt: Explain ${{{{ github.ref }}}} to me, and ${{{{ this\n") == []


STAGE = "{name: b, role: coder, prompt: PROMPT}"
PIPELINE = """\
  params: [{name: ticket}]
  stages:
  - {name: first, role: coder}
  - STAGE
  - {name: last, role: coder}
  finally: [{name: end, role: coder, prompt: FINALLY}, {name: ever, role: coder}]
"""
HEAD = ROLE.replace("Role", "Pipeline")


def pipeline(prompt: str, last: str = "x", stage: str = STAGE) -> str:
    written = PIPELINE.replace("STAGE", stage).replace("PROMPT", f'"{prompt}"').replace("FINALLY", f'"{last}"')
    return HEAD + written


@pytest.mark.parametrize(
    "stage",
    [
        STAGE,
        "{name: b, panel: {members: [{name: m, role: reader, prompt: PROMPT}]}}",
        "{name: b, tasks: {forEach: {items: [x]}, template: {spec: {title: PROMPT}}}}",
        "{name: b, tasks: {forEach: {items: [x]}, template: {spec: {prompt: PROMPT}}}}",
        "{name: b, tasks: {forEach: {items: [x]}, template: {spec: {params: {a: PROMPT}}}}}",
        "{name: b, tasks: {forEach: {items: [x]}, template: {spec: {touches: [PROMPT]}}}}",
        "{name: b, tasks: {forEach: {items: [x]}, template: {spec: {sparse: [PROMPT]}}}}",
        "{name: b, tasks: {forEach: {items: [x]}, template: {metadata: {annotations: {a: PROMPT}}}}}",
    ],
)
def test_git_3_a_name_the_pipeline_does_not_have_is_told_in_every_field_with_its_place(stage):
    good = "${{ params.ticket }} ${{ stages.first.output.x }} ${{ stages['first'].outcome }} ${{ item }}"
    assert said(pipeline(good, stage=stage)) == []
    for written, message in {
        "params.tickets": "a parameter the pipeline declares; 'tickets' is none, did you mean 'ticket'?",
        "params.colour": "a parameter the pipeline declares; 'colour' is none: there is ticket",
        "stages.frist.output": "an earlier stage; 'frist' is none, did you mean 'first'?",
        "stages.b.output": "an earlier stage; 'b' is none: there is first",
        "stages['last'].output": "an earlier stage; 'last' is none",
    }.items():
        (problem,) = said(pipeline(f"é ${{{{ task.name }}}} ${{{{ {written} }}}}", stage=stage))
        place, field, text = problem.split(": ", 3)[0], problem.split(": ")[2], problem.split(": ", 3)[3]
        line = pipeline("@", stage=stage).split("\n")[7]
        column = line.index("@") + len("é ${{ task.name }} ${{ stages.") + 1
        assert place == f"a.yaml:8:{column}"
        assert field.startswith("spec.stages[1].")
        assert text.startswith(f"must be {message}")
        assert text.endswith("[template]")


def test_what_runs_at_the_end_knows_all_stages():
    assert said(pipeline("x", last="${{ stages.last.outcome }} ${{ stages.first.outcome }}")) == []
    (problem,) = said(pipeline("x", last="${{ stages.ever.outcome }}"))
    assert "spec.finally[0].prompt: must be an earlier stage; 'ever' is none" in problem


@pytest.mark.parametrize("kind", ["Trigger", "Milestone"])
def test_what_makes_tasks_has_templates_in_their_strings(kind):
    spec = "interval: {every: 6h}" if kind == "Trigger" else "documents: [docs/*.md]"
    text = f"{ROLE.replace('Role', kind)}  {spec}\n  template: {{spec: {{prompt: x, title: 'At ${{{{ NAME }}}}'}}}}\n"
    assert said(text.replace("NAME", "trigger.time")) == []
    assert said(text.replace("NAME", "tsk")) == [f"a.yaml:6:47: error: spec.template.spec.title: {TSK}"]


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        ("orch/${{ task.name }}", None),
        ("${{ project.name }}/${{ task.labels['a b'] | default('x') }}-1", None),
        ("orch/fixed", None),
        ("orch/${{ tsk }}", TSK),
        ("orch/ ${{ task.name }}", "must be a branch name that git accepts, but for its `${{ }}` [bad_format]"),
        ("${{ task.name }}.lock", "must be a branch name that git accepts, such as 'main' or 'release/1' [bad_format]"),
        ("a..${{ task.name }}", "must be a branch name that git accepts, such as 'main' or 'release/1' [bad_format]"),
        ("orch/${{ task.name", "must be a branch name that git accepts, but for its `${{ }}` [bad_format]"),
    ],
)
def test_the_branch_of_a_project_is_a_template_of_a_branch(branch, message):
    found = said(f'{ROLE.replace("Role", "Project")}  guardrails: {{branch: "{branch}"}}\n')
    assert [each.partition("spec.guardrails.branch: ")[2] for each in found] == ([message] if message else [])


def test_a_template_without_a_fault_is_kept_as_it_is_written():
    loaded = manifests.parse(f"{ROLE}  system: For ${{{{ task.title | upper }}}}\n".encode(), "a.yaml")
    assert loaded.problems == ()
    assert '"system":"For ${{ task.title | upper }}"' in loaded.documents[0].spec_json
