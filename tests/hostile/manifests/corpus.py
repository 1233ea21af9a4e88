"""Manifests somebody hostile or unlucky could write: each must be refused soon, small and with a place (T1 to T4).

Read by `measure`, which parses each in a process of its own, and by the property tests of the loader.
"""

from __future__ import annotations

HEAD = "apiVersion: orchctl.dev/v1alpha1\nkind: Task\nmetadata: {name: a}\nspec: {prompt: x}\n"
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{c}: &{c} [*{p}, *{p}, *{p}, *{p}]\n" for p, c in zip("abcdefghij", "bcdefghijk", strict=True)
)


def _of(kind: str, spec: str) -> bytes:
    return HEAD.replace("Task", kind).replace("{prompt: x}", spec).encode()


_TRIGGER = "{schedule: {cron: '0 2 * * *', timeZone: 'UTC'}, template: {spec: {prompt: x}}}"
_BOARD = '{columns: [{name: a, when: "WHEN"}]}'
_APPROVAL = (
    "{subject: {name: t, uid: u, stage: s, gate: g, attempt: 1, commit: 9f1c0aa, workDigest: abcdef0,"
    " evidenceDigest: abcdef0, policyDigest: abcdef0}, decision: Approved}"
)

HOSTILE = {
    "billion laughs": LAUGHS.encode(),
    "million element list": b"[" + b"a," * 1_000_000 + b"]",
    "long list in the size limit": b"[" + b"a," * 100_000 + b"]",
    "deep flow lists": b"[" * 900,
    "deep flow maps": b"{a: " * 900,
    "deep block lists": b"- " * 900 + b"x",
    "deep explicit keys": b"? " * 900 + b"x",
    "hundred thousand keys": b"".join(b"k%d: 1\n" % number for number in range(100_000)),
    "many keys in the size limit": b"".join(b"k%d: 1\n" % number for number in range(20_000)),
    "huge integer": (HEAD + "x: " + "9" * 5_000).encode(),
    "huge float": (HEAD + "x: 1" + "0" * 5_000 + ".0").encode(),
    "huge hexadecimal": (HEAD + "x: 0x" + "f" * 5_000).encode(),
    "python tag": (HEAD + "x: !!python/object/apply:os.system [id]\n").encode(),
    "own tag": (HEAD + "x: !env HOME\n").encode(),
    "binary tag": (HEAD + "x: !!binary aGk=\n").encode(),
    "nul byte": HEAD.encode() + b"# \x00\n",
    "escape byte": HEAD.encode() + b"# \x1b[2J\n",
    "escaped nul": (HEAD + 'x: "\\0"\n').encode(),
    "escaped surrogate": (HEAD + 'x: "\\ud800"\n').encode(),
    "utf-8 mark": b"\xef\xbb\xbf" + HEAD.encode(),
    "utf-16": HEAD.encode("utf-16"),
    "utf-16 without mark": HEAD.encode("utf-16-le"),
    "invalid utf-8": HEAD.encode() + b"# \xff\n",
    "recursive alias": (HEAD + "x: &x [*x]\n").encode(),
    "unknown alias": (HEAD + "x: *y\n").encode(),
    "many aliases": (HEAD + "x: &x y\nz: [" + "*x," * 100 + "]\n").encode(),
    "many anchors": b"".join(b"- &a%d x\n" % number for number in range(15_000)),
    "many documents": b"--- {}\n" * 1_000,
    "many broken documents": b"--- ]\n" * 1_000,
    "many directives": b"%TAG !a! b\n" * 10_000 + b"---\n",
    "many problems": (HEAD + "".join(f"x{number}: 1\n" for number in range(1_000))).encode(),
    "merge key": (HEAD + "<<: {a: b}\n").encode(),
    "duplicate key": (HEAD + "kind: Task\n").encode(),
    "mapping as key": (HEAD + "? {a: b}\n: c\n").encode(),
    "tab indent": (HEAD + "x:\n\ty: 1\n").encode(),
    "not a mapping": b"just words\n",
    "nan": (HEAD.replace("prompt: x", "prompt: x, priority: .nan")).encode(),
    "infinity": (HEAD.replace("prompt: x", "prompt: x, priority: .inf")).encode(),
    "path as name": HEAD.replace("name: a", "name: ../../a").encode(),
    "newline in name": HEAD.replace("name: a", 'name: "a\\n"').encode(),
    "long name": HEAD.replace("name: a", "name: " + "a" * 64).encode(),
    "long prompt": HEAD.replace("prompt: x", "prompt: " + "a" * 70_000).encode(),
    "alias bomb in a flow list": LAUGHS.replace("\n", "\n\n").encode(),
    "alias bomb in a document of ours": (
        HEAD
        + "x: &a [y, y, y, y]\n"
        + "".join(f"x{n}: &a{n} [{', '.join(f'*a{n - 1}' if n else '*a' for _ in range(8))}]\n" for n in range(7))
    ).encode(),
    "sixty thousand problems": (HEAD + "".join(f"x{n}: 1\n" for n in range(18_000))).encode(),
    "a list as apiVersion": HEAD.replace("orchctl.dev/v1alpha1", "[orchctl.dev/v1alpha1]", 1).encode() + b"kind: 5\n",
    "a mapping as kind": HEAD.replace("kind: Task", "kind: {a: b}").encode(),
    "a number as kind": HEAD.replace("kind: Task", "kind: 7").encode(),
    "a list as metadata": HEAD.replace("{name: a}", "[a]").encode(),
    "metadata is null": HEAD.replace("{name: a}", "").encode(),
    "a number as name": HEAD.replace("name: a", "name: 7").encode(),
    "a slash in the namespace": HEAD.replace("name: a", "name: a, namespace: a/b").encode(),
    "a trailing dot in the name": HEAD.replace("name: a", "name: a.").encode(),
    "capitals in the name": HEAD.replace("name: a", "name: Admin").encode(),
    "letters that look alike": HEAD.replace("name: a", "name: \u0430dmin").encode(),
    "zero width joiner in the name": HEAD.replace("name: a", "name: a\u200db").encode(),
    "thousand labels": HEAD.replace(
        "name: a", "name: a, labels: {" + ", ".join(f"l{n}: v" for n in range(1_000)) + "}"
    ).encode(),
    "a label with an escape": HEAD.replace("name: a", 'name: a, labels: {x: "\\e[2J"}').encode(),
    "the controller's own fields": HEAD.replace("name: a", "name: a, ownerReferences: [], finalizers: [x]").encode(),
    "status": (HEAD + "status: {conditions: []}\n").encode(),
    "a direction mark in the title": HEAD.replace("prompt: x", 'prompt: x, title: "a\\u202eb"').encode(),
    "a new line in the title": HEAD.replace("prompt: x", 'prompt: x, title: "a\\nb"').encode(),
    "a sexagesimal number": HEAD.replace("prompt: x", "prompt: x, priority: 1:30").encode(),
    "an octal number": HEAD.replace("prompt: x", "prompt: x, priority: 0o17777777777777777777777").encode(),
    "a date as key": (HEAD + "2026-01-01: x\nyes: y\n").encode(),
    "null as key": (HEAD + "~: x\n").encode(),
    "glob out of the repository": HEAD.replace("prompt: x", "prompt: x, touches: [../../etc/*]").encode(),
    "absolute glob": HEAD.replace("prompt: x", "prompt: x, touches: [/etc/passwd]").encode(),
    "a branch that is an option": HEAD.replace("prompt: x", "prompt: x, base: {branch: --upload-pack=x}").encode(),
    "a branch out of refs": HEAD.replace("prompt: x", "prompt: x, base: {branch: ../../heads/x}").encode(),
    "a branch that is a lock": HEAD.replace("prompt: x", "prompt: x, base: {branch: a.lock}").encode(),
    "an agent with a path": HEAD.replace("prompt: x", "prompt: x, agents: [../../bin/sh]").encode(),
    "a reference with two slashes": HEAD.replace("prompt: x", "prompt: x, dependsOn: [{task: a/b/c}]").encode(),
    "a hundred dependencies": HEAD.replace(
        "prompt: x", "prompt: x, dependsOn: [" + ", ".join(f"{{task: t{n}}}" for n in range(100)) + "]"
    ).encode(),
    "money as float": HEAD.replace("prompt: x", "prompt: x, budget: {usd: 0.1}").encode(),
    "money as exponent": HEAD.replace("prompt: x", "prompt: x, budget: {usd: '1e9'}").encode(),
    "negative money": HEAD.replace("prompt: x", "prompt: x, budget: {usd: -1}").encode(),
    "money in other digits": HEAD.replace("prompt: x", "prompt: x, budget: {usd: '\u0665'}").encode(),
    "a day that is not": HEAD.replace("prompt: x", "prompt: x, deadline: '2026-02-30T00:00:00Z'").encode(),
    "a duration of ages": HEAD.replace("prompt: x", "prompt: x, timeout: 9999999d").encode(),
    "variable name with a command": _of("Agent", "{backend: script, env: {'A=$(id)': x}}"),
    "variable name with nul": _of("Agent", '{backend: script, env: {"A\\0": x}}'),
    "hundred variables": _of("Agent", "{backend: script, env: {" + ", ".join(f"V{n}: x" for n in range(100)) + "}}"),
    "zone that is a path": _of("Trigger", _TRIGGER.replace("UTC", "../../../etc/passwd")),
    "zone that is absolute": _of("Trigger", _TRIGGER.replace("UTC", "/etc/localtime")),
    "cron of six fields": _of("Trigger", _TRIGGER.replace("0 2 * * *", "0 0 2 * * *")),
    "cron with a huge step": _of("Trigger", _TRIGGER.replace("0 2", "*/99999999999999999999 2")),
    "cron with a huge range": _of("Trigger", _TRIGGER.replace("0 2", "0-99999999999 2")),
    "cron that is a shell": _of("Trigger", _TRIGGER.replace("0 2 * * *", "$(id) * * * *")),
    "expression nested deep": _of("Board", _BOARD.replace("WHEN", "(" * 500 + "true" + ")" * 500)),
    "expression of brackets": _of("Board", _BOARD.replace("WHEN", "[" * 1_000)),
    "expression of negations": _of("Board", _BOARD.replace("WHEN", "!" * 1_000 + "x")),
    "expression too long": _of("Board", _BOARD.replace("WHEN", "true && " * 1_000 + "true")),
    "expression with an unknown root": _of("Board", _BOARD.replace("WHEN", "__import__ == 1")),
    "expression that is a template": _of("Board", _BOARD.replace("WHEN", "${{ task.name }}")),
    "regular expression unbalanced": _of("Project", "{guardrails: {commit: {pattern: '((('}}}"),
    "regular expression of repeats": _of("Project", "{guardrails: {commit: {pattern: '" + "a**" * 100 + "'}}}"),
    "regular expression nested deep": _of("Project", "{guardrails: {commit: {pattern: '" + "(" * 400 + "'}}}"),
    "ports of the system": _of("Project", "{worktrees: {ports: {from: 22, count: 3}}}"),
    "a hundred stages": _of(
        "Pipeline", "{stages: [" + ", ".join(f"{{name: s{n}, role: r}}" for n in range(100)) + "]}"
    ),
    "stages all alike": _of("Pipeline", "{stages: [" + ", ".join(["{name: a, role: r}"] * 32) + "]}"),
    "gates all alike": _of(
        "Pipeline", "{stages: [{name: a, role: r, gates: [" + ", ".join(["{checks: {}}"] * 16) + "]}]}"
    ),
    "a loop without end": _of("Pipeline", "{stages: [{name: a, role: r, onFailure: {goto: a, limit: 999999}}]}"),
    "a gate of every type": _of("Pipeline", "{stages: [{name: a, gates: [{checks: {}, commit: {}, secretScan: {}}]}]}"),
    "a schema of megabytes": _of("Role", "{output: {schema: {x: '" + "a" * 20_000 + "'}}}"),
    "a schema nested deep": _of("Role", "{output: {schema: " + "{a: " * 40 + "1" + "}" * 40 + "}}"),
    "a digest that is a path": _of("Approval", _APPROVAL.replace("9f1c0aa", "../../HEAD")),
    "an approval of nothing": _of("Approval", "{}"),
    "settings of another name": _of("Settings", "{}"),
    "a ref of the user's": _of("Settings", "{source: {publish: {ref: refs/heads/main}}}"),
    "thousand pins": _of(
        "Board", "{pins: [" + ", ".join(f"{{kind: Task, name: t{n}, x: 1, y: 1}}" for n in range(1_000)) + "]}"
    ),
    "a pin out of this world": _of("Board", "{pins: [{kind: Task, name: t, x: 99999999999999999999, y: 1}]}"),
    "a secret that is none": _of("Account", "{secrets: [{env: KEY, value: s3cret}]}"),
    "a kind by another version": HEAD.replace("v1alpha1", "v1alpha2").encode(),
}
