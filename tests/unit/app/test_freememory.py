"""Free memory is a fact only when it crosses what Settings want (TASK-7)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from orchctl.adapters.host import memory
from orchctl.app import freememory
from orchctl.core import events
from orchctl.core.ids import Key
from orchctl.core.state import Object, State
from tests.unit.core import builders

GIB = 1 << 30


class Nothing:
    def facts(self, state: State) -> list[events.Event]:
        return []


def settings(size: str) -> events.ObjectAdmitted:
    fact = builders.admitted("Settings", "default", {"minFreeMemory": size})
    return dataclasses.replace(fact, key=Key("Settings//default"))


def test_task_7_only_a_crossing_is_told_and_the_way_back_is_a_tenth_longer() -> None:
    bench = builders.bench(settings("2Gi"))
    seen = iter((3 * GIB, 2 * GIB - 1, GIB, 2 * GIB, 2 * GIB + GIB // 4, 3 * GIB, GIB))
    watch = freememory.MemoryWatch(Nothing(), lambda: next(seen))
    told = []
    for _ in range(7):
        found = watch.facts(bench.machine.state)
        told.append([one.short for one in found if isinstance(one, events.MemoryObserved)])
        bench.give(*found)
    assert told == [[], [True], [], [], [False], [], [True]]


def test_task_7_an_edit_of_settings_counts_while_memory_is_short() -> None:
    bench = builders.bench(settings("2Gi"))
    watch = freememory.MemoryWatch(Nothing(), lambda: GIB)
    bench.give(*watch.facts(bench.machine.state))
    bench.give(dataclasses.replace(settings("4Gi"), generation=2))
    (wider,) = watch.facts(bench.machine.state)
    assert (wider.wanted, wider.short) == (4 * GIB, True)  # type: ignore[attr-defined]
    bench.give(wider)
    bench.give(dataclasses.replace(settings("4Gi"), spec="{}", spec_digest="none", generation=3))
    (lifted,) = watch.facts(bench.machine.state)
    assert lifted.short is False  # type: ignore[attr-defined]
    bench.give(lifted)
    assert watch.facts(bench.machine.state) == []


def test_where_the_kernel_says_nothing_nobody_is_held(tmp_path: Path) -> None:
    assert memory.free_bytes(tmp_path / "none") is None
    (tmp_path / "odd").write_text("MemTotal: 1 kB\n")
    assert memory.free_bytes(tmp_path / "odd") is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    5 kB\n")
    assert memory.free_bytes(tmp_path / "meminfo") == 5 * 1024
    state = State(objects={Key("Settings//default"): Object(Key("Settings//default"), events.Now(0, 0))})
    assert freememory.crossing(state, None) is None
