"""A prune that was blocked, and what a person says to it (GIT-5): once, for one commit, running controller or not."""

from __future__ import annotations

import json
import pathlib

import pytest

from orchctl.app.read import failures
from tests.e2e import sandbox

ROLE = "apiVersion: orchctl.dev/v1alpha1\nkind: Role\nmetadata: {name: own-%d}\nspec: {system: Write code.}\n"
SETTINGS = (
    "apiVersion: orchctl.dev/v1alpha1\nkind: Settings\nmetadata: {name: default}\n"
    "spec: {source: {prune: {enabled: false}}}\n"
)
COUNT = 12
TOKEN = "01JD0000000000000000000000"


@pytest.fixture
def blocked(box: sandbox.Sandbox) -> str:
    """The commit that removes too much, taken in by a controller that has ended."""
    for number in range(COUNT):
        box.write(f"manifests/roles/own-{number}.yaml", ROLE % number)
    box.commit("Start")
    box.until_idle()
    return remove(box, range(9))


def remove(box: sandbox.Sandbox, numbers: range) -> str:
    for number in numbers:
        (box.repo / f"manifests/roles/own-{number}.yaml").unlink()
    commit = box.commit("Remove")
    box.until_idle()
    return commit


def roles(box: sandbox.Sandbox) -> int:
    ((count,),) = box.select("SELECT count(*) FROM objects WHERE kind = 'Role' AND name LIKE 'own-%'")
    return int(count)


def recorded(box: sandbox.Sandbox, event: str) -> list[dict[str, object]]:
    return [json.loads(data) for (data,) in box.select("SELECT data FROM events WHERE type = ? ORDER BY seq", event)]


def inbox(box: sandbox.Sandbox) -> list[pathlib.Path]:
    return sorted((box.state / "inbox" / "new").iterdir())


def put(box: sandbox.Sandbox, token: str, content: str) -> None:
    (box.state / "inbox" / "new" / f"{token}.json").write_text(content)


def test_git_5_what_is_blocked_names_the_command_and_the_command_lets_it_go(box: sandbox.Sandbox, blocked: str) -> None:
    command = f"orchctl prune --confirm {blocked[:12]}"
    assert roles(box) == COUNT
    assert command in box.orchctl("events", "-A")
    assert command in box.orchctl("why", "role/own-3")
    assert command not in box.orchctl("why", "role/own-11")
    assert command in box.orchctl("prune")
    with box.controller():
        said = box.orchctl(*command.split()[1:])
        assert "9 objects" in said
        sandbox.until(lambda: roles(box) == COUNT - 9, "they are withdrawn")
        sandbox.until(lambda: inbox(box) == [], "the request is taken out of the inbox")
    (fact,) = recorded(box, "PruneConfirmed")
    assert fact["revision"] == blocked
    assert str(fact["actor"]).startswith("claimed:")
    assert "Nothing is kept" in box.orchctl("prune")
    assert command not in box.orchctl("why", "project/shop")


def test_without_a_controller_the_request_waits_and_the_verb_says_so(box: sandbox.Sandbox, blocked: str) -> None:
    done = box.python("-m", "orchctl", "prune", "--confirm", blocked)
    assert done.returncode == 0
    assert "waits in the inbox" in done.stderr
    (waiting,) = inbox(box)
    assert waiting.stat().st_mode & 0o077 == 0
    assert roles(box) == COUNT
    box.until_idle()
    assert roles(box) == COUNT - 9
    assert inbox(box) == []


def test_a_confirmation_is_for_one_commit_only(box: sandbox.Sandbox, blocked: str) -> None:
    box.orchctl("prune", "--confirm", "0" * 40, code=failures.CONFLICT)
    box.orchctl("prune", "--confirm", blocked[:3], code=failures.CONFLICT)
    box.orchctl("prune", "--confirm", blocked)
    remove(box, range(9, 10))  # the controller meets the confirmation together with a larger removal
    assert roles(box) == COUNT
    assert inbox(box) == []
    ((message,),) = box.select("SELECT message FROM events WHERE type = 'PruneBlocked' ORDER BY seq DESC LIMIT 1")
    assert message.startswith("10 of ")
    assert blocked[:12] not in message
    box.orchctl("prune", "--confirm", blocked, code=failures.CONFLICT)


def test_log_2_a_token_counts_once_and_what_cannot_be_read_is_put_aside(box: sandbox.Sandbox, blocked: str) -> None:
    """The last file is what a crash between record and unlink leaves; the same removal is blocked again meanwhile."""
    asked = json.dumps({"verb": "ConfirmPrune", "revision": blocked})
    start = box.git("rev-parse", "HEAD~1")
    put(box, TOKEN, asked)
    put(box, TOKEN[:-1] + "1", "[" * 10_000)
    put(box, TOKEN[:-1] + "2", json.dumps({"verb": "Unheard", "revision": blocked}))
    said = box.until_idle()
    assert roles(box) == COUNT - 9
    assert inbox(box) == []
    assert "Unheard" not in said
    box.git("reset", "-q", "--hard", start)
    box.until_idle()
    assert roles(box) == COUNT
    box.git("reset", "-q", "--hard", blocked)
    box.until_idle()
    put(box, TOKEN, asked)
    box.until_idle()
    assert roles(box) == COUNT, "its token was used"
    assert inbox(box) == []
    assert len(recorded(box, "PruneConfirmed")) == 1


def test_an_unchanged_repo_is_started_from_the_cache_and_lint_and_catalogue_work_as_installed(
    box: sandbox.Sandbox,
) -> None:
    box.commit("Start")
    box.until_idle()
    cached = box.state / "cache.db"
    assert cached.stat().st_mode & 0o077 == 0
    cached.write_bytes(b"broken")
    box.until_idle()
    assert cached.read_bytes().startswith(b"SQLite format 3")
    assert json.loads(box.orchctl("lint", "-o", "sarif"))["runs"][0]["tool"]["driver"]["name"] == "orchctl"
    box.orchctl("init", "--catalog")
    box.orchctl("lint")
    box.commit("Take over the catalogue")
    box.until_idle()
    annotations = box.object("role", "coder")["metadata"]["annotations"]
    assert "manifests/catalog/roles/coder.yaml" in annotations["orchctl.dev/source"]


def test_git_5_the_only_object_and_what_pruning_may_not_touch_are_explained(box: sandbox.Sandbox) -> None:
    (box.repo / "manifests/project.yaml").unlink()
    box.write("manifests/role.yaml", ROLE % 0)
    box.commit("Start")
    box.until_idle()
    (box.repo / "manifests/role.yaml").unlink()
    gone = box.commit("Remove the only one")
    said = box.until_idle()
    assert "role/own-0, the only object, vanished from git" in said
    command = f"orchctl prune --confirm {gone[:12]}"
    assert f"`{command}`, or bring back its manifest" in box.orchctl("why", "role/own-0")
    box.write("manifests/settings.yaml", SETTINGS)
    box.write("manifests/role.yaml", ROLE % 0)
    box.commit("Bring it back, and keep everything")
    box.until_idle()
    (box.repo / "manifests/role.yaml").unlink()
    kept = box.commit("Remove it again")
    box.until_idle()
    assert roles(box) == 1
    why = box.orchctl("why", "role/own-0")
    assert "`source.prune.enabled` of the Settings is false" in why
    assert "--confirm" not in why
    done = box.python("-m", "orchctl", "prune", "--confirm", kept)
    assert done.returncode == failures.CONFLICT
    assert "source.prune.enabled" in done.stderr
