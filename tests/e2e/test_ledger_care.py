"""`orchctl verify`, `recover` and `backup` as a person uses them, beside a controller and without one (LOG-7, UI-2)."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import sqlite3

from tests.e2e import sandbox


def damage(path: pathlib.Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        assert db.execute(statement).rowcount


def error(box: sandbox.Sandbox, *args: str, code: int) -> str:
    done = box.python("-m", "orchctl", *args)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_log7_a_damaged_ledger_keeps_a_controller_from_starting_until_it_is_recovered(box: sandbox.Sandbox) -> None:
    assert "no controller has run there yet" in error(box, "verify", code=3)
    box.write("manifests/task.yaml", sandbox.task(sandbox.FIX))
    box.commit()
    box.until_idle()
    path = box.state / "ledger.db"
    assert "All of it is what was recorded." in box.orchctl("verify")
    assert "Nothing is wrong with it" in box.orchctl("recover")
    copy = box.root / "monday.db"
    assert "checked" in box.orchctl("backup", str(copy))
    assert "is there already" in error(box, "backup", str(copy), code=1)

    damage(path, "UPDATE objects SET state = replace(state, 'hello', 'Hello') WHERE kind = 'Task'")
    refused = error(box, "controller", "--until-idle", code=1)
    assert refused.startswith("error: ")
    assert "the row of Task/default/fix is not what was recorded: `orchctl recover`" in refused
    assert "the row of Task/default/fix" in error(box, "verify", code=1)
    assert "made anew" in box.orchctl("recover")
    box.orchctl("verify")
    assert "LedgerRecovered" in box.orchctl("events", "-A")
    box.until_idle()
    assert box.summary("fix") == "Merged"

    for name in ("ledger.db", "ledger.db-wal"):
        path.with_name(name).unlink(missing_ok=True)
    shutil.copyfile(copy, path)
    behind = error(box, "controller", "--until-idle", code=1)
    assert "is behind its anchor" in behind
    count = behind.rpartition("--accept-loss ")[2].split("`")[0]
    assert f"{count} events are lost" in error(box, "recover", code=1)
    box.orchctl("recover", "--accept-loss", count)
    box.until_idle()
    assert box.git("rev-list", "--count", "main") == "2", "what was lost was not done again"

    shutil.copyfile(copy, path)
    shutil.copyfile(f"{copy}.anchor", path.with_name("anchor"))
    box.until_idle()
    box.orchctl("verify")


def test_ui2_verify_and_backup_go_on_beside_a_controller_and_recover_does_not(box: sandbox.Sandbox) -> None:
    box.write("manifests/task.yaml", sandbox.task(sandbox.FIX))
    box.commit()
    with box.controller():
        box.orchctl("verify")
        box.orchctl("backup", str(box.root / "early.db"))
        assert "a controller must not run meanwhile" in error(box, "recover", code=5)
        box.until_summary("fix", "Merged")
        box.orchctl("verify")
        box.orchctl("backup", str(box.root / "late.db"))
    box.orchctl("verify")
    assert sorted(entry.name for entry in box.state.iterdir() if ".new" in entry.name or "recover" in entry.name) == []
