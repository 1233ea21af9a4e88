"""The set-up says in one line what is missing, installs once, and makes a half-made environment again."""

import pytest

from tests.setup.fake_system import FakeSystem


@pytest.fixture
def system(tmp_path):
    return FakeSystem(tmp_path)


def one_line(done):
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_an_old_git_is_told_in_one_line(system):
    system.put("git", "#!/bin/sh\necho git version 2.30.2\n")
    assert "git 2.38 or newer, found 2.30: apt-get install git" in one_line(system.ensure())


def test_a_missing_git_is_told_in_one_line(system):
    system.remove("git")
    assert one_line(system.ensure()) == "orchctl needs git 2.38 or newer: apt-get install git\n"


@pytest.mark.parametrize("version", ["git version 2.38.0", "git version 2.50.1 (Apple Git-155)", "git version 3.0.rc1"])
def test_new_gits_do(system, version):
    system.put("git", f"#!/bin/sh\necho '{version}'\n")
    assert system.ensure().returncode == 0


def test_no_python_is_told_in_one_line(system):
    system.remove("python3")
    assert "Python 3.11 or newer: apt-get install python3" in one_line(system.ensure())


def test_an_old_python_is_passed_over_for_a_newer_one(system):
    system.put_python("python3", version="3.9")
    assert "Python 3.11 or newer" in one_line(system.ensure())
    system.put_python("python3.12")
    assert system.ensure().returncode == 0


def test_a_shim_that_does_not_run_is_passed_over(system):
    system.put("python3", "#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n")
    system.put_python("python3.13", version="3.13")
    assert system.ensure().returncode == 0


def test_a_named_python_that_is_none_is_told_in_one_line(system):
    assert "PYTHON=/no/such is not one" in one_line(system.ensure(PYTHON="/no/such"))


def test_a_missing_venv_module_is_told_in_one_line(system):
    system.put_python("python3", ensurepip="no")
    done = system.ensure()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "orchctl needs the python venv module: apt-get install python3-venv"


def test_it_installs_once_and_again_when_the_project_file_changed(system):
    assert system.ensure().returncode == 0
    quiet = system.ensure()
    assert (quiet.returncode, quiet.stderr, quiet.stdout) == (0, "", "")
    assert len(system.installs()) == 1
    assert system.installs()[0].endswith("-e .")
    (system.repo / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert system.ensure().returncode == 0
    assert len(system.installs()) == 2


def test_the_tools_come_on_demand_and_serve_a_run_as_well(system):
    system.ensure("run")
    system.ensure("dev")
    assert system.installs()[1].endswith("-e .[dev]")
    system.ensure("run")
    assert len(system.installs()) == 2


def test_an_environment_cut_short_is_made_again(system):
    system.put_python("python3", venv="no")
    assert system.ensure().returncode == 1
    system.put_python("python3")
    assert system.ensure().returncode == 0
    assert not (system.repo / ".venv/.orchctl-incomplete").exists()


def test_an_installation_cut_short_is_made_again_from_nothing(system):
    flag = system.log.with_name(system.log.name + ".fail")
    flag.touch()
    done = system.ensure()
    assert done.returncode == 1
    assert "could not install its packages: ERROR: no such index" in done.stderr.splitlines()[-1]
    (system.repo / ".venv/half").touch()
    flag.unlink()
    assert system.ensure().returncode == 0
    assert not (system.repo / ".venv/half").exists()


def test_a_working_environment_of_unknown_making_is_completed_in_place(system):
    system.ensure()
    (system.repo / ".venv/.orchctl-stamp").unlink()
    (system.repo / ".venv/mine").touch()
    assert system.ensure().returncode == 0
    assert (system.repo / ".venv/mine").exists()


def test_an_environment_whose_python_is_gone_is_made_again(system):
    system.ensure()
    (system.repo / ".venv/bin/python").unlink()
    assert system.ensure().returncode == 0
    assert len(system.installs()) == 2


def test_another_python_asked_for_makes_another_environment(system):
    system.ensure()
    system.put_python("python3.13", version="3.13")
    assert system.ensure(PYTHON="python3.13").returncode == 0
    assert len(system.installs()) == 2
