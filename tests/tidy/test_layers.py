"""Each import the layers forbid, planted in a copy of the package, is found; the package as it is, is clean.

The copy holds __init__.py files and one module a layer, so that a graph is built in milliseconds.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT

MODULES = (
    "__main__", "cli.main", "app.run", "app.read.rows", "adapters.ledger.store", "adapters.workspace.trees",
    "core.evolve", "api.registry", "kit.text", "shim.shim", "testing.fakes",
)  # fmt: skip
PLANTED = [
    # where, what is imported there, the contract that finds it
    ("kit.text", "orchctl.api.registry", "layers"),
    ("api.registry", "orchctl.core.evolve", "layers"),
    ("core.evolve", "orchctl.adapters.ledger.store", "layers"),
    ("core.evolve", "orchctl.app.run", "layers"),
    ("adapters.ledger.store", "orchctl.app.run", "layers"),
    ("app.run", "orchctl.cli.main", "layers"),
    ("cli.main", "orchctl.testing.fakes", "layers"),
    ("adapters.ledger.store", "orchctl.adapters.workspace.trees", "adapters-apart"),
    ("cli.main", "orchctl.adapters.ledger.store", "surfaces"),
    ("cli.main", "orchctl.core.evolve", "surfaces"),
    ("shim.shim", "orchctl.kit.text", "shim-alone"),
    ("app.run", "orchctl.shim.shim", "shim-unseen"),
    *[
        ("core.evolve", module, "core-pure")
        for module in (
            "asyncio", "threading", "subprocess", "socket", "sqlite3", "os", "pathlib", "random", "time", "logging",
            "pygit2", "apscheduler", "watchfiles", "ruamel.yaml", "rich", "pydantic",
        )
    ],
    ("kit.text", "os", "kit-pure"),
    ("app.read.rows", "pydantic", "read-path-light"),
    ("app.read.rows", "orchctl.adapters.ledger.store", "read-path-light"),
    ("app.read.rows", "orchctl.core.evolve", "read-path-light"),
]  # fmt: skip


def lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    # The config is named in full and the copy stands first on the path: what is judged is the copy, not the package.
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1));"
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    arguments = ["--no-cache", "--no-logo", "--config", str(ROOT / "pyproject.toml")]
    for contract in contracts:
        arguments += ["--contract", contract]
    return subprocess.run(
        [sys.executable, "-c", program, str(folder), *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for module in MODULES:
        path = tmp_path / "orchctl" / (module.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        for parent in path.relative_to(tmp_path).parents:
            if parent.parts:
                (tmp_path / parent / "__init__.py").touch()
    return tmp_path


def test_the_copy_is_clean(package):
    done = lint(package)
    assert done.returncode == 0, done.stdout


def test_an_unknown_package_is_in_no_layer(package):
    (package / "orchctl/extras").mkdir()
    (package / "orchctl/extras/__init__.py").touch()
    assert lint(package, "layers").returncode == 1


@pytest.mark.parametrize(("where", "what", "contract"), PLANTED)
def test_a_planted_import_is_found(package, where, what, contract):
    (package / "orchctl" / (where.replace(".", "/") + ".py")).write_text(f"def late():\n    import {what}\n")
    done = lint(package, contract)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


def test_the_package_keeps_its_layers():
    done = lint(ROOT / "controller")
    assert done.returncode == 0, done.stdout
