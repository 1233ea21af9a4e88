"""A control repo and a ledger made by hand, in the shape the controller writes, for tests of the read side."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterable
from pathlib import Path

NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z
UID = "0123456789abcdef"
TABLES = """
CREATE TABLE objects(key TEXT PRIMARY KEY, kind TEXT, namespace TEXT, name TEXT, uid TEXT, generation INTEGER,
  seq INTEGER, ready TEXT, summary TEXT, stage TEXT, agent TEXT, created_at REAL, body TEXT, because TEXT,
  row_digest TEXT);
CREATE TABLE events(seq INTEGER PRIMARY KEY, turn INTEGER, at REAL, t REAL, epoch INTEGER, kind TEXT, key TEXT,
  type TEXT, data TEXT, actor TEXT, cause INTEGER, severity TEXT, reason TEXT, message TEXT);
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT);
"""


def condition(type_: str, status: str, reason: str, message: str = "", age_s: int = 60) -> dict[str, object]:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": NOW - age_s,
    }


class Ledger:
    """Writes objects and events as the controller does."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.state_dir = state_dir
        self.path = state_dir / "ledger.db"
        self._connection = sqlite3.connect(self.path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.executescript(TABLES)
        self._connection.execute("INSERT INTO meta VALUES ('schema_version', '2'), ('ref', 'refs/heads/main')")

    def close(self) -> None:
        self._connection.close()

    def put(
        self,
        kind: str,
        name: str,
        *,
        namespace: str = "default",
        spec: dict[str, object] | None = None,
        status: dict[str, object] | None = None,
        because: dict[str, object] | None = None,
        age_s: int = 840,
    ) -> None:
        key = f"{kind}/{namespace}/{name}"
        status = status or {"summary": "Ready", "conditions": [condition("Ready", "True", "Admitted")]}
        body = {
            "apiVersion": "orchctl.dev/v1alpha1",
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": f"uid-{name}",
                "generation": 1,
                "resourceVersion": "7",
                "creationTimestamp": "2026-11-18T10:52:40Z",
                "labels": {},
                "annotations": {"orchctl.dev/source": f"manifests/{name}.yaml"},
            },
            "spec": spec or {},
            "status": status,
        }
        conditions = status.get("conditions", [])
        assert isinstance(conditions, list)
        ready = next((row["status"] for row in conditions if row["type"] == "Ready"), None)
        row = (key, kind, namespace, name, f"uid-{name}", 1, 7, ready, status.get("summary"), status.get("stage"))
        rest = (status.get("agent"), NOW - age_s, json.dumps(body), json.dumps(because) if because else None, "d")
        self._connection.execute(f"INSERT OR REPLACE INTO objects VALUES ({','.join('?' * 15)})", (*row, *rest))

    def drop(self, key: str) -> None:
        self._connection.execute("DELETE FROM objects WHERE key = ?", (key,))

    def events(self, rows: Iterable[tuple[str, str, str, str, int]]) -> None:
        """(key, severity, reason, message, age)."""
        for key, severity, reason, message, age_s in rows:
            self._connection.execute(
                "INSERT INTO events(turn, at, t, epoch, kind, key, type, data, actor, severity, reason, message)"
                " VALUES (1, ?, 0, 1, 'fact', ?, 'X', '{}', '', ?, ?, ?)",
                (NOW - age_s, key, severity, reason, message),
            )


def make_repo(folder: Path, *, bare: bool = False) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", *(["--bare"] if bare else []), str(folder)], check=True)
    return folder


def name_repo(folder: Path, uid: str = UID) -> None:
    git_dir = folder / ".git" if (folder / ".git").is_dir() else folder
    (git_dir / "orchctl-uid").write_text(uid + "\n")


def fill(ledger: Ledger) -> None:
    """One of everything people look at: running, waiting, failed, merged, unreadable."""
    ledger.put("Project", "shop", spec={"repo": {"branch": "main"}, "checks": [{"name": "unit", "run": "pytest -q"}]})
    ledger.put("Agent", "script", namespace="", spec={"backend": "script"})
    ledger.put("Pipeline", "quickfix", spec={"stages": [{"name": "implement"}, {"name": "merge"}]})
    _put_running(ledger)
    _put_waiting(ledger)
    _put_failed(ledger)
    ledger.put(
        "Manifest",
        "manifests/tasks/broken.yaml",
        status={
            "summary": "Rejected",
            "conditions": [condition("Accepted", "False", "ValidationFailed", "broken.yaml:3:1: error: not YAML")],
        },
    )
    ledger.events(
        [
            ("Task/default/add-login", "Normal", "Admitted", "from manifests/add-login.yaml", 840),
            ("Task/default/add-login", "Normal", "SessionStarted", "add-login-implement-1 by script", 700),
            ("Task/default/fix-cache", "Warning", "CheckFailed", "unit exited with 1\x1b[31m\nand more", 180),
            ("Task/team/other", "Normal", "Admitted", "in another namespace", 30),
        ]
    )


def _put_running(ledger: Ledger) -> None:
    ledger.put(
        "Task",
        "add-login",
        spec={"prompt": "Add login.\nWith a test.\n", "agents": ["script"]},
        status={
            "summary": "Running",
            "stage": "implement",
            "attempt": 1,
            "cycle": 0,
            "agent": "script",
            "branch": "orch/add-login",
            "startedAt": NOW - 720,
            "sessions": ["add-login-implement-1"],
            "resolved": [{"field": "pipeline", "name": "quickfix", "source": "Project"}],
            "conditions": [
                condition("Ready", "Unknown", "Progressing"),
                condition("Reconciling", "True", "Progressing", "stage implement is running"),
            ],
            "stages": [
                {"name": "implement", "state": "Running", "startedAt": NOW - 700},
                {"name": "merge", "state": "Pending"},
            ],
            "gates": [
                {
                    "stage": "implement",
                    "name": "unit",
                    "state": "Running",
                    "attempt": 1,
                    "attemptId": "uid-add-login.3",
                }
            ],
        },
        because={
            "rule": "TASK-7",
            "text": "the agent of stage implement is at work",
            "evidence": ["session/add-login-implement-1 runs since 11m40s"],
            "since": NOW - 700,
            "unblock": "the agent ends",
        },
    )
    ledger.put(
        "Session",
        "add-login-implement-1",
        status={
            "summary": "Working",
            "state": "Working",
            "agent": "script",
            "task": "add-login",
            "worktree": "add-login",
            "startedAt": NOW - 700,
            "conditions": [condition("Ready", "Unknown", "Progressing")],
            "attempts": [
                {"id": "uid-add-login.1", "purpose": "agent", "phase": "Failed", "exitCode": 1, "outputBytes": 12},
                {"id": "uid-add-login.2", "purpose": "agent", "phase": "Running", "outputBytes": 34},
            ],
        },
        because={"rule": "SES-1", "text": "its agent is running", "since": NOW - 700, "unblock": "the agent ends"},
    )
    ledger.put("Worktree", "add-login", spec={"project": "shop", "branch": "orch/add-login"})


def _put_waiting(ledger: Ledger) -> None:
    ledger.put(
        "Task",
        "wait-here",
        spec={"pipeline": "quickfix", "prompt": "Wait."},
        age_s=90,
        status={
            "summary": "Waiting",
            "stage": "implement",
            "conditions": [condition("Ready", "Unknown", "CapacityExhausted", "no slot")],
            "waiting": {"reason": "Capacity", "message": "1 of 1 sessions in use", "since": NOW - 80},
        },
        because={
            "rule": "TASK-9",
            "text": "every session slot is in use",
            "evidence": ["session/add-login-implement-1 has slot 1 of 1"],
            "since": NOW - 80,
            "unblock": "that session ends",
        },
    )
    ledger.put("Task", "other", namespace="team", spec={"prompt": "x", "pipeline": "quickfix"}, age_s=30)


def _put_failed(ledger: Ledger) -> None:
    ledger.put(
        "Task",
        "fix-cache",
        spec={"pipeline": "quickfix", "prompt": "Fix."},
        age_s=400,
        status={
            "summary": "Failed",
            "stage": "implement",
            "agent": "codex",
            "attempt": 3,
            "startedAt": NOW - 390,
            "endedAt": NOW - 180,
            "conditions": [
                condition("Ready", "False", "GateFailed", "unit exited with 1", 180),
                condition("Succeeded", "False", "GateFailed", "", 180),
                condition("Stalled", "True", "RetriesExhausted", "3 of 3 attempts failed", 180),
            ],
            "stages": [{"name": "implement", "state": "Failed", "startedAt": NOW - 390, "endedAt": NOW - 180}],
            "gates": [
                {
                    "stage": "implement",
                    "name": "unit",
                    "state": "Failed",
                    "message": "exited with 1",
                    "exitCode": 1,
                    "attempt": 3,
                }
            ],
        },
        because={"rule": "TASK-7", "text": "3 of 3 attempts failed", "since": NOW - 180, "unblock": "edit the prompt"},
    )
