"""Faults inside templates, told at admission where they stand in the file (GIT-4)."""

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


def test_a_template_without_a_fault_is_kept_as_it_is_written():
    loaded = manifests.parse(f"{ROLE}  system: For ${{{{ task.title | upper }}}}\n".encode(), "a.yaml")
    assert loaded.problems == ()
    assert '"system":"For ${{ task.title | upper }}"' in loaded.documents[0].spec_json
