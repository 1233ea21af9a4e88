"""Every tidy check, run on the repo itself."""

import os
import subprocess
import sys
import tomllib

import pytest

from tests.tidy import purity, shape
from tests.tidy.sources import ROOT, package_sources, python_sources

# One boundary a layer, and why it is one.
BROAD_CATCHES = {
    "controller/orchctl/core/runtime.py": "a defect in one object's decision stalls that object, not all others",
    "controller/orchctl/app/serve.py": "the loop: whatever an adapter raises becomes one recorded event",
    "controller/orchctl/app/effects.py": "execute: an effect's failure is an outcome, never the end of the loop",
    "controller/orchctl/shim/zygote.py": "a fork: it must not return into the zygote",
    "controller/orchctl/testing/sim/simulation.py": "a step: a defect is what this seed has found",
    "controller/orchctl/cli/main.py": "the last line of a command: one sentence and the way to the log",
}
LIGHT = ("controller/orchctl/core/", "controller/orchctl/kit/")


# Everyone below these pays for what their __init__.py imports; an adapter's own folder is imported whole anyway.
LIGHT_PACKAGES = ("app", "app/read", "api", "api/v1alpha1", "kit", "cli", "core", "shim", "adapters")


def expect_none(findings: list[str]) -> None:
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def committed() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).exists()]


def test_modules_are_short():
    expect_none(shape.long_modules(python_sources()))


def test_functions_are_short():
    expect_none(shape.long_functions(python_sources()))


def test_functions_take_few_parameters():
    expect_none(shape.many_parameters(package_sources()))


def test_no_banned_words():
    expect_none(shape.banned_words(python_sources()))


def test_file_names_say_something():
    expect_none(shape.banned_names([path for path in committed() if path.startswith(("controller/", "tests/"))]))


def test_modules_say_why_they_exist():
    expect_none(shape.missing_docstrings(python_sources()))


def test_the_top_level_is_what_it_is():
    expect_none(shape.unknown_entries(sorted({path.split("/")[0] for path in committed()})))


def test_no_test_is_left_out():
    expect_none(shape.skipped_tests([source for source in python_sources() if source.path.startswith("tests/")]))


def test_core_is_handed_time_chance_and_ids():
    expect_none(purity.impure_calls(purity.in_folder(package_sources(), "controller/orchctl/core/")))


def test_nothing_depends_on_the_order_of_a_set():
    expect_none(purity.set_iterations([source for source in package_sources() if source.path.startswith(LIGHT)]))


def test_no_shell():
    expect_none(purity.shells(python_sources()))


def test_broad_catches_stand_at_a_named_boundary():
    expect_none(purity.broad_catches(package_sources(), BROAD_CATCHES))


def test_the_folder_controller_is_no_package():
    expect_none(purity.folder_imports(python_sources()))
    assert not (ROOT / "controller/__init__.py").exists()


def test_light_packages_import_nothing():
    light = {f"controller/orchctl/{folder}/__init__.py" for folder in LIGHT_PACKAGES} | {
        "controller/orchctl/__init__.py"
    }
    expect_none(purity.heavy_package_files([source for source in package_sources() if source.path in light]))


def test_the_shim_stands_alone():
    inside = purity.in_folder(package_sources(), "controller/orchctl/shim/")
    outside = [source for source in package_sources() if source not in inside]
    expect_none(purity.foreign_imports(inside, "orchctl.shim"))
    expect_none(purity.imports_of(outside, "orchctl.shim"))


def test_every_suite_has_a_budget():
    suites = tomllib.loads((ROOT / "tests/budget.toml").read_text())["suites"]
    tested = {os.path.dirname(path) for path in committed() if os.path.basename(path).startswith("test_")}
    expect_none([folder for folder in sorted(tested) if not any((folder + "/").startswith(s + "/") for s in suites)])


def test_crds_are_fresh():
    done = subprocess.run(
        [sys.executable, "-m", "orchctl.api.crdgen", "--check", str(ROOT / "crds")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
