"""Secrets are read from files at the launch of an agent; what is wrong with one is said without showing it (SES-10)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchctl.adapters.probes import secret_files
from orchctl.core import ports

SECRET = "sk-do-not-tell"


@pytest.fixture
def files(tmp_path: Path) -> secret_files.SecretFiles:
    (tmp_path / "home").mkdir()
    (tmp_path / "repo").mkdir()
    return secret_files.SecretFiles({"HOME": str(tmp_path / "home")}, tmp_path / "repo")


def test_ses_10_values_are_read_each_time_without_the_end_of_line(
    files: secret_files.SecretFiles, tmp_path: Path
) -> None:
    key, other = tmp_path / "home/key", tmp_path / "other"
    key.write_text(f"{SECRET}\n")
    other.write_text("line one\nline two\n\n")
    wanted = (("API_KEY", "~/key"), ("OTHER", str(other)))
    assert files.values(wanted) == (("API_KEY", SECRET), ("OTHER", "line one\nline two"))
    key.write_text("rotated")
    assert files.values(wanted)[0] == ("API_KEY", "rotated")
    assert files.problem(wanted) == ""


def test_ses_14_a_link_that_leads_back_to_itself_is_said_too(files: secret_files.SecretFiles, tmp_path: Path) -> None:
    (tmp_path / "home/loop").symlink_to("loop")
    assert "~/loop cannot be read" in files.problem((("API_KEY", "~/loop"),))


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("~/missing", None, "~/missing cannot be read: No such file"),
        ("key", None, "must begin with `/` or `~/`"),
        ("~/short", b"abc\n", "holds no value of at least 4 characters"),
        ("~/empty", b"", "holds no value"),
        ("~/zero", SECRET.encode() + b"\0", "holds no value"),
        ("~/binary", SECRET.encode() + b"\xff\xfe", "is not text"),
        ("~/large", SECRET.encode() * 2000, "is larger than 16 KiB"),
        ("~/../repo/key", SECRET.encode(), "lies in the control repo"),
        ("~/../home", None, "holds no value"),
    ],
)
def test_ses_14_what_cannot_be_used_is_said_by_the_name_of_the_file(
    files: secret_files.SecretFiles, tmp_path: Path, file: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "home" / file[2:]).write_bytes(content)
    problem = files.problem((("API_KEY", file),))
    assert said in problem
    assert SECRET not in problem
    with pytest.raises(ports.TransientError):
        files.values((("API_KEY", file),))


def test_a_pipe_holds_nobody_up(files: secret_files.SecretFiles, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "home/pipe")
    assert "holds no value" in files.problem((("API_KEY", "~/pipe"),))
