"""Each rule over several fields refuses what it is there for, where it stands, and lets the good one beside it pass."""

import pytest

from orchctl.adapters import manifests
from orchctl.api import kinds

TASK = "{prompt: x, FIELD}"
STAGES = "{stages: [FIELD]}"
POLICY = "{approvals: {FIELD}}"
ROLE = "name: a, role: r"

GOOD = {
    "Account": ["{}", "{prices: [{model: m, inputPerM: 3, outputPerM: '0.50'}]}"],
    "Agent": ["{backend: codex}", "{backend: command, command: [x]}"],
    "Policy": ["{approvals: {required: 0}}", "{approvals: {approvers: {owners: true}}}"],
    "Task": [
        "{prompt: x, startAfter: '2026-01-01T00:00:00Z', deadline: '2026-01-02T00:00:00Z'}",
        "{prompt: x, base: {task: y}, budget: {usd: 5, wall: 2h}, dependsOn: [{task: other/y}]}",
        "{prompt: x, touches: ['src/**'], mergeGroup: g, suspend: true, params: {ticket: A-1}}",
    ],
    "Trigger": [
        "{schedule: {cron: '0 2 * * 1-5', timeZone: Europe/Berlin}, template: {spec: {prompt: x}}}",
        "{git: {branch: main, paths: ['deps/**']}, template: {spec: {prompt: x}}}",
    ],
    "Pipeline": [
        "{stages: [{name: a, role: r}, {name: b, role: r, onFailure: {goto: a}}]}",
        "{stages: [{name: p, role: planner}, {name: t, tasks: {forEach: {stage: p}}}]}",
        "{stages: [{name: a, gates: [{checks: {}}, {name: two, checks: {}}, {delay: {for: 5m}}]}]}",
        "{params: [{name: n}], stages: [{name: t, tasks: {forEach: {param: n}}}], finally: [{name: f, role: r}]}",
    ],
    "Session": ["{prompt: x}", "{forkFrom: {session: s, turn: 3}}", "{interactive: true}"],
    "Approval": [
        "{subject: {name: t, uid: u, stage: s, gate: g, attempt: 1, commit: 9f1c0aa, workDigest: abcdef0,"
        " evidenceDigest: abcdef0, policyDigest: abcdef0}, decision: Approved}"
    ],
    "Question": ["{subject: {kind: Session, name: s}}", "{subject: {kind: Session, name: s}, answer: {text: yes}}"],
    "Budget": ["{max: {usd: 40}, period: {every: Day}}"],
    "Milestone": ["{documents: ['docs/**/*.md']}"],
    "Board": [
        '{columns: [{name: Doing, when: \'task.stage in ["a", "b"]\'}], pins: [{kind: Task, name: t, x: 1, y: -2}]}'
    ],
    "MergeQueue": ["{project: p, target: main}"],
    "Role": ["{output: {schema: {type: object}}}", "{output: {contract: review}, access: ReadOnly}"],
    "Worktree": ["{branch: b, quota: 5Gi, ttl: 7d}"],
    "Project": ["{checks: [{name: a, run: x}, {name: b, run: x}]}", "{guardrails: {commit: {pattern: '^fix: '}}}"],
    "Settings": ["{notify: [{events: [Failed], file: news.txt}]}"],
}

BAD = [
    ("Agent", "{backend: command}", "spec.command: must name a program"),
    ("Agent", "{backend: script, command: ['']}", "spec.command[0]: must be the program"),
    ("Account", "{secrets: [{env: A, fromFile: a}, {env: A, fromFile: b}]}", "spec.secrets[1].env: must be unique"),
    ("Account", "{prices: [{model: m, inputPerM: 0.5, outputPerM: 1}]}", "spec.prices[0].inputPerM: must be an amount"),
    ("Policy", "{approvals: {}}", "spec.approvals.approvers: must name somebody"),
    ("Policy", "{approvals: {approvers: {}}}", "spec.approvals.approvers: must name somebody"),
    (
        "Policy",
        "{approvals: {approvers: {owners: true}, minimum: {human: 2}}}",
        "spec.approvals.minimum: must be at most",
    ),
    (
        "Policy",
        "{approvals: {required: 0}, bot: [{name: a, when: 'x', decision: Approved}]}",
        "spec.bot[0].when: must only",
    ),
    ("Task", "{prompt: x, base: {branch: a, task: b}}", "spec.base: must have exactly one of `branch`, `task`"),
    ("Task", "{prompt: x, base: {}}", "spec.base: must have exactly one"),
    ("Task", "{prompt: x, budget: {}}", "spec.budget: must have at least one"),
    ("Task", "{prompt: x, reads: [{}]}", "spec.reads[0]: must have exactly one"),
    ("Task", "{prompt: x, dependsOn: [{task: a}, {task: a}]}", "spec.dependsOn[1].task: must be unique"),
    ("Task", "{prompt: x, startAfter: '2026-02-30T00:00:00Z'}", "spec.startAfter: must be a time that exists"),
    (
        "Task",
        "{prompt: x, startAfter: '2026-01-02T00:00:00Z', deadline: '2026-01-02T00:00:00Z'}",
        "spec.deadline: must be later than `startAfter`",
    ),
    ("Task", "{prompt: x, touches: ['/etc/**']}", "spec.touches[0]: must be a glob relative"),
    ("Task", "{prompt: x, touches: ['a/../../b']}", "spec.touches[0]: must be a glob relative"),
    ("Task", "{prompt: x, agents: [Claude]}", "spec.agents[0]: must be the name of an Agent"),
    ("Trigger", "{template: {spec: {prompt: x}}}", "spec: must have exactly one of `schedule`"),
    ("Trigger", "{interval: {every: 1h}, template: {}}", "spec.template.spec.prompt: must have a prompt"),
    (
        "Trigger",
        "{schedule: {cron: '0 2 * *  '}, template: {spec: {prompt: x}}}",
        "spec.schedule.cron: must be a schedule",
    ),
    ("Trigger", "{schedule: {cron: '99 2 * * *'}, template: {spec: {prompt: x}}}", "spec.schedule.cron: must be a"),
    (
        "Trigger",
        "{schedule: {cron: '0 2 * * *', timeZone: Berlin}, template: {spec: {prompt: x}}}",
        "spec.schedule.timeZone: must be a time zone",
    ),
    (
        "Trigger",
        "{schedule: {cron: '0 2 * * *', timeZone: ../../etc/passwd}, template: {spec: {prompt: x}}}",
        "spec.schedule.timeZone: must be a time zone",
    ),
    ("Session", "{}", "spec: must have a `prompt`, a `forkFrom`"),
    ("Session", "{prompt: x, worktree: {name: a, branch: b}}", "spec.worktree: must have at most one"),
    ("Question", "{subject: {kind: Task, name: t}, answer: {}}", "spec.answer: must have an `option` or a `text`"),
    ("Role", "{output: {}}", "spec.output: must have exactly one of `contract` and `schema`"),
    ("Role", "{tools: {mcp: [{name: a, command: [x]}, {name: a, command: [x]}]}}", "spec.tools.mcp[1].name: must be"),
    ("Board", "{columns: [{name: a, when: '1 +'}]}", "spec.columns[0].when: must be a CEL expression"),
    ("Board", "{columns: [{name: a, when: os.getenv}]}", "spec.columns[0].when: must only use task, project"),
    ("Project", "{checks: [{name: a, run: x}, {name: a, run: y}]}", "spec.checks[1].name: must be unique"),
    ("Project", "{guardrails: {commit: {pattern: '('}}}", "spec.guardrails.commit.pattern: must be a regular"),
    ("Settings", "{notify: [{events: [Failed]}]}", "spec.notify[0]: must have exactly one of `command`, `file`"),
    ("Settings", "{source: {publish: {ref: refs/heads/main}}}", "spec.source.publish.ref: must"),
]

BAD_STAGES = [
    ("{name: a, gates: [{}]}", "stages[0].gates[0]: must have exactly one"),
    ("{name: a, gates: [{checks: {}, cel: {expression: 'true'}}]}", "stages[0].gates[0]: must have exactly one"),
    ("{name: a, gates: [{files: {}}]}", "stages[0].gates[0].files: must have at least one"),
    (
        "{name: a, gates: [{name: checks, cel: {expression: 'true'}}, {checks: {}}]}",
        "stages[0].gates[1]: must be unique",
    ),
    ("{name: a, gates: [{checks: {}}], prompt: x}", "stages[0].prompt: must not be given without `role`"),
    ("{name: a, gates: [{checks: {}}], agents: [x]}", "stages[0].agents: must not be given without `role`"),
    ("{name: a, gates: [{checks: {}}], timeout: 1h}", "stages[0].timeout: must not be given without `role`"),
    ("{name: a, use: {pipeline: p}, tasks: {forEach: {items: [x]}}}", "stages[0]: must have at most one"),
    ("{name: a, tasks: {forEach: {}}}", "stages[0].tasks.forEach: must have exactly one"),
    ("{name: a, tasks: {forEach: {stage: a}}}", "stages[0].tasks.forEach.stage: must be an earlier stage"),
    ("{name: a, tasks: {forEach: {param: n}}}", "stages[0].tasks.forEach.param: must be one of the pipeline's"),
    ("{name: a, merge: {}}, {name: b, merge: {}}", "stages[0].merge: must be in the last stage"),
    ("{name: a, role: r, onFailure: {goto: b}}, {name: b, role: r}", "stages[0].onFailure.goto: must be this stage"),
    ("{name: a, role: r, variants: {agents: [x, y], keep: {}}}", "stages[0].variants.keep: must have exactly one"),
    (
        "{name: a, panel: {members: [{name: a, role: r}, {name: a, role: r}]}}",
        "stages[0].panel.members[1].name: must be",
    ),
    (
        "{name: a, gates: [{cel: {expression: 'diff.paths.all(a, diff.paths.all(b, diff.paths.all(c, a == b)))'}}]}",
        "stages[0].gates[0].cel.expression: must walk lists at most two deep",
    ),
    (
        "{name: a, gates: [{cel: {expression: 'feedback != \"\"'}}]}",
        "stages[0].gates[0].cel.expression: must only use task, project, params, stages, diff, evidence",
    ),
    ("{name: a, gates: [{window: {cron: x y z 1 2, duration: 8h}}]}", "stages[0].gates[0].window.cron: must be a"),
]


def said(kind: str, spec: str, name: str = "default") -> list[str]:
    text = f"apiVersion: orchctl.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    loaded = manifests.parse(text.encode(), "a.yaml")
    assert len(loaded.documents) == (0 if loaded.problems else 1)
    return [str(problem).split(": error: ", 1)[1] for problem in loaded.problems]


def test_each_kind_has_a_good_example():
    assert GOOD.keys() == kinds.KINDS.keys()


@pytest.mark.parametrize(("kind", "spec"), [(kind, spec) for kind, specs in GOOD.items() for spec in specs])
def test_a_good_one_passes(kind, spec):
    assert said(kind, spec) == []


@pytest.mark.parametrize(("kind", "spec", "message"), BAD)
def test_a_bad_one_is_refused_where_it_stands(kind, spec, message):
    (first, *_) = said(kind, spec)
    assert first.startswith(message)


@pytest.mark.parametrize(("stages", "message"), BAD_STAGES)
def test_a_bad_stage_is_refused_where_it_stands(stages, message):
    (first, *_) = said("Pipeline", f"{{stages: [{stages}]}}")
    assert first.startswith(f"spec.{message}")


def test_what_runs_after_the_end_cannot_go_back():
    (problem,) = said("Pipeline", "{stages: [{name: a, role: r}], finally: [{name: f, merge: {}}]}")
    assert problem.startswith("spec.finally[0]: must not merge")


def test_there_is_one_settings_and_it_is_called_default():
    assert said("Settings", "{}", "other") == ["metadata.name: must be 'default': there is one Settings [not_allowed]"]


def test_every_entry_at_fault_is_named_and_the_first_of_its_name_is_right():
    stages = ", ".join("{name: a, role: r}" for _ in range(3))
    fields = [each.split(":")[0] for each in said("Pipeline", f"{{stages: [{stages}]}}")]
    assert fields == ["spec.stages[1].name", "spec.stages[2].name"]


def test_an_amount_of_money_is_the_same_however_it_is_written():
    text = "apiVersion: orchctl.dev/v1alpha1\nkind: Budget\nmetadata: {name: a}\nspec: {max: {usd: AMOUNT}}\n"
    specs = [
        manifests.parse(text.replace("AMOUNT", each).encode(), "a").documents[0].spec_json for each in ("5", "'5'")
    ]
    assert specs[0] == specs[1]
