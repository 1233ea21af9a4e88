"""Agents of every manner: good, absent, failing, loud, asking, hanging; and such that leave things (SES, WT-10)."""

from __future__ import annotations

import time

import pytest

from tests.e2e import sandbox

SECRET = "do-not-tell-anyone"
FLOOD_BYTES = 200 * 1024 * 1024
KEPT_BYTES = 64 * 1024 * 1024

PIPELINE = """\
---
apiVersion: orchctl.dev/v1alpha1
kind: Pipeline
metadata: {name: impatient}
spec:
  stages:
  - {name: implement, role: coder, timeout: 1s, gates: [{checks: {}}], onFailure: {goto: implement, limit: 0}}
  - {name: merge, merge: {}}
"""
ABSENT = """\
---
apiVersion: orchctl.dev/v1alpha1
kind: Agent
metadata: {name: absent}
spec: {backend: command, command: [no-such-program-anywhere]}
"""


def _run(box: sandbox.Sandbox, *script: str, extra: str = "") -> dict[str, object]:
    """The script's task at its end; returns its Succeeded condition."""
    box.write("manifests/fix.yaml", sandbox.task(*script, extra=extra))
    box.commit("Ask")
    box.until_idle()
    return box.condition("task", "fix", "Succeeded")


def test_ses_10_a_real_command_line_gets_prompt_place_and_an_environment_of_its_own(box: sandbox.Sandbox) -> None:
    """`claude` is the first of that name on PATH; of the controller's environment it sees what is on a list."""
    box.commit("Start")
    box.program(
        "claude",
        'cat > "$HOME/prompt"; env > "$HOME/env"; pwd > "$HOME/cwd"; printf "%s\\n" "$0" "$@" > "$HOME/words"',
        "sed -i s/goodbye/hello/ greet.sh",
    )
    box.extra_env |= {"AWS_SECRET_ACCESS_KEY": SECRET, "ANTHROPIC_API_KEY": SECRET, "LC_TIME": "C.UTF-8"}
    said = box.orchctl("run", "--agent", "claude", "--name", "fix", "Make the greeting say héllo — “please”.")
    assert "Merged" in said
    home = box.root / "home"
    assert "Make the greeting say héllo — “please”." in (home / "prompt").read_text()
    words = (home / "words").read_text().splitlines()
    assert words[0] == str(box.root / "bin/claude")
    assert words[1:4] == ["-p", "--output-format", "stream-json"]
    place = (home / "cwd").read_text().strip()
    assert place.startswith(str(box.state / "worktrees"))
    env = dict(line.split("=", 1) for line in (home / "env").read_text().splitlines() if "=" in line)
    assert SECRET not in (home / "env").read_text()
    assert env["HOME"] == str(home)
    assert env["LC_TIME"] == "C.UTF-8"
    assert env["ORCH_TASK"] == "fix"
    assert env["DISABLE_TELEMETRY"] == "1"
    assert not {"XDG_STATE_HOME", "PYTHONPATH", "GIT_CONFIG_GLOBAL"} & set(env)
    found = [path for path in box.state.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert found == []


def test_ses_14_a_program_that_is_not_there_holds_the_task_until_it_is(box: sandbox.Sandbox) -> None:
    absent = ABSENT.replace("no-such-program-anywhere", "late-agent")
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX, extra="  agents: [absent]\n" + absent))
    box.commit("Ask")
    box.until_idle()
    status = box.object("task", "fix")["status"]
    assert (status["summary"], status["waiting"]["reason"]) == ("Waiting(AgentNotReady)", "AgentNotReady")
    assert "there is no `late-agent` on PATH" in status["waiting"]["message"]
    assert "install `late-agent`" in box.orchctl("why", "fix")
    assert list((box.state / "sessions").iterdir()) == [], "no attempt was made"
    box.program("late-agent", "sed -i s/goodbye/hello/ greet.sh")
    box.until_idle()
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    box.write("manifests/again.yaml", sandbox.task(sandbox.FIX, name="again", extra="  agents: [absent]\n"))
    (box.root / "bin/late-agent").unlink()
    box.commit("Ask again")
    box.until_idle()
    assert box.object("task", "again")["status"]["summary"] == "Waiting(AgentNotReady)"


def test_ses_14_agents_on_path_are_shown_with_their_version_and_the_next_of_a_list_works(box: sandbox.Sandbox) -> None:
    box.program("crush", "echo crush version v0.96.1")
    asked = box.root / "asked"
    box.program(
        "codex",
        f'[ "$1" = --version ] && echo x >> {asked} && exec echo codex-cli 0.169.0',
        "sed -i s/goodbye/hello/ greet.sh",
        'echo "the model is $ORCH_MODEL, the words are $*"',
    )
    box.extra_env["PATH"] = f"{box.root / 'bin'}:/usr/bin:/bin"
    box.write("manifests/fix.yaml", sandbox.task(extra="  agents: [claude, crush, codex/o4.1]\n"))
    box.write("manifests/unnamed.yaml", sandbox.task("say nothing", name="unnamed"))
    box.commit("Ask")
    box.until_idle()
    crush, codex, claude = (box.object("agent", name)["status"] for name in ("crush", "codex", "claude"))
    assert (crush["version"], crush["path"]) == ("0.96.1", str(box.root / "bin/crush"))
    assert (crush["summary"], codex["summary"], claude["summary"]) == ("NotImplemented", "Ready", "NotReady")
    assert "0.169.0" in box.orchctl("get", "agents")
    described = box.orchctl("describe", "agent/codex")
    assert f"Path:        {box.root / 'bin/codex'}" in described
    assert "Since:" in described
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    why = box.orchctl("why", "fix")
    assert "not taken agent claude: there is no `claude` on PATH" in why
    assert "spec.backend" in why
    assert "the model is o4.1, the words are exec" in (said := box.orchctl("logs", "fix"))
    assert "--model=o4.1 -" in said
    assert f"agent codex is at {box.root / 'bin/codex'}, but one that is run as a command" in box.orchctl(
        "why", "unnamed"
    )
    before = box.select("SELECT count(*) FROM events WHERE type = 'AgentProbed'")
    box.until_idle()
    assert box.select("SELECT count(*) FROM events WHERE type = 'AgentProbed'") == before, "nothing is news"
    assert asked.read_text().split() == ["x"]


ACCOUNT = """\
---
apiVersion: orchctl.dev/v1alpha1
kind: Account
metadata: {name: team}
spec: {secrets: [{env: API_KEY, fromFile: ~/secrets/key}]}
---
apiVersion: orchctl.dev/v1alpha1
kind: Agent
metadata: {name: paid}
spec: {backend: command, command: [paid-agent], account: team}
"""


def test_ses_10_a_secret_of_an_account_reaches_the_agent_and_no_file_of_ours(box: sandbox.Sandbox) -> None:
    told = box.root / "told"
    box.program("paid-agent", f'echo "the key is $API_KEY"; echo "$API_KEY" > {told}; sed -i s/goodbye/hello/ greet.sh')
    checked = sandbox.PROJECT.replace("sh greet.sh |", "echo check:$API_KEY.; sh greet.sh |")
    box.write("manifests/project.yaml", checked)
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX, extra="  agents: [paid]\n" + ACCOUNT))
    box.commit("Ask")
    box.until_idle()
    waiting = box.object("task", "fix")["status"]["waiting"]
    assert waiting["reason"] == "AgentNotReady"
    assert "~/secrets/key cannot be read" in waiting["message"]
    assert box.object("account", "team")["status"]["summary"] == "NotReady"
    (box.root / "home/secrets").mkdir()
    (box.root / "home/secrets/key").write_text(f"{SECRET}\n")
    box.until_idle()
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    assert told.read_text() == f"{SECRET}\n"
    logs = "".join(path.read_text() for path in box.state.glob("sessions/*/raw.log"))
    assert "the key is " in logs
    assert "check:.\n" in logs, "a check is not told"
    folders = (box.state, box.repo, box.root / "run")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_task_5_a_failing_agent_is_run_again_and_told_why_until_the_limit(box: sandbox.Sandbox) -> None:
    runs = box.root / "runs"
    ended = _run(box, f"append {runs} run", "fail 3 the disk is on fire")
    assert (ended["status"], ended["reason"]) == ("False", "ExitedNonZero")
    assert "the disk is on fire" in str(ended["message"])
    assert "3 tries" in str(ended["message"])
    assert runs.read_text().split() == ["run"] * 3
    prompts = [box.object("session", f"fix-implement-{number}")["spec"]["prompt"] for number in (1, 2, 3)]
    assert ["the disk is on fire" in prompt.replace("fail 3 the disk is on fire", "") for prompt in prompts] == [
        False,
        True,
        True,
    ]
    assert (box.repo / "greet.sh").read_text() == "echo goodbye\n"


def test_gate_1_a_red_check_is_shown_to_the_next_run(box: sandbox.Sandbox) -> None:
    box.write("manifests/project.yaml", sandbox.PROJECT.replace("sh greet.sh |", "echo why it is red; sh greet.sh |"))
    _run(box, "attempt 1: replace greet.sh goodbye moin", "attempt 2: replace greet.sh moin hello")
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    assert "why it is red" in box.object("session", "fix-implement-2")["spec"]["prompt"]
    assert [one["state"] for one in box.object("task", "fix")["status"]["gates"]][:2] == ["Failed", "Passed"]


def test_ses_12_a_flood_is_capped_and_the_task_goes_on(box: sandbox.Sandbox) -> None:
    _run(box, "say the beginning", f"flood {FLOOD_BYTES}", sandbox.FIX)
    status = box.object("task", "fix")["status"]
    assert status["summary"] == "Merged"
    attempt = box.object("session", "fix-implement-1")["status"]["attempts"][0]
    assert attempt["outputBytes"] > FLOOD_BYTES
    log = (box.state / "sessions" / attempt["id"] / "raw.log").read_bytes()
    assert len(log) < KEPT_BYTES + 1024
    assert log.startswith(b"the beginning\n")
    assert log.endswith(b"replaced in greet.sh\n")
    assert b"bytes cut here" in log


def test_an_agent_that_asks_a_person_fails_with_its_question(box: sandbox.Sandbox) -> None:
    ended = _run(box, "ask Which colour should it be?")
    assert (ended["status"], ended["reason"]) == ("False", "AskedHuman")
    assert "Which colour should it be?" in str(ended["message"])
    assert len(box.object("task", "fix")["status"]["sessions"]) == 1


def test_task_2_a_hanging_agent_is_ended_by_its_stage_and_its_work_is_kept(box: sandbox.Sandbox) -> None:
    begun = time.monotonic()
    ended = _run(box, "write half.txt done", "hang", extra="  pipeline: impatient\n" + PIPELINE)
    assert ended["status"] == "False"
    assert "longer than 1s" in str(ended["message"])
    assert time.monotonic() - begun < 20
    assert "done" in box.kept("half.txt")
    assert sandbox.agents(box.root) == []


@pytest.mark.parametrize("left", ["daemonize", "run sh -c 'nohup setsid sleep 600 >/dev/null 2>&1 &'"])
def test_ses_2_an_agent_that_leaves_a_daemon_leaves_nothing(box: sandbox.Sandbox, left: str) -> None:
    _run(box, left, sandbox.FIX)
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    assert sandbox.marked_processes(box.root) == []


def test_ses_2_a_check_that_leaves_a_daemon_leaves_nothing(box: sandbox.Sandbox) -> None:
    check = "sh -c 'setsid sleep 600 >/dev/null 2>&1 &'; sh greet.sh | grep -q hello"
    box.write("manifests/project.yaml", sandbox.PROJECT.replace("sh greet.sh | grep -q hello", check))
    _run(box, sandbox.FIX)
    assert box.object("task", "fix")["status"]["summary"] == "Merged"
    assert sandbox.marked_processes(box.root) == []


@pytest.mark.parametrize(
    "deed",
    [
        "write manifests/more.yaml x",
        "attempt 1: delete manifests/project.yaml",
        "attempt 1: run git mv manifests/project.yaml elsewhere.yaml",
        "attempt 1: run sh -c 'rm -r manifests; ln -s /tmp manifests'",
    ],
)
def test_app_6_an_agent_cannot_change_what_the_controller_obeys(box: sandbox.Sandbox, deed: str) -> None:
    ended = _run(box, "write greet.sh 'echo hello'", deed)
    assert (ended["status"], ended["reason"]) == ("False", "NoProgress"), ended  # it was told once, and did it again
    assert "touches protected paths: manifests" in str(ended["message"])
    assert box.git("log", "-1", "--format=%an") == "Ann"


def test_app_7_paths_a_project_protects_stay_as_they_are(box: sandbox.Sandbox) -> None:
    box.write("manifests/project.yaml", f"{sandbox.PROJECT}  guardrails: {{protectedPaths: ['ci/**']}}\n")
    ended = _run(box, "write greet.sh 'echo hello'", "write ci/deploy.sh x")
    assert ended["reason"] == "NoProgress"
    assert "touches protected paths: ci/deploy.sh" in str(ended["message"])


def test_wt_10_what_an_agent_plants_in_its_clone_is_never_run_by_the_controller(box: sandbox.Sandbox) -> None:
    """Hooks, filters, fsmonitor, a diff driver, an include: whatever ran of it ran in an attempt, under its rights."""
    planted = box.root / "planted"
    planted.mkdir()
    program = box.root / "plant.sh"
    program.write_text(f"#!/bin/sh\nenv > {planted}/$$\ncat 2>/dev/null\nexit 0\n")
    program.chmod(0o755)
    hooks = "pre-commit post-commit post-checkout reference-transaction pre-receive update post-update fsmonitor"
    settings = {
        "core.fsmonitor": str(program),
        "core.sshCommand": str(program),
        "core.pager": str(program),
        "core.editor": str(program),
        "filter.evil.clean": str(program),
        "filter.evil.smudge": str(program),
        "filter.evil.process": str(program),
        "diff.evil.textconv": str(program),
        "diff.external": str(program),
        "gpg.program": str(program),
        "commit.gpgSign": "true",
        "uploadpack.packObjectsHook": str(program),
        "receive.procReceiveRefs": "refs",
        "credential.helper": f"!{program}",
        "alias.status": f"!{program}",
    }
    script = [f"run git config {name} '{value}'" for name, value in settings.items() if name != "commit.gpgSign"]
    script += [f"run sh -c 'mkdir -p .git/hooks; for h in {hooks}; do cp {program} .git/hooks/$h; done'"]
    script += ["write .gitattributes '*.txt filter=evil diff=evil'", "write seen.txt words", sandbox.FIX]
    box.extra_env["AWS_SECRET_ACCESS_KEY"] = SECRET
    box.write("manifests/fix.yaml", sandbox.task(*script))
    box.commit("Ask")
    box.until_idle()
    for file in planted.iterdir():
        text = file.read_text()
        assert sandbox.MARKER.decode() in text, f"run by the controller: {text}"
        assert SECRET not in text
    assert box.object("task", "fix")["status"]["summary"] in ("Merged", "Failed")


@pytest.mark.parametrize(
    "deed",
    [
        "run rm -rf .git",
        "run sh -c 'rm -rf .git; git init -q .'",
        "run sh -c 'echo ref: refs/heads/none > .git/HEAD'",
        "run sh -c 'rm -rf .git; ln -s / .git'",
    ],
)
def test_wt_10_an_agent_that_breaks_its_clone_only_fails_itself(box: sandbox.Sandbox, deed: str) -> None:
    ended = _run(box, sandbox.FIX, deed)
    assert ended["status"] == "False", ended
    assert str(ended["message"])
    assert box.git("log", "-1", "--format=%an") == "Ann"
    assert box.git("fsck", "--no-dangling") == ""
