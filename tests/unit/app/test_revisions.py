"""A ref whose head must be signed: what is not well signed is not taken up, and what was stays in force (GIT-1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchctl.adapters import manifests
from orchctl.adapters.gitsource import repository, signatures, source
from orchctl.app import admission, revisions
from orchctl.core import events, runtime, sources
from orchctl.core.ids import SOURCE, Key, Oid
from orchctl.core.state import SourceState, State
from tests.unit.app.control import BUILTIN, role
from tests.unit.app.test_source_settings import settings
from tests.unit.gitsource import signing

SIGNED = settings("{verify: Head}")
OPEN = settings("{}")
FILE = "manifests/settings.yaml"


class Scene:
    def __init__(self, folder: Path) -> None:
        self.repo = signing.Signed(folder / "control")
        self.ann, self.eve = signing.ssh_key(folder, "ann"), signing.ssh_key(folder, "eve")
        control = repository.ControlRepo.open(self.repo.folder)
        signatures.pin(control, signing.signers(folder, ann=self.ann), folder / "pinned")
        self.signed = signatures.Signatures(control, folder / "pinned")
        self.machine = runtime.Runtime(State())
        self.turns = 0.0
        self.builtins: tuple[manifests.Document, ...] = ()
        self.restart()

    def restart(self) -> None:
        git = source.GitSource(self.repo.folder, signing.MAIN)
        heads = revisions.Revisions(git, self.signed, clock=lambda: self.turns)
        self.admission = admission.Admission(git, "0" * 32, self.builtins, heads=heads)

    def look(self) -> list[events.Event]:
        found = self.admission.facts(self.machine.state)
        self.turns += 60.0
        self.machine.step(found, events.Now(at=1_800_000_000.0 + self.turns, t=self.turns))
        assert self.admission.facts(self.machine.state) == [], "said once"
        return found

    def commit(self, text: str, key: Path | None, path: str = "manifests/a.yaml") -> str:
        commit = self.repo.commit(text, key, path=path)
        self.look()
        return commit

    @property
    def in_force(self) -> Oid | None:
        revision = self.machine.state.revision
        return revision.commit if revision is not None else None

    @property
    def told(self) -> SourceState:
        return revisions.told_of(self.machine.state)

    def condition(self, type_: str) -> tuple[str, str, str]:
        obj = self.machine.state.objects[SOURCE]
        found = next(one for one in obj.conditions if one.type == type_)
        return found.status, found.reason, found.message

    def spec(self, name: str = "a") -> str:
        desired = self.machine.state.objects[Key(f"Role/default/{name}")].desired
        return desired.spec if desired is not None else ""


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_git_1_an_unsigned_head_is_not_taken_up_and_is_named(scene: Scene) -> None:
    scene.commit(role("a", "First."), scene.ann)
    good = scene.commit(SIGNED, scene.ann, FILE)
    assert scene.condition("SourceVerified")[:2] == ("True", "SignatureGood")
    for key, reason in ((None, "it is not signed"), (scene.eve, "which no allowed signer has")):
        bad = scene.commit(role("a", f"Bad {reason}."), key)
        assert scene.in_force == good
        assert "First." in scene.spec()
        status, word, message = scene.condition("SourceVerified")
        assert (status, word) == ("False", "SignatureInvalid")
        assert bad[:12] in message
        assert reason in message
        assert scene.condition("Ready")[0] == "False"
        assert scene.condition("Stalled")[0] == "True"
        because = scene.machine.state.objects[SOURCE].because
        assert because is not None
        assert bad[:12] in because.text
    fixed = scene.commit(role("a", "Second."), scene.ann)
    assert scene.in_force == fixed
    assert "Second." in scene.spec()
    assert scene.condition("Ready")[0] == "True"
    assert "ann@example.com" in scene.told.signer


def test_git_1_the_last_good_revision_stays_through_restarts_and_gc(scene: Scene) -> None:
    scene.commit(role("a", "First."), scene.ann)
    good = scene.commit(SIGNED, scene.ann, FILE)
    scene.repo.git("rm", "-q", "-r", "manifests")
    scene.commit("nothing\n", None, "README")
    scene.restart()
    assert scene.look() == []
    assert scene.in_force == good
    scene.repo.git("checkout", "-q", "--orphan", "other")
    scene.repo.commit("other\n", None, path="README")
    scene.repo.git("branch", "-q", "-f", "main", "other")
    scene.repo.git("reflog", "expire", "--expire=now", "--all")
    scene.repo.git("gc", "-q", "--prune=now")
    scene.look()
    scene.restart()
    scene.look()
    assert "First." in scene.spec(), "what is in the ledger stays in force when the commit itself is gone"
    assert scene.machine.state.blocked is None


def test_git_1_what_turns_it_off_must_be_signed(scene: Scene) -> None:
    scene.commit(role("a"), scene.ann)
    good = scene.commit(SIGNED, scene.ann, FILE)
    scene.commit(OPEN, None, FILE)
    assert scene.in_force == good
    scene.repo.git("rm", "-q", FILE)
    scene.commit(role("a", "Without."), None)
    assert scene.in_force == good, "nor does removing the Settings turn it off"
    scene.restart()
    scene.look()
    assert scene.in_force == good
    scene.commit(settings("{verify: Nonsense}"), scene.eve, FILE)
    assert scene.in_force == good
    scene.commit(settings("{verify: Nonsense}"), scene.ann, FILE)
    bad = scene.commit(role("a", "While they cannot be read."), None)
    assert scene.in_force != bad, "Settings that are broken by a good commit leave the last ones in force"
    scene.commit(OPEN, scene.ann, FILE)
    assert scene.commit(role("a", "Open."), None) == scene.in_force


def test_git_1_what_turns_it_on_must_be_signed_too(scene: Scene) -> None:
    """Else the first commit after it would be the first that is refused, with nobody able to sign it."""
    before = scene.commit(role("a", "First."), None)
    bad = scene.commit(SIGNED, None, FILE)
    assert scene.in_force == before
    assert scene.told.refused == bad
    assert sources.SETTINGS not in scene.machine.state.objects
    scene.restart()
    assert scene.look() == []
    assert scene.in_force == before
    assert "First." in scene.spec()
    scene.repo.git("reset", "-q", "--hard", before)
    scene.look()
    assert scene.told.refused is None
    assert scene.condition("Ready")[0] == "True"
    good = scene.commit(SIGNED, scene.ann, FILE)
    assert scene.in_force == good


def test_git_1_the_very_first_commit_may_be_refused(scene: Scene) -> None:
    scene.builtins = BUILTIN
    scene.restart()
    scene.commit(SIGNED, scene.eve, FILE)
    assert scene.in_force is None
    assert set(scene.machine.state.objects) == {SOURCE, Key("Role/default/coder")}, "what is built in does not wait"
    scene.commit(role("a"), scene.ann)
    assert scene.in_force is not None
    assert "ann@example.com" in scene.told.signer


def test_git_6_set_back_to_the_commit_in_force_is_well_again(scene: Scene) -> None:
    scene.commit(role("a"), scene.ann)
    good = scene.commit(SIGNED, scene.ann, FILE)
    scene.commit(role("a", "Bad."), None)
    assert scene.told.refused is not None
    scene.repo.git("reset", "-q", "--hard", good)
    scene.look()
    assert scene.told.refused is None
    assert scene.condition("SourceVerified")[0] == "True"


def test_git_6_set_back_to_a_commit_from_before_it_was_asked_for_is_refused(scene: Scene) -> None:
    before = scene.commit(role("a", "Before."), None)
    good = scene.commit(SIGNED, scene.ann, FILE)
    scene.repo.git("reset", "-q", "--hard", before)
    scene.look()
    assert scene.in_force == good
    assert scene.told.refused == before


def test_a_refusal_is_judged_again_when_signers_may_have_been_added(scene: Scene, tmp_path: Path) -> None:
    scene.commit(SIGNED, scene.ann, FILE)
    bad = scene.commit(role("a"), scene.eve)
    assert scene.told.refused == bad
    both = signing.signers(tmp_path, ann=scene.ann, eve=scene.eve)
    signatures.pin(repository.ControlRepo.open(scene.repo.folder), both, tmp_path / "pinned")
    scene.turns += revisions.AGAIN_S
    scene.look()
    assert scene.in_force == bad


def test_git_1_a_commit_that_changes_no_manifest_needs_no_signature(scene: Scene) -> None:
    """The work that lands in a control repo is committed by the controller, which signs nothing."""
    scene.commit(role("a"), scene.ann)
    good = scene.commit(SIGNED, scene.ann, FILE)
    scene.commit("work\n", None, "src/main.py")
    assert (scene.in_force, scene.told.refused) == (good, None)
    scene.restart()
    assert scene.look() == []
    bad = scene.commit(role("b"), None, "manifests/b.yaml")
    assert (scene.in_force, scene.told.refused) == (good, bad)
    scene.repo.git("rm", "-q", "manifests/b.yaml")
    scene.commit("more\n", None, "src/main.py")
    assert (scene.in_force, scene.told.refused) == (good, None), "it is as it was again"
