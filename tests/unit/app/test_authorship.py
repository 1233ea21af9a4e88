"""Who said what: the author of the commit that last changed the file, recorded as a claim (APP-2)."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from orchctl.adapters.gitsource import repository
from orchctl.app import authorship
from orchctl.core import events
from orchctl.core.judgements import Principal
from tests.unit.app import control


def task(name: str, prompt: str = "Fix it.") -> str:
    head = "apiVersion: orchctl.dev/v1alpha1\nkind: Task\n"
    return f"{head}metadata: {{name: {name}}}\nspec: {{prompt: {prompt}}}\n"


class Authored(control.Control):
    def by(self, monkeypatch: pytest.MonkeyPatch, email: str, files: dict[str, str]) -> None:
        monkeypatch.setattr(control, "WHO", pygit2.Signature("Somebody", email, 1_700_000_000, 0))
        self.commit(files)

    def told(self) -> dict[str, Principal | None]:
        """By name of the task; taken in as the controller does."""
        wrapped = authorship.Attributed(self.admission, repository.ControlRepo.open(self.repo.path))
        facts = wrapped.facts(self.machine.state)
        self.machine.step(facts, events.Now(at=1_800_000_000.0, t=float(self.turns)))
        self.turns += 1
        return {one.key.rpartition("/")[2]: one.principal for one in facts if isinstance(one, events.ObjectAdmitted)}


def names(told: dict[str, Principal | None]) -> dict[str, str]:
    return {name: by.name if by is not None else "" for name, by in told.items()}


def test_app_2_each_file_is_by_whoever_changed_it_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Authored(tmp_path)
    made.by(monkeypatch, "Ann@Example.com", {"a.yaml": task("a"), "b.yaml": task("b")})
    made.by(
        monkeypatch, "bob@example.com", {"a.yaml": task("a"), "b.yaml": task("b", "Other."), "sub/c.yaml": task("c")}
    )
    made.by(
        monkeypatch, "eve@example.com", {"a.yaml": task("a"), "b.yaml": task("b", "Other."), "sub/c.yaml": task("c")}
    )
    told = made.told()
    assert names(told) == {"a": "ann@example.com", "b": "bob@example.com", "c": "bob@example.com"}
    assert not any(by.verified for by in told.values() if by is not None), "an author is a claim"
    made.by(monkeypatch, "eve@example.com", {"a.yaml": task("a", "Evil."), "b.yaml": task("b", "Other.")})
    assert names(made.told()) == {"a": "eve@example.com"}
    assert made.machine.state.objects["Task/default/a"].principal == Principal(  # type: ignore[index]
        "eve@example.com",
        commit=str(made.repo.references[control.MAIN].target),  # type: ignore[arg-type]
    )


def test_app_2_moving_a_text_is_not_saying_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Authored(tmp_path)
    made.by(monkeypatch, "ann@example.com", {"a.yaml": task("a")})
    made.told()
    made.by(monkeypatch, "eve@example.com", {"z.yaml": "# mine\n" + task("a")})
    made.told()
    principal = made.machine.state.objects["Task/default/a"].principal  # type: ignore[index]
    assert principal is not None
    assert principal.name == "ann@example.com"


def test_app_2_beyond_the_bound_nobody_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Authored(tmp_path)
    monkeypatch.setattr(authorship, "COMMITS_WALKED_MAX", 2)
    for number in range(4):
        made.by(monkeypatch, "ann@example.com", {"a.yaml": task("a"), "n.yaml": task(f"n{number}")})
    assert names(made.told()) == {"a": "", "n3": "ann@example.com"}


def test_git_6_after_a_rewritten_history_everybody_is_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Authored(tmp_path)
    files = {"a.yaml": task("a"), "b.yaml": task("b")}
    made.by(monkeypatch, "ann@example.com", files)
    made.told()
    monkeypatch.setattr(control, "WHO", pygit2.Signature("Somebody", "eve@example.com", 1_700_000_000, 0))
    made.commit(files, amend=True)
    made.told()
    told = {name: made.machine.state.objects[f"Task/default/{name}"].principal for name in "ab"}  # type: ignore[index]
    assert names(told) == {"a": "eve@example.com", "b": "eve@example.com"}
