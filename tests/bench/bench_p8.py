"""P8: a command that only reads starts at once.

Ours is the console script people run; the floor is the same interpreter of the same environment doing nothing, so that
site, .pth files and dynamic linking weigh on both sides. Flags that make a bare interpreter faster are not used: nobody
starts orchctl with them.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import harness
from tests.unit.cli import ledger_fixture

GOAL = 3.0
RUNS = 25
DEADLINE_S = 30


def figures(folder: Path) -> Iterator[harness.Figure]:
    repo = ledger_fixture.make_repo(folder)
    ledger_fixture.name_repo(repo)
    ledger = ledger_fixture.Ledger(folder / "state/orchctl" / ledger_fixture.UID)
    ledger_fixture.fill(ledger)
    ledger.close()
    env = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    orchctl = str(Path(sys.executable).with_name("orchctl"))
    floor = command([sys.executable, "-c", "pass"], repo, env)
    for name, arguments in (("get-tasks", ["get", "tasks"]), ("help", ["--help"])):
        ours = command([orchctl, *arguments], repo, env)
        yield harness.compare(name, ours, floor, goal=GOAL, runs=RUNS)


def command(argv: list[str], cwd: Path, env: dict[str, str]) -> Callable[[], None]:
    def run() -> None:
        subprocess.run(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, check=True, timeout=DEADLINE_S)

    return run
