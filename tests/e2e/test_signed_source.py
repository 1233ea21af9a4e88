"""A control repo whose commits must be signed, as a person uses it (GIT-1, APP-2)."""

from __future__ import annotations

from tests.e2e import sandbox
from tests.unit.gitsource import signing

SETTINGS = (
    "apiVersion: orchctl.dev/v1alpha1\nkind: Settings\nmetadata: {name: default}\nspec: {source: {verify: Head}}\n"
)


def test_app_2_only_signed_commits_are_done_and_the_others_are_explained(box: sandbox.Sandbox) -> None:
    key = signing.ssh_key(box.root, "ann")
    signers = signing.signers(box.root, ann=key)
    box.git("config", "gpg.format", "ssh")
    box.git("config", "user.signingKey", str(key))
    box.write("manifests/settings.yaml", SETTINGS)
    box.git("add", "-A")
    box.git("commit", "-q", "-S", "-m", "Ask for signatures")
    inside = box.repo / "signers"
    inside.write_text(signers.read_text())
    refused = box.python("-m", "orchctl", "controller", "--allowed-signers", "signers", "--until-idle")
    assert refused.returncode == 2
    assert "is in the control repo" in refused.stderr
    inside.unlink()
    box.orchctl("controller", "--allowed-signers", str(signers), "--until-idle")
    signers.unlink()
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX))
    bad = box.commit("Ask unsigned")
    with box.controller():
        sandbox.until(lambda: bad[:12] in box.orchctl("why", "source/control"), "the refusal is explained")
        assert "SignatureInvalid" in box.orchctl("describe", "source/control")
        assert "Refused" in box.orchctl("get", "source")
        assert box.seen("Task", "fix") == {}
        box.git("commit", "-q", "-S", "--amend", "--no-edit")
        box.until_summary("fix", "Merged")
        assert box.git("log", "-1", "--format=%G?") == "N"
        box.write("note.txt", "Not signed, and no manifest.\n")
        box.commit("Note")
        box.write("manifests/second.yaml", sandbox.task("write second.txt x", name="second"))
        box.git("add", "-A")
        box.git("commit", "-q", "-S", "-m", "Ask again")
        box.until_summary("second", "Merged")
        assert "Ready" in box.orchctl("get", "source"), "what was landed needs no signature"
    assert "SignatureInvalid" in box.orchctl("events", "-A")
