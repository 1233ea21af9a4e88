"""Masking of secrets and the cut log, piece by piece."""

from __future__ import annotations

import itertools
import pathlib

from hypothesis import given, settings
from hypothesis import strategies as st

from orchctl.shim import capture, records


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def masked_whole(data: bytes, secrets: list[str]) -> bytes:
    out = bytearray(data)
    for secret in secrets:
        for at in range(len(data)):
            if secret and data.startswith(secret.encode(), at):
                out[at : at + len(secret)] = b"*" * len(secret)
    return bytes(out)


SECRETS = st.lists(st.text("abc", max_size=5), max_size=4)


@given(st.text("abcx", max_size=80), SECRETS, st.lists(st.integers(0, 80), max_size=8))
def test_masking_does_not_depend_on_how_the_output_arrives(text, secrets, cuts):
    """SES-10: overlapping secrets and any split give what masking the whole would give."""
    redactor = capture.Redactor(secrets)
    out = b"".join(redactor.feed(piece) for piece in pieces(text.encode(), cuts)) + redactor.finish()
    assert out == masked_whole(text.encode(), secrets)


def test_only_what_may_begin_a_secret_is_held_back():
    redactor = capture.Redactor(["secret"])
    assert redactor.feed(b"hello se") == b"hello "
    assert redactor.feed(b"ven") == b"seven"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(2, 90), st.lists(st.integers(0, 400), max_size=8))
def test_head_and_tail_are_exact_however_the_output_arrives(tmp_path_factory, size, limit, cuts):
    directory = tmp_path_factory.mktemp("log")
    data = bytes(i % 251 for i in range(size))
    log = capture.OutputLog(str(directory), limit)
    for piece in pieces(data, cuts):
        log.write(piece)
    log.finish()
    got = (directory / capture.RAW_LOG).read_bytes()
    assert log.total == size
    if size <= limit:
        assert (got, log.cut) == (data, None)
    else:
        assert log.cut is not None
        start, end = log.cut
        assert got == data[:start] + capture.mark(start, end) + data[end:]
        assert start + size - end == limit
    assert [path.name for path in directory.iterdir()] == [capture.RAW_LOG]


def test_finishing_again_after_a_crash_in_the_middle_gives_the_same_file(tmp_path: pathlib.Path):
    log = capture.OutputLog(str(tmp_path), 20)
    log.write(bytes(range(100)))
    ring = (tmp_path / capture.TAIL_RING).read_bytes()
    log.finish()
    first = (tmp_path / capture.RAW_LOG).read_bytes()
    (tmp_path / capture.TAIL_RING).write_bytes(ring)
    with (tmp_path / capture.RAW_LOG).open("r+b") as file:
        file.truncate(15)
    again = capture.OutputLog(str(tmp_path), 20)
    again.recover()
    again.finish()
    assert (tmp_path / capture.RAW_LOG).read_bytes() == first
    assert (again.total, again.cut) == (log.total, log.cut)


def test_a_full_disk_is_told_and_does_not_stop_the_agent(tmp_path: pathlib.Path, monkeypatch):
    log = capture.OutputLog(str(tmp_path), 1000)
    log.write(b"kept")

    def full(handle: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records, "write_all", full)
    log.write(b"not kept")
    log.finish()
    assert (tmp_path / capture.RAW_LOG).read_bytes() == b"kept"
    assert log.problem == "output from byte 4 on could not be kept: No space left on device"
