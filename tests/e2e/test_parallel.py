"""Several tasks at once (MRG-1, MRG-3, TASK-7)."""

from __future__ import annotations

from tests.e2e import sandbox

TASKS = 6
LIMIT = 2


def test_mrg_3_tasks_over_different_files_are_all_merged(box: sandbox.Sandbox) -> None:
    """Each lands on top of the others', one commit each; never more agents at once than the limit (TASK-7)."""
    marks = box.root / "marks"
    box.write("greet.sh", "echo hello\n")
    box.write("manifests/project.yaml", f"{sandbox.PROJECT}  limits: {{sessions: {LIMIT}}}\n")
    for number in range(TASKS):
        name = f"task-{number}"
        script = [f"append {marks} +", "wait 0.2", f"write made-{number}.txt {number}", f"append {marks} -"]
        box.write(f"manifests/{name}.yaml", sandbox.task(*script, name=name))
    box.commit("Six at once")
    box.until_idle()
    listed = box.orchctl("get", "tasks")
    assert listed.count("Merged") == TASKS, listed
    for number in range(TASKS):
        assert (box.repo / f"made-{number}.txt").read_text() == f"{number}\n"
    assert box.git("rev-list", "--count", "main") == str(1 + TASKS)
    assert box.git("rev-list", "--merges", "--count", "main") == "0"
    assert box.git("status", "--porcelain") == ""
    alive, most = 0, 0
    for mark in marks.read_text().split():
        alive += 1 if mark == "+" else -1
        most = max(most, alive)
    assert 1 <= most <= LIMIT
    assert len(marks.read_text().split()) == 2 * TASKS


def test_task_7_a_task_that_waits_for_a_slot_says_so(box: sandbox.Sandbox) -> None:
    go = box.root / "go"
    box.write("greet.sh", "echo hello\n")
    box.write("manifests/project.yaml", f"{sandbox.PROJECT}  limits: {{sessions: 1}}\n")
    box.write("manifests/a.yaml", sandbox.task(f"wait-for {go} 30", "write a.txt a", name="a"))
    box.write("manifests/b.yaml", sandbox.task("write b.txt b", name="b", extra="  priority: -1\n"))
    box.commit("Start")
    with box.controller():
        box.until_summary("b", "Waiting(Capacity)")
        assert "1 of 1 sessions" in box.orchctl("why", "task/b")
        go.touch()
        box.until_summary("a", "Merged")
        box.until_summary("b", "Merged")


def test_mrg_2_tasks_that_conflict_do_not_both_land(box: sandbox.Sandbox) -> None:
    """The loser says with what it conflicts, and its work is kept."""
    box.write("greet.sh", "echo hello\n")
    both = box.root / "both"
    for name, other in (("a", "b"), ("b", "a")):
        script = (f"write {both}-{name} x", f"wait-for {both}-{other} 30", f"write word.txt {name}")
        box.write(f"manifests/{name}.yaml", sandbox.task(*script, name=name))
    box.commit("Two ways")
    box.until_idle()
    ends = {name: box.object("task", name)["status"]["summary"] for name in "ab"}
    assert sorted(ends.values()) == ["Failed", "Merged"], ends
    (loser,) = [name for name, end in ends.items() if end == "Failed"]
    assert "word.txt" in box.orchctl("why", f"task/{loser}")
    assert loser in box.kept("word.txt")
    assert box.git("status", "--porcelain") == ""


def test_log_8_a_project_whose_folder_is_a_link_to_itself_harms_no_other(box: sandbox.Sandbox) -> None:
    (box.root / "loop").symlink_to("loop")
    (box.root / "empty").mkdir()
    for name in ("loop", "empty"):
        project = sandbox.PROJECT.replace("name: shop", f"name: {name}")
        box.write(f"manifests/{name}.yaml", f"{project}  repo: {{url: ../{name}, branch: main}}\n")
        box.write(f"manifests/{name}-task.yaml", sandbox.task(sandbox.FIX, name=name, extra=f"  project: {name}\n"))
    box.write("manifests/fix.yaml", sandbox.task(sandbox.FIX, extra="  project: shop\n"))
    box.commit("One good, two bad")
    with box.controller():
        box.until_summary("fix", "Merged")
        for name in ("loop", "empty"):
            box.until_summary(name, "Failed")
