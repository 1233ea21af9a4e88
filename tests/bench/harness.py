"""Measures ours against a floor in the same run, so that a figure means the same on every machine.

A bench is a module bench_p<N>.py with `figures(folder) -> Iterable[Figure]`; the folder is removed afterwards.
Ours and the floor run in turns: what slows the machine slows both. No bench may depend on a network.
"""

import importlib
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
WARM_RUNS = 2  # byte code is written and the page cache filled before anything counts


@dataclass(frozen=True, slots=True)
class Figure:
    """`goal` bounds the ratio of ours to the floor, or, where `absolute`, the seconds of ours."""

    name: str
    value_s: float
    floor_s: float
    goal: float
    absolute: bool = False

    @property
    def ratio(self) -> float:
        return self.value_s / self.floor_s

    @property
    def is_over(self) -> bool:
        return (self.value_s if self.absolute else self.ratio) > self.goal

    def line(self, bench: str) -> str:
        verdict = "over" if self.is_over else "ok"
        goal = f"{self.goal * 1000:g}ms" if self.absolute else f"{self.goal:g}"
        return (
            f"{bench} {self.name} {self.value_s * 1000:.2f}ms floor {self.floor_s * 1000:.2f}ms "
            f"ratio {self.ratio:.2f} goal <={goal} {verdict}"
        )


def compare(
    name: str,
    ours: Callable[[], None],
    floor: Callable[[], None],
    *,
    goal: float,
    runs: int,
    absolute: bool = False,
) -> Figure:
    """Lower quartiles over interleaved runs: what a neighbour on the machine adds is never ours, on either side."""
    ours_s, floor_s = [], []
    for number in range(WARM_RUNS + runs):
        spent = (timed(ours), timed(floor))
        if number >= WARM_RUNS:
            ours_s.append(spent[0])
            floor_s.append(spent[1])
    return Figure(name, _quartile(ours_s), _quartile(floor_s), goal, absolute)


def _quartile(taken_s: list[float]) -> float:
    return statistics.quantiles(taken_s, n=4, method="inclusive")[0]


def timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def known() -> list[str]:
    names = [match.group(1) for path in HERE.glob("bench_p*.py") if (match := re.fullmatch(r"bench_p(\d+)", path.stem))]
    return [f"P{name}" for name in sorted(names, key=int)]


def main(wanted: Iterable[str]) -> int:
    chosen = [name.upper() for name in wanted] or known()
    if strange := [name for name in chosen if name not in known()]:
        print(f"error: no bench {', '.join(strange)}: there is {', '.join(known())}", file=sys.stderr)
        return 2
    over = False
    for name in chosen:
        bench = importlib.import_module(f"tests.bench.bench_{name.lower()}")
        with tempfile.TemporaryDirectory(prefix="orchctl-bench-") as folder:
            for figure in bench.figures(Path(folder)):
                print(figure.line(name), flush=True)
                over = over or figure.is_over
    return 1 if over else 0
