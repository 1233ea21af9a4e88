"""Which seeds the tests run: as many as the gate has time for, and all that ever found a defect."""

from pathlib import Path

from orchctl.testing.sim.scenario import Story

GATE = 2_000
AT_ONCE = 50  # seeds of one test, so that workers share them evenly
FILE = Path(__file__).with_name("seeds.txt")


def kept() -> list[Story]:
    """Each line: a seed and, after a space, the parts left out; `#` starts a comment."""
    lines = [line.split("#")[0].split() for line in FILE.read_text(encoding="utf-8").splitlines()]
    return [Story(int(words[0]), frozenset(",".join(words[1:]).split(",")) - {""}) for words in lines if words]
