"""What tests/conftest.py promises: a test that leaves something behind fails, and nobody's settings leak in."""

import os
import subprocess
import sys

import pytest

from tests.tidy.sources import ROOT

LEAVES = {
    "process": "subprocess.Popen(['sleep', '100'], start_new_session=True)",
    "thread": "threading.Thread(target=threading.Event().wait, daemon=True, name='left').start()",
    "temporary directory": "tempfile.mkdtemp()",
}
FINE = """
import os, pathlib, subprocess, tempfile
def test_own_home():
    told = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=True).stdout
    assert told == "Test Person\\n"
    assert "GIT_DIR" not in os.environ
    assert len(os.environ["XDG_RUNTIME_DIR"]) < 40
    assert pathlib.Path(tempfile.gettempdir()).parent == pathlib.Path.home()
    with tempfile.TemporaryDirectory(): pass
    subprocess.run(["true"], check=True)
"""


def run_pytest(folder, text):
    (folder / "tests").mkdir()
    for name in ("conftest.py", "budget_plugin.py", "budget.toml"):
        (folder / "tests" / name).write_text(
            (ROOT / "tests" / name).read_text().replace("GRACE_S = 5.0", "GRACE_S = 0.1")
        )
    (folder / "tests/__init__.py").touch()
    (folder / "tests/test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    options = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "--basetemp=base"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests"],
        cwd=folder,
        env={**os.environ, "GIT_DIR": "/nowhere", "TMPDIR": "/tmp"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("what", LEAVES)
def test_what_is_left_fails_the_test(tmp_path, what):
    text = f"import subprocess, tempfile, threading\nkept = []\ndef test_it():\n    kept.append({LEAVES[what]})\n"
    if what == "process":
        text += "def test_end():\n    kept[0].kill(); kept[0].wait()\n"
    done = run_pytest(tmp_path, text)
    assert done.returncode == 1, done.stdout
    assert what in done.stdout
    assert "1 error" in done.stdout


def test_a_test_sees_only_its_own_home(tmp_path):
    done = run_pytest(tmp_path, FINE)
    assert done.returncode == 0, done.stdout + done.stderr
