"""The table of kinds, the light imports it promises, and the leaves in kit."""

import subprocess
import sys

import pytest

from orchctl.api import kinds
from orchctl.kit import digest, durations, names, text

HEAVY = ("pydantic", "dataclasses", "typing", "difflib", "pygit2", "ruamel", "rich", "asyncio", "subprocess", "pathlib")


def test_the_table_is_found_by_every_word_for_a_kind():
    for word in ("Task", "tasks", "task", "t", "task.orchctl.dev", "tasks.v1alpha1.orchctl.dev"):
        found = kinds.find(word)
        assert found is not None
        assert found.kind == "Task"
    assert kinds.find("taks") is None
    assert kinds.suggest("taks") in ("task", "tasks")
    assert [each.kind for each in kinds.KINDS.values() if not each.namespaced] == ["Agent", "Settings", "Account"]


def test_the_table_and_kit_import_nothing_heavy():
    code = "import sys; before = set(sys.modules)\n"
    code += "from orchctl.api import kinds; from orchctl.kit import text, durations\n"
    code += f"print([m for m in {HEAVY!r} if m in sys.modules and m not in before])"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, env=environment()
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def environment() -> dict[str, str]:
    import orchctl

    return {"PYTHONPATH": orchctl.__file__.rsplit("/", 2)[0]}


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Fix the Login!", "fix-the-login"),
        ("Überraschung in Zürich", "uberraschung-in-zurich"),
        ("  ../../etc ", "etc"),
        ("日本", "task"),
        ("", "task"),
        ("a" * 80, "a" * 40),
        ("one two three four five six seven eight nine ten", "one-two-three-four-five-six-seven-eight"),
    ],
)
def test_a_slug_is_always_a_name(title, name):
    assert names.slug(title) == name
    assert names.is_name(name)


@pytest.mark.parametrize("bad", ["", "A", "-a", "a-", "a.b", "a/b", "a\n", "é", "a" * 64])
def test_what_is_no_rfc_1123_label_is_no_name(bad):
    assert not names.is_name(bad)


def test_durations_and_sizes_are_one_number_and_one_unit():
    assert [durations.duration_s(each) for each in ("90s", "10m", "2h", "3d")] == [90, 600, 7200, 259200]
    assert [durations.size_bytes(each) for each in ("5", "20Mi")] == [5, 20 * 2**20]
    for bad in ("", "0s", "1", "1.5h", "1h30m", "-1s", "1 h", "1H", "9999999s", "1s\n"):
        with pytest.raises(ValueError, match="must be a duration"):
            durations.duration_s(bad)
    assert [durations.short_age(each) for each in (0, 119, 300, 312, 840, 12_000, 90_000, 800_000)] == [
        "0s",
        "119s",
        "5m",
        "5m12s",
        "14m",
        "3h20m",
        "25h",
        "9d",
    ]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07a", "a"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;aGk=\x1b\\b", "b"),
        ("a\x1bPq#0\x1b\\b", "ab"),
        ("\x9b31mred", "red"),
        ("a\x1b", "a"),
        ("a\x00b\x07c\x7fd", "abcd"),
        ("10%\r20%\r\nend", "10%\n20%\nend"),
        ("a\u202eb\u2066c\ufeffd", "abcd"),
        ("a\ud800b", "ab"),
        ("\x1b]unterminated\nnext", "\nnext"),
    ],
)
def test_what_is_shown_has_no_control_of_the_screen(raw, shown):
    assert text.sanitise(raw) == shown


def test_text_is_cut_and_put_on_one_line():
    assert text.truncate("abcdef", 4) == "abc…"
    assert text.one_line(" a\n\x1b[1mb\t c ") == "a b c"
    assert text.did_you_mean("Projct", ["Project", "Role"]) == "Project"
    assert text.did_you_mean("zzz", ["Project"]) is None


def test_canonical_json_does_not_depend_on_order():
    assert digest.canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
    assert digest.short_digest("a") == digest.sha256_hex("a")[:12]
    with pytest.raises(ValueError, match="Out of range"):
        digest.canonical_json(float("nan"))
