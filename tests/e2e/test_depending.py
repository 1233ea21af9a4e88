"""Tasks that depend on each other and on the clock, with a real controller (TASK-3, TIME-2)."""

from __future__ import annotations

import datetime

from tests.e2e import sandbox


def after(*names: str) -> str:
    return "  dependsOn: [" + ", ".join(f"{{task: {name}}}" for name in names) + "]\n"


def test_task_3_a_diamond_lands_in_order_each_on_the_work_of_those_before(box: sandbox.Sandbox) -> None:
    box.write("greet.sh", "echo hello\n")
    for name, needed in (("d", "bc"), ("c", "a"), ("b", "a"), ("a", "")):
        there = [f"run test -f {one}.txt" for one in needed]
        extra = after(*needed) if needed else ""
        box.write(f"manifests/{name}.yaml", sandbox.task(*there, f"append {name}.txt {name}", name=name, extra=extra))
    box.commit("Ask for four files")
    box.until_idle()
    assert [box.summary(name) for name in "abcd"] == ["Merged"] * 4
    assert set(box.git("ls-tree", "--name-only", "HEAD").split()) >= {"a.txt", "b.txt", "c.txt", "d.txt"}


def test_time_2_a_task_starts_at_its_time_and_is_not_waited_for_when_idle(box: sandbox.Sandbox) -> None:
    now = datetime.datetime.now(datetime.UTC)
    later, soon = (f"{now + datetime.timedelta(seconds=s):%Y-%m-%dT%H:%M:%SZ}" for s in (3_600, 6))
    box.write("manifests/task.yaml", sandbox.task(sandbox.FIX, extra=f"  startAfter: {later}\n"))
    box.commit("Ask for a greeting")
    box.until_idle()
    assert box.summary("fix") == "Waiting(StartAfter)"
    box.write("manifests/task.yaml", sandbox.task(sandbox.FIX, extra=f"  startAfter: {soon}\n"))
    box.commit("Sooner")
    with box.controller():
        box.until_summary("fix", "Merged")
    ((at,),) = box.select("SELECT at FROM events WHERE type = 'StartTimeReached'")
    assert soon <= f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
