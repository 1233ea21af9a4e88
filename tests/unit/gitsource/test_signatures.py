"""Who has signed a commit, with real keys of ssh and gpg, and every way around it that we know of (APP-2, GIT-1)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest

from orchctl.adapters.gitsource import repository, signatures
from orchctl.core.ids import Oid
from orchctl.core.ports import PermanentError
from tests.unit.gitsource import signing


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = signing.Signed(folder / "control")
        self.ann, self.eve = signing.ssh_key(folder, "ann"), signing.ssh_key(folder, "eve")
        self.pinned = folder / "pinned"
        self.give(signing.signers(folder, ann=self.ann))

    @property
    def control(self) -> repository.ControlRepo:
        return repository.ControlRepo.open(self.repo.folder)

    def give(self, file: Path) -> None:
        signatures.pin(self.control, file, self.pinned)

    def judge(self, commit: str) -> signatures.Verdict:
        return signatures.Signatures(self.control, self.pinned).judge(Oid(commit))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def gpg_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="g") as folder, signing.keyring(Path(folder) / "g") as home:
        yield home


def test_app_2_a_commit_of_an_allowed_signer_is_good_and_says_who(scene: Scene) -> None:
    verdict = scene.judge(scene.repo.commit("one", scene.ann))
    assert verdict.good, verdict.reason
    assert verdict.signer.startswith("ann@example.com (SHA256:")


def test_app_2_unsigned_and_unknown_are_refused_whatever_the_author_says(scene: Scene) -> None:
    author = {"GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_EMAIL": "ann@example.com"}
    unsigned = scene.judge(scene.repo.commit("one", **author))
    assert (unsigned.good, unsigned.reason) == (False, "it is not signed")
    unknown = scene.judge(scene.repo.commit("two", scene.eve, **author))
    assert not unknown.good
    assert "which no allowed signer has" in unknown.reason


def test_app_2_a_signature_of_another_commit_is_bad(scene: Scene) -> None:
    signed = scene.repo.commit("one", scene.ann)
    raw = scene.repo.git("cat-file", "commit", signed)
    forged = pygit2.Repository(str(scene.repo.folder)).write(
        pygit2.enums.ObjectType.COMMIT, raw.replace("\n\none", "\n\nanother").encode() + b"\n"
    )
    verdict = scene.judge(str(forged))
    assert not verdict.good
    assert "bad" in verdict.reason


def test_app_2_a_signature_for_another_purpose_is_bad(scene: Scene) -> None:
    """The same key and the same bytes, signed as a file and not as a commit."""
    plain = scene.repo.git("cat-file", "commit", scene.repo.commit("one")) + "\n"
    (scene.folder / "payload").write_text(plain)
    signing.run(scene.folder, "ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(scene.ann), "payload")
    signature = (scene.folder / "payload.sig").read_text().rstrip("\n").replace("\n", "\n ")
    head, _, message = plain.partition("\n\n")
    made = pygit2.Repository(str(scene.repo.folder)).write(
        pygit2.enums.ObjectType.COMMIT, f"{head}\ngpgsig {signature}\n\n{message}".encode()
    )
    assert not scene.judge(str(made)).good


def test_app_2_a_replaced_object_is_judged_and_read_as_itself(scene: Scene) -> None:
    good = scene.repo.commit("one", scene.ann)
    bad = scene.repo.commit("two")
    scene.repo.git("replace", bad, good)
    assert scene.repo.git("show", "-s", "--format=%s", bad) == "one", "git itself is taken in"
    assert not scene.judge(bad).good
    scene.repo.git("replace", "-d", bad)
    scene.repo.git("replace", good, bad)
    assert scene.judge(good).good


def test_app_2_a_signed_tag_is_no_signature_of_the_commit(scene: Scene) -> None:
    unsigned = scene.repo.commit("one")
    how = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={scene.ann}")
    scene.repo.git(*how, "tag", "-s", "-m", "release", "v1", unsigned)
    found = scene.control.resolve("refs/tags/v1")
    assert found == unsigned
    assert not scene.judge(unsigned).good


def test_app_2_signers_inside_the_control_repo_are_not_believed(scene: Scene) -> None:
    inside = scene.repo.folder / "allowed_signers"
    signing.signers(scene.repo.folder, eve=scene.eve)
    scene.repo.git("config", "gpg.ssh.allowedSignersFile", str(inside))
    commit = scene.repo.commit("one", scene.eve)
    assert not scene.judge(commit).good, "what was given counts, not what the repo says"
    scene.pinned.unlink()
    verdict = scene.judge(commit)
    assert not verdict.good
    assert "is in the control repo" in verdict.reason
    for way in (inside, scene.folder / "link"):
        if way != inside:
            way.symlink_to(inside)
        with pytest.raises(PermanentError, match="is in the control repo"):
            signatures.pin(scene.control, way, scene.pinned)
    scene.repo.git("worktree", "add", "-q", "-b", "side", str(scene.folder / "side"))
    with pytest.raises(PermanentError, match="is in the control repo"):
        signatures.pin(scene.control, scene.folder / "side/allowed_signers", scene.pinned)


def test_app_2_without_signers_nobody_may_sign_and_the_reason_says_what_to_do(scene: Scene) -> None:
    scene.pinned.unlink()
    verdict = scene.judge(scene.repo.commit("one", scene.ann))
    assert not verdict.good
    assert "--allowed-signers FILE" in verdict.reason
    outside = signing.signers(scene.folder, ann=scene.ann)
    scene.repo.git("config", "--global", "gpg.ssh.allowedSignersFile", str(outside))
    assert scene.judge(scene.repo.git("rev-parse", "HEAD")).good, "the user's own configuration names them"
    scene.repo.git("config", "gpg.ssh.allowedSignersFile", "allowed_signers")
    assert "no absolute path" in scene.judge(scene.repo.git("rev-parse", "HEAD")).reason


def test_app_2_the_repo_cannot_say_which_program_verifies(scene: Scene) -> None:
    says_yes = scene.folder / "yes"
    says_yes.write_text("#!/bin/sh\necho 'Good \"git\" signature for ann@example.com with ED25519 key SHA256:x'\n")
    says_yes.chmod(0o755)
    for name in ("gpg.program", "gpg.ssh.program", "gpg.openpgp.program", "gpg.x509.program"):
        scene.repo.git("config", name, str(says_yes))
    scene.repo.git("config", "log.showSignature", "true")
    assert not scene.judge(scene.repo.commit("one")).good
    scene.repo.git("config", "--unset", "gpg.ssh.program")
    assert not scene.judge(scene.repo.commit("two", scene.eve)).good


def test_app_2_what_was_given_is_a_copy(scene: Scene) -> None:
    signing.signers(scene.folder, ann=scene.ann, eve=scene.eve)
    commit = scene.repo.commit("one", scene.eve)
    assert not scene.judge(commit).good
    scene.give(scene.folder / "allowed_signers")
    assert scene.judge(commit).good
    assert scene.pinned.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "# nobody\n", "ann@example.com\n", None])
def test_signers_that_say_nothing_are_refused_at_once(scene: Scene, content: str | None) -> None:
    file = scene.folder / "bad"
    if content is not None:
        file.write_text(content)
    with pytest.raises(PermanentError, match="bad"):
        scene.give(file)


def test_app_2_a_key_that_has_expired_in_the_file_is_refused(scene: Scene) -> None:
    public = scene.ann.with_name("ann.key.pub").read_text()
    (scene.folder / "old").write_text(f'ann@example.com valid-before="20200101" {public}')
    scene.give(scene.folder / "old")
    assert not scene.judge(scene.repo.commit("one", scene.ann)).good


def test_app_2_gpg_counts_as_far_as_the_keyring_trusts_the_key(scene: Scene, gpg_home: Path) -> None:
    signing.gpg_key(gpg_home, "ann@example.com")
    own = scene.repo.commit("one", "ann@example.com")
    verdict = scene.judge(own)
    assert verdict.good, verdict.reason
    assert "ann@example.com" in verdict.signer
    public = signing.run(gpg_home, "gpg", "--armor", "--export", "ann@example.com")
    with tempfile.TemporaryDirectory(prefix="g") as folder, signing.keyring(Path(folder) / "g") as other:
        unknown = scene.judge(own)
        assert not unknown.good
        assert "not in the keyring" in unknown.reason
        (other / "ann.asc").write_text(public)
        signing.run(other, "gpg", "--batch", "--import", "ann.asc")
        imported = scene.judge(own)
        assert not imported.good, "that a key was fetched from somewhere is no trust"
        assert "does not trust" in imported.reason
