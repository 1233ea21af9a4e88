"""explain: every field of every kind can be asked for, and a wrong one is answered with the right one."""

import pytest

from orchctl.api import kinds
from orchctl.app.read import schemas


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_field_of_every_kind_can_be_explained(kind, orchctl):
    def explain(field, path):
        result = orchctl("explain", ".".join([kinds.KINDS[kind].plural, *path]))
        assert result.code == 0, result.error
        assert f"KIND:     {kind}" in result.output
        assert not path or f"FIELD:    {'.'.join(path)} <" in result.output
        for each in schemas.below(field):
            if len(path) < 4:
                explain(each, [*path, each.name])

    explain(schemas.at(kinds.KINDS[kind], []), [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["taks"], "did you mean 'task"),
        (["task.dependsOn"], "did you mean `task.spec.dependsOn`?"),
        (["task.spec.dependson"], "did you mean `task.spec.dependsOn`?"),
        (["task.spec.prompt.x"], "it has none"),
        (["task.spec.base.x"], "it has branch, session, task"),
        (["task..x"], "has no field ''"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(words, said, orchctl):
    result = orchctl("explain", *words)
    assert result.code == 2
    assert said in result.error


def test_what_is_not_done_yet_and_what_must_hold_is_said(orchctl):
    assert "not supported yet" in orchctl("explain", "task.spec.sparse").output
    assert "supported yet: command, script" in orchctl("explain", "agent.spec.backend").output
    assert "nothing happens because of it" in orchctl("explain", "board").output
    assert "must have exactly one of `branch`, `task` and `session`" in orchctl("explain", "task.spec.base").output


def test_names_alone_are_for_scripts(orchctl):
    assert orchctl("api-resources", "-o", "name").output.splitlines() == sorted(
        f"{row.plural}.orchctl.dev" for row in kinds.KINDS.values()
    )
